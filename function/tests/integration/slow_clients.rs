//! Slow clients, malicious or not: none of them can block the others.

use std::time::{Duration, Instant};

use fakes::rocketchat::FakeRocketChat;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time;

use crate::harness::{Function, Harness, assert_delivered, push};
use crate::metrics::metrics_port;

/// The deadlines are 3 s; the rest is slack for a busy machine.
const CLOSED_WITHIN: Duration = Duration::from_secs(5);

/// Under load the deadlines are 1 s.
const CLOSED_WITHIN_UNDER_LOAD: Duration = Duration::from_millis(2500);

/// Sends bytes and keeps the connection open; returns what came back and how long it took to close.
async fn hold_open(function: &Function, bytes: &[u8]) -> (String, Duration) {
    let started = Instant::now();
    let mut stream = function.connect().await;
    stream.write_all(bytes).await.expect("is written");
    let mut answer = Vec::new();
    // A reset counts as closed: a client that sends more than is read gets one.
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

/// Headers of a valid webhook with a body of `length` bytes.
fn headers(length: usize) -> String {
    let push = push().without("Connection");
    push.header("Content-Length", length.to_string()).head()
}

#[tokio::test]
async fn no_connection_stays_open_without_a_request() {
    let harness = Harness::start().await;
    let function = &harness.function;
    let (silent, half, idle) = tokio::join!(
        hold_open(function, b""),
        hold_open(function, b"POST /webhook HTTP/1.1\r\nHost: te"),
        hold_open(function, b"GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n"),
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
async fn an_unauthenticated_client_gets_one_response_per_connection() {
    let harness = Harness::start().await;
    let soon = Duration::from_secs(1);
    for path in ["/", "/healthz", "/readyz", "/metrics", "/nothing-here"] {
        let requests = format!("GET {path} HTTP/1.1\r\nHost: test\r\n\r\n").repeat(1000);
        let (answers, elapsed) = hold_open(&harness.function, requests.as_bytes()).await;
        assert!(elapsed < soon, "{path}: {elapsed:?}");
        assert!(
            answers.matches("HTTP/1.1 ").count() <= 1,
            "{path}: {answers}"
        );
    }
    harness.finish();
}

#[tokio::test]
async fn http_2_is_rejected_immediately() {
    let harness = Harness::start().await;
    let soon = Duration::from_secs(1);
    for preface in [
        &b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..],
        b"PRI * HTTP/2.0\r\n\r\n",
    ] {
        let (answer, elapsed) = hold_open(&harness.function, preface).await;
        assert!(elapsed < soon, "{elapsed:?}");
        assert!(!answer.contains(" 200 "), "{answer}");
    }
    harness.finish();
}

#[tokio::test]
async fn a_body_has_a_deadline_at_any_pace() {
    let harness = Harness::start().await;
    let stops = async {
        let (answer, elapsed) =
            hold_open(&harness.function, (headers(1000) + "{\"o").as_bytes()).await;
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

/// Opens connections that send `bytes` and then nothing.
async fn open_connections(function: &Function, count: usize, bytes: &[u8]) -> Vec<TcpStream> {
    let mut streams = Vec::new();
    for _ in 0..count {
        let mut stream = function.connect().await;
        let _ = stream.write_all(bytes).await;
        streams.push(stream);
    }
    streams
}

#[tokio::test]
async fn new_connections_have_less_time_for_headers_when_most_permits_are_taken() {
    let chat = FakeRocketChat::start().await;
    // Half of the descriptors are reserved for other uses than incoming connections.
    let function = Function::start_with_descriptors(&chat, 256);
    let before = function.descriptors();
    let first = open_connections(&function, 65, b"").await;
    let (answer, elapsed) = hold_open(&function, b"POST /webhook HTTP/1.1\r\n").await;
    assert!(elapsed < CLOSED_WITHIN_UNDER_LOAD, "{elapsed:?}: {answer}");
    drop(first);
    let closed = async {
        while function.descriptors() > before {
            tokio::task::yield_now().await;
        }
    };
    let closed = time::timeout(CLOSED_WITHIN, closed).await;
    assert!(
        closed.is_ok(),
        "still has {} descriptors",
        function.descriptors()
    );
    let (_, elapsed) = hold_open(&function, b"").await;
    assert!(elapsed >= CLOSED_WITHIN_UNDER_LOAD, "{elapsed:?}");
    function.finish(chat.auth_token());
    chat.finish();
}

#[tokio::test]
async fn new_bodies_have_less_time_when_many_are_being_read() {
    let harness = Harness::start().await;
    let begun = headers(1000) + "{\"o";
    let first = open_connections(&harness.function, 64, begun.as_bytes()).await;
    let (answer, elapsed) = hold_open(&harness.function, begun.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(elapsed < CLOSED_WITHIN_UNDER_LOAD, "{elapsed:?}");
    drop(first);
    let (answer, elapsed) = hold_open(&harness.function, begun.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(elapsed >= CLOSED_WITHIN_UNDER_LOAD, "{elapsed:?}");
    harness.finish();
}

#[tokio::test]
async fn a_client_that_does_not_read_responses_is_disconnected() {
    let harness = Harness::start().await;
    let mut stream = harness.function.connect().await;
    let asks = async {
        let ask = b"GET /metrics HTTP/1.1\r\nHost: test\r\n\r\n".repeat(100);
        while stream.write_all(&ask).await.is_ok() {}
    };
    let ended = time::timeout(Duration::from_secs(15), asks).await;
    assert!(ended.is_ok(), "still waiting for the client to read");
    harness.finish();
}

/// 300 connections against 256 descriptors would block a server without deadlines for as long as they stay.
async fn assert_delivered_despite(bytes: &'static [u8]) {
    let chat = FakeRocketChat::start().await;
    let function = Function::start_with_descriptors(&chat, 256);
    let attackers = open_connections(&function, 300, bytes).await;
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
async fn idle_connections_delay_a_webhook_by_at_most_one_deadline() {
    assert_delivered_despite(b"").await;
}

#[tokio::test]
async fn incomplete_headers_delay_a_webhook_by_at_most_one_deadline() {
    assert_delivered_despite(b"POST /webhook HTTP/1.1\r\nHost: te").await;
}

#[tokio::test]
async fn silent_connections_on_the_admin_port_delay_no_probe() {
    let harness = Harness::with(&[("METRICS_PORT", "0")]).await;
    let port = metrics_port(&harness.function);
    let address = format!("127.0.0.1:{port}");
    let mut silent = Vec::new();
    for start in [&b""[..], b"GET /healthz HTTP/1.1\r\n"].repeat(150) {
        let mut stream = TcpStream::connect(&address).await.expect("connects");
        let _ = stream.write_all(start).await;
        silent.push(stream);
    }
    let started = Instant::now();
    let url = format!("http://{address}/healthz");
    let probe = fakes::exchange::exchange("GET", &url, &[], b"").await;
    assert_eq!(probe.expect("is answered").status, 200);
    // 100 ms, and slack for a busy machine; the limit of 32 connections would take 9 s.
    let elapsed = started.elapsed();
    assert!(elapsed < Duration::from_millis(500), "{elapsed:?}");
    drop(silent);
    harness.finish();
}

#[tokio::test]
async fn concurrent_large_bodies_stay_within_the_memory_budget() {
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
                .is_some_and(|answer| assert_expected(&answer.expect("does not panic")))
            {
            }
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

/// Asserts that a large body timed out, exceeded the budget, was read and rejected, or was cut off after the
/// response.
fn assert_expected(answer: &str) -> bool {
    let expected = [
        "HTTP/1.1 408",
        "HTTP/1.1 503",
        "HTTP/1.1 401",
        "HTTP/1.1 400",
        "",
    ];
    assert!(expected.contains(&answer), "{answer}");
    true
}
