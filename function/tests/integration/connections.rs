//! Requests as bytes on a connection: how much is read, and whether the connection is closed after the
//! response.

use fakes::gitlab::Delivery;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::harness::{Harness, assert_delivered, push, recorded};

#[tokio::test]
async fn a_body_over_the_limit_is_rejected_before_it_is_read() {
    let harness = Harness::start().await;
    let announced = push().header("Content-Length", (25 * 1024 * 1024 + 1).to_string());
    let head = announced.head();
    let answer = raw_with_body(&harness, head.as_bytes(), 0).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.contains("25 MiB"), "{answer}");

    let mut chunked = push().header("Transfer-Encoding", "chunked").head();
    chunked += "1900001\r\n";
    let answer = raw_with_body(&harness, chunked.as_bytes(), 25 * 1024 * 1024 + 1).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    harness.finish();
}

#[tokio::test]
async fn a_client_that_sends_everything_before_it_reads_gets_the_rejection() {
    const LENGTH: usize = 24 * 1024 * 1024;
    let harness = Harness::start().await;
    let forged = push().header("webhook-signature", "v1,AAAA");
    let compressed = push().header("Content-Encoding", "gzip");
    for (delivery, length, status) in [
        (forged, LENGTH, "401"),
        (compressed, LENGTH, "415"),
        (push(), 2 * LENGTH, "413"),
    ] {
        let head = delivery.header("Content-Length", length.to_string()).head();
        let answer = raw_to_the_end(&harness, head.as_bytes(), length).await;
        let answer = answer.unwrap_or_else(|error| panic!("{status}: {error}"));
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{answer}"
        );
    }
    harness.finish();
}

#[tokio::test]
async fn the_largest_body_that_gitlab_sends_is_accepted() {
    let harness = Harness::start().await;
    let sample = Delivery::push_sample();
    let text = String::from_utf8(sample.body().to_vec()).expect("is UTF-8");
    let padding = " ".repeat(25 * 1024 * 1024 - text.len());
    let body = text.replacen('{', &format!("{{{padding}"), 1);
    assert_eq!(body.len(), 25 * 1024 * 1024);
    assert_delivered(&harness.post(&recorded("Push Hook", &body)).await);
    harness.chat.take_message();
    harness.finish();
}

#[tokio::test]
async fn a_connection_is_kept_open_until_a_webhook_is_rejected() {
    let harness = Harness::start().await;
    let mut stream = harness.function.connect().await;
    let forged = push().header("webhook-signature", "v1,AAAA");
    for (delivery, status, kept) in [
        (push().id("one"), "200", true),
        (push().id("two"), "200", true),
        (forged, "401", false),
    ] {
        let delivery = delivery.without("Connection");
        let length = delivery.body().len().to_string();
        let head = delivery.clone().header("Content-Length", length).head();
        let request = [head.as_bytes(), delivery.body()].concat();
        stream.write_all(&request).await.expect("is still open");
        let mut answer = [0; 2048];
        let read = stream.read(&mut answer).await.expect("is answered");
        let answer = String::from_utf8_lossy(&answer[..read]).to_lowercase();
        assert!(
            answer.starts_with(&format!("http/1.1 {status} ")),
            "{answer}"
        );
        assert_eq!(answer.contains("connection: close"), !kept, "{answer}");
        if kept {
            harness.chat.take_message();
        }
    }
    let end = stream.read(&mut [0; 1]).await;
    assert!(matches!(end, Ok(0)), "{end:?}");
    harness.finish();
}

/// Sends bytes and then spaces; returns what comes back. The function may answer and close before it
/// has seen everything.
async fn raw_with_body(harness: &Harness, bytes: &[u8], spaces: usize) -> String {
    let mut stream = harness.function.connect().await;
    stream.write_all(bytes).await.expect("is written");
    let _ = stream.write_all(&vec![b' '; spaces]).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

/// The same for a client that gives up at the first I/O error, as GitLab's does.
async fn raw_to_the_end(harness: &Harness, bytes: &[u8], spaces: usize) -> std::io::Result<String> {
    let mut stream = harness.function.connect().await;
    stream.write_all(bytes).await?;
    stream.write_all(&vec![b' '; spaces]).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}
