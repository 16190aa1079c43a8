//! Requests as bytes on a connection: how much is read, and whether the connection is closed after the
//! response.

use std::time::{Duration, Instant};

use fakes::gitlab::Delivery;
use fakes::rocketchat::{Fault, Route};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time;
use webhook_app::limits::LIMITS;

use crate::harness::{Function, Harness, assert_delivered, push, recorded};

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

#[tokio::test]
async fn a_client_that_closes_its_sending_side_gets_the_response() {
    let harness = Harness::start().await;
    let slow = Fault::Slow {
        delay: Duration::from_millis(500),
        insert_first: false,
    };
    harness.chat.inject_fault(Route::SendMessage, slow);
    let mut stream = harness.function.connect().await;
    stream.write_all(&request(&push())).await.expect("is sent");
    stream.shutdown().await.expect("is shut down");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("is read");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    harness.chat.take_message();
    harness.finish();
}

#[tokio::test]
async fn a_body_that_ends_early_is_rejected_without_a_wait() {
    let harness = Harness::start().await;
    for sent in [0, 10] {
        let delivery = push().without("Connection");
        let head = delivery.clone().header("Content-Length", "1000").head();
        let started = Instant::now();
        let mut stream = harness.function.connect().await;
        stream.write_all(head.as_bytes()).await.expect("is sent");
        let part = &delivery.body()[..sent];
        stream.write_all(part).await.expect("is sent");
        stream.shutdown().await.expect("is shut down");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("is read");
        assert!(answer.contains("broken_body"), "{sent}: {answer}");
        let elapsed = started.elapsed();
        assert!(elapsed < Duration::from_secs(2), "{sent}: {elapsed:?}");
    }
    harness.finish();
}

/// A connection that has delivered one webhook and is idle since.
async fn idle(function: &Function) -> TcpStream {
    let mut stream = function.connect().await;
    stream.write_all(&request(&push())).await.expect("is sent");
    let mut answer = [0; 2048];
    let read = stream.read(&mut answer).await.expect("is answered");
    assert!(answer[..read].starts_with(b"HTTP/1.1 200 "));
    stream
}

/// How long it takes until the connection is closed; `None` if it is open after `within`.
async fn closed_after(mut stream: TcpStream, within: Duration) -> Option<Duration> {
    let started = Instant::now();
    let mut rest = Vec::new();
    let closed = time::timeout(within, stream.read_to_end(&mut rest)).await;
    closed.ok().map(|_| started.elapsed())
}

#[tokio::test]
async fn an_idle_connection_stays_open_for_the_configured_time() {
    let short = Harness::with(&[("IDLE_TIMEOUT_SECONDS", "1")]).await;
    let default = Harness::start().await;
    let within = Duration::from_secs(4);
    let (one, many) = tokio::join!(idle(&short.function), idle(&default.function));
    let (one, many) = tokio::join!(closed_after(one, within), closed_after(many, within));
    let one = one.expect("is closed after the configured time");
    assert!(
        one > Duration::from_millis(900) && one < Duration::from_millis(2500),
        "{one:?}"
    );
    assert_eq!(many, None, "the default is 75 s");
    for harness in [short, default] {
        harness.chat.take_message();
        harness.finish();
    }
}

#[tokio::test]
async fn an_idle_connection_is_closed_at_shutdown() {
    let mut harness = Harness::start().await;
    let stream = idle(&harness.function).await;
    harness.chat.take_message();
    let started = Instant::now();
    harness.function.signal("-TERM");
    assert!(harness.function.wait().success());
    assert!(started.elapsed() < Duration::from_secs(2));
    assert!(closed_after(stream, Duration::from_secs(1)).await.is_some());
    harness.chat.finish();
}

#[tokio::test]
async fn a_request_that_begins_on_an_idle_connection_has_the_timeout_for_headers() {
    let harness = Harness::start().await;
    let mut stream = idle(&harness.function).await;
    harness.chat.take_message();
    stream.write_all(b"POST /webhook").await.expect("is sent");
    let closed = closed_after(stream, Duration::from_secs(5)).await;
    let closed = closed.expect("is closed after 3 s");
    assert!(closed > Duration::from_secs(2), "{closed:?}");
    harness.finish();
}

#[tokio::test]
async fn among_many_connections_the_longest_idle_one_is_closed() {
    let chat = fakes::rocketchat::FakeRocketChat::start().await;
    // Half of the descriptors are reserved for other uses than incoming connections.
    let function = Function::start_with_descriptors(&chat, 256);
    let longest = idle(&function).await;
    let later = idle(&function).await;
    chat.mark_all_read();
    // A connection that has waited for a shorter time is not closed.
    let mut other = function.connect().await;
    let closed = time::timeout(LIMITS.connections.crowded_grace, other.read_u8()).await;
    closed.expect_err("there is room");
    let mut others = vec![other];
    for _ in 0..100 {
        others.push(function.connect().await);
    }
    let soon = Duration::from_millis(900);
    let (longest, later) = tokio::join!(closed_after(longest, soon), closed_after(later, soon));
    assert!(longest.is_some(), "103 of 128 connections are open");
    assert_eq!(later, None, "closing one is enough");
    drop(others);
    function.finish(chat.auth_token());
    chat.finish();
}

#[tokio::test]
async fn a_request_that_two_programs_could_read_differently_is_rejected() {
    let harness = Harness::start().await;
    let body = String::from_utf8(push().body().to_vec()).expect("is UTF-8");
    let length = format!("Content-Length: {}\r\n", body.len());
    let chunks = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    let host = "Host: test\r\n";
    let cases = [
        ("no host", length.clone(), body.clone(), "bad_headers"),
        (
            "two hosts",
            format!("{host}Host: other\r\n{length}"),
            body.clone(),
            "bad_headers",
        ),
        (
            "compressed and chunked",
            format!("{host}Transfer-Encoding: gzip, chunked\r\n"),
            chunks.clone(),
            "bad_headers",
        ),
        (
            "chunked twice",
            format!("{host}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
            chunks,
            "bad_headers",
        ),
        (
            "two kinds of event",
            format!("{host}X-Gitlab-Event: Note Hook\r\n{length}"),
            body.clone(),
            "bad_headers",
        ),
        (
            "compressed by the second header",
            format!("{host}Content-Encoding: identity\r\nContent-Encoding: gzip\r\n{length}"),
            body.clone(),
            "content_encoding",
        ),
        (
            "two types of content",
            format!("{host}Content-Type: text/plain\r\n{length}"),
            body,
            "media_type",
        ),
    ];
    for (case, headers, body, reason) in cases {
        let head = push().head().replace(host, &headers);
        let answer = raw_with_body(&harness, (head + &body).as_bytes(), 0).await;
        assert!(
            answer.contains(&format!("\"{reason}\"")),
            "{case}: {answer}"
        );
    }
    harness.finish();
}

/// The bytes of a delivery.
fn request(delivery: &Delivery) -> Vec<u8> {
    let delivery = delivery.clone().without("Connection");
    let length = delivery.body().len().to_string();
    let head = delivery.clone().header("Content-Length", length).head();
    [head.as_bytes(), delivery.body()].concat()
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
