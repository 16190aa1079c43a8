//! Clients that take their time, on purpose or not: nobody can keep the door shut for others.

use std::time::{Duration, Instant};

use fakes::rocketchat::FakeRocketChat;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time;

use crate::harness::{Function, Harness, assert_delivered, push};

/// The deadlines are 3 s; the rest is for a busy machine.
const CLOSED_WITHIN: Duration = Duration::from_secs(5);

/// They are 1 s for who comes when it is crowded.
const CLOSED_WHEN_CROWDED: Duration = Duration::from_millis(2500);

/// Sends bytes and keeps the connection open; returns what came back and how long it took to close.
async fn linger(function: &Function, bytes: &[u8]) -> (String, Duration) {
    let started = Instant::now();
    let mut stream = function.connect().await;
    stream.write_all(bytes).await.expect("is written");
    let mut answer = Vec::new();
    // A reset is an end too: whoever sends more than is read gets one.
    let closed = time::timeout(CLOSED_WITHIN, stream.read_to_end(&mut answer)).await;
    assert!(
        closed.is_ok(),
        "still open after {CLOSED_WITHIN:?}: {bytes:?}"
    );
    (
        String::from_utf8_lossy(&answer).into_owned(),
        started.elapsed(),
    )
}

/// Headers of a good webhook with a body of `length` bytes.
fn headers(length: usize) -> String {
    let push = push().without("Connection");
    push.header("Content-Length", length.to_string()).head()
}

#[tokio::test]
async fn no_connection_stays_open_without_a_request() {
    let harness = Harness::start().await;
    let function = &harness.function;
    let (silent, half, idle) = tokio::join!(
        linger(function, b""),
        linger(function, b"POST /webhook HTTP/1.1\r\nHost: te"),
        linger(function, b"GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n"),
    );
    assert_eq!(silent.0, "");
    assert!(
        half.0.is_empty() || half.0.starts_with("HTTP/1.1 408 "),
        "{}",
        half.0
    );
    assert!(idle.0.starts_with("HTTP/1.1 200 "), "{}", idle.0);
    harness.finish();
}

#[tokio::test]
async fn who_has_proven_nothing_gets_one_answer_a_connection() {
    let harness = Harness::start().await;
    let soon = Duration::from_secs(1);
    for path in ["/", "/healthz", "/readyz", "/metrics", "/nothing-here"] {
        let requests = format!("GET {path} HTTP/1.1\r\nHost: test\r\n\r\n").repeat(1000);
        let (answers, elapsed) = linger(&harness.function, requests.as_bytes()).await;
        assert!(elapsed < soon, "{path}: {elapsed:?}");
        assert!(
            answers.matches("HTTP/1.1 ").count() <= 1,
            "{path}: {answers}"
        );
    }
    harness.finish();
}

#[tokio::test]
async fn http_2_is_refused_at_once() {
    let harness = Harness::start().await;
    let soon = Duration::from_secs(1);
    for preface in [
        &b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..],
        b"PRI * HTTP/2.0\r\n\r\n",
    ] {
        let (answer, elapsed) = linger(&harness.function, preface).await;
        assert!(elapsed < soon, "{elapsed:?}");
        assert!(!answer.contains(" 200 "), "{answer}");
    }
    harness.finish();
}

#[tokio::test]
async fn a_body_has_a_deadline_whatever_its_pace() {
    let harness = Harness::start().await;
    let stops = async {
        let (answer, elapsed) =
            linger(&harness.function, (headers(1000) + "{\"o").as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
        assert!(elapsed >= Duration::from_secs(2), "{elapsed:?}");
    };
    let drips = async {
        let mut stream = harness.function.connect().await;
        stream
            .write_all(headers(1000).as_bytes())
            .await
            .expect("is written");
        let (mut reader, mut writer) = stream.into_split();
        let drip = async {
            let mut pace = time::interval(Duration::from_millis(500));
            while writer.write_all(b" ").await.is_ok() {
                pace.tick().await;
            }
        };
        let mut answer = Vec::new();
        let read = time::timeout(CLOSED_WITHIN, reader.read_to_end(&mut answer));
        tokio::select! {
            read = read => assert!(read.is_ok(), "still open"),
            () = drip => {}
        }
        let answer = String::from_utf8_lossy(&answer);
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 408 "),
            "{answer}"
        );
    };
    tokio::join!(stops, drips);
    harness.finish();
}

/// Connections that said `bytes` and no more.
async fn slow(function: &Function, count: usize, bytes: &[u8]) -> Vec<TcpStream> {
    let mut streams = Vec::new();
    for _ in 0..count {
        let mut stream = function.connect().await;
        let _ = stream.write_all(bytes).await;
        streams.push(stream);
    }
    streams
}

#[tokio::test]
async fn who_comes_when_most_places_are_taken_has_less_time_for_its_headers() {
    let chat = FakeRocketChat::start().await;
    // Half of them are for other things than incoming connections.
    let function = Function::start_with_descriptors(&chat, 256);
    let first = slow(&function, 65, b"").await;
    let (answer, elapsed) = linger(&function, b"POST /webhook HTTP/1.1\r\n").await;
    assert!(elapsed < CLOSED_WHEN_CROWDED, "{elapsed:?}: {answer}");
    drop(first);
    // Their ends are noticed in any order.
    time::sleep(Duration::from_millis(200)).await;
    let (_, elapsed) = linger(&function, b"").await;
    assert!(elapsed >= CLOSED_WHEN_CROWDED, "{elapsed:?}");
    function.finish(chat.auth_token());
    chat.finish();
}

#[tokio::test]
async fn who_comes_when_many_bodies_are_read_has_less_time_for_its_own() {
    let harness = Harness::start().await;
    let begun = headers(1000) + "{\"o";
    let first = slow(&harness.function, 64, begun.as_bytes()).await;
    let (answer, elapsed) = linger(&harness.function, begun.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(elapsed < CLOSED_WHEN_CROWDED, "{elapsed:?}");
    drop(first);
    let (answer, elapsed) = linger(&harness.function, begun.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(elapsed >= CLOSED_WHEN_CROWDED, "{elapsed:?}");
    harness.finish();
}

#[tokio::test]
async fn answers_that_nobody_takes_are_not_kept() {
    let harness = Harness::start().await;
    let mut stream = harness.function.connect().await;
    let asks = async {
        let ask = b"GET /metrics HTTP/1.1\r\nHost: test\r\n\r\n".repeat(100);
        while stream.write_all(&ask).await.is_ok() {}
    };
    let ended = time::timeout(Duration::from_secs(15), asks).await;
    assert!(ended.is_ok(), "still waiting for its reader");
    harness.finish();
}

/// 300 sockets against 256 descriptors: an ordinary server is dead for as long as they stay.
async fn honest_webhooks_under(bytes: &'static [u8]) {
    let chat = FakeRocketChat::start().await;
    let function = Function::start_with_descriptors(&chat, 256);
    let attackers = slow(&function, 300, bytes).await;
    let started = Instant::now();
    let answer = time::timeout(Duration::from_secs(8), function.post(&push())).await;
    let answer = answer.unwrap_or_else(|_| panic!("no answer after {:?}", started.elapsed()));
    assert_delivered(&answer);
    chat.take_message();
    drop(attackers);
    function.finish(chat.auth_token());
    chat.finish();
}

#[tokio::test]
async fn silent_sockets_delay_webhooks_by_one_deadline_at_most() {
    honest_webhooks_under(b"").await;
}

#[tokio::test]
async fn half_headers_delay_webhooks_by_one_deadline_at_most() {
    honest_webhooks_under(b"POST /webhook HTTP/1.1\r\nHost: te").await;
}

#[tokio::test]
async fn large_bodies_share_the_memory_there_is() {
    let harness = Harness::start().await;
    let address = harness.function.url("").replace("http://", "");
    let mut senders = tokio::task::JoinSet::new();
    for _ in 0..64 {
        let (address, head) = (address.clone(), headers(25 * 1024 * 1024));
        senders.spawn(async move {
            let mut stream = TcpStream::connect(address).await.expect("connects");
            let _ = stream.write_all(head.as_bytes()).await;
            let piece = vec![b' '; 256 * 1024];
            for _ in 0..100 {
                if stream.write_all(&piece).await.is_err() {
                    break;
                }
            }
            let mut answer = Vec::new();
            let _ = time::timeout(Duration::from_secs(10), stream.read_to_end(&mut answer)).await;
            String::from_utf8_lossy(&answer)
                .chars()
                .take(12)
                .collect::<String>()
        });
    }
    let watch = async {
        let mut most = 0;
        let mut pace = time::interval(Duration::from_millis(20));
        loop {
            pace.tick().await;
            most = most.max(harness.function.resident_kib());
            if senders.is_empty() {
                return most;
            }
            while senders
                .try_join_next()
                .is_some_and(|answer| allowed(&answer.expect("does not panic")))
            {}
        }
    };
    let most = time::timeout(Duration::from_secs(30), watch)
        .await
        .expect("ends");
    assert!(most <= 160 * 1024, "{most} KiB");
    assert_delivered(&harness.post(&push()).await);
    harness.chat.take_message();
    harness.finish();
}

/// Too slow, too much at once, or read and found to be no event; or cut off when all was said.
fn allowed(answer: &str) -> bool {
    let allowed = [
        "HTTP/1.1 408",
        "HTTP/1.1 503",
        "HTTP/1.1 401",
        "HTTP/1.1 400",
        "",
    ];
    assert!(allowed.contains(&answer), "{answer}");
    true
}
