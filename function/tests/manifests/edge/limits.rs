//! What is cut: slow, large and frequent requests, with their status and time.

use std::time::{Duration, Instant};

use tokio::io::{AsyncWriteExt as _, split};
use webhook_app::limits::LIMITS;

use super::client::{read_response, request};
use super::envoy::{Envoy, WEBHOOKS};

#[tokio::test]
async fn a_webhook_up_to_the_limit_of_the_function_arrives_and_a_larger_one_is_answered_with_413() {
    let Some(envoy) = Envoy::start().await else {
        return;
    };
    let limit = LIMITS.bodies.max_bytes;
    for (length, status) in [(limit, 200), (limit + 1, 413)] {
        let mut client = envoy.connect(WEBHOOKS).await;
        let head = request(
            "POST",
            WEBHOOKS,
            "/webhook",
            &format!("content-length: {length}\r\n"),
        );
        client.send(&head).await.expect("is sent");
        // Envoy may close the connection before it has read everything.
        let _ = client.send(&vec![b'x'; length]).await;

        let response = client.response().await.expect("is answered");

        assert_eq!(response.status, status, "{length}");
    }
    assert_eq!(envoy.requests(), 1);
    assert_eq!(
        envoy.backend("webhook-app").body_bytes(),
        u64::try_from(limit).expect("fits")
    );
}

/// The seconds until a response with 408, or the end of the connection, while a part of it is sent every 200 ms.
async fn seconds_until_cut(envoy: &Envoy, start: &[u8], part: &[u8]) -> f64 {
    let mut client = envoy.connect(WEBHOOKS).await;
    let started = Instant::now();
    client.send(start).await.expect("is sent");
    let (mut reader, mut writer) = split(client.stream);
    let sending = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(200));
        loop {
            ticks.tick().await;
            if writer.write_all(part).await.is_err() || writer.flush().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    };
    let reading = tokio::time::timeout(Duration::from_secs(25), read_response(&mut reader));
    let response = tokio::select! {
        response = reading => response.expect("is cut"),
        () = sending => unreachable!("it never ends"),
    };
    assert_eq!(response.expect("is answered").status, 408);
    started.elapsed().as_secs_f64()
}

#[tokio::test]
async fn slow_headers_are_cut_after_three_seconds() {
    let Some(envoy) = Envoy::start().await else {
        return;
    };
    let start = format!("POST /webhook HTTP/1.1\r\nhost: {WEBHOOKS}\r\nx-a: ");

    let seconds = seconds_until_cut(&envoy, start.as_bytes(), b"a").await;

    assert!((2.5..7.0).contains(&seconds), "{seconds}");
    assert_eq!(envoy.requests(), 0);
}

/// Also if a byte arrives now and then.
#[tokio::test]
async fn a_slow_body_is_cut_after_ten_seconds() {
    let Some(envoy) = Envoy::start().await else {
        return;
    };
    let start = request("POST", WEBHOOKS, "/webhook", "content-length: 1000\r\n");

    let seconds = seconds_until_cut(&envoy, &start, b"a").await;

    assert!((9.0..15.0).contains(&seconds), "{seconds}");
    assert_eq!(envoy.requests(), 0);
}

/// A client that connects without a handshake.
#[tokio::test]
async fn a_silent_connection_is_closed_after_five_seconds() {
    let Some(envoy) = Envoy::start().await else {
        return;
    };
    let started = Instant::now();
    let mut stream = tokio::net::TcpStream::connect(envoy.address("https"))
        .await
        .expect("connects");
    let mut rest = [0; 1];
    let reading = tokio::io::AsyncReadExt::read(&mut stream, &mut rest);

    let read = tokio::time::timeout(Duration::from_secs(20), reading).await;

    let read = read.expect("is closed");
    assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
    assert!(started.elapsed().as_secs_f64() > 4.0);
}

/// A thousand requests in a second are more than a busy machine sends, so the bucket is smaller and is not filled again.
#[tokio::test]
async fn a_client_over_its_rate_is_answered_with_429_and_another_one_is_not() {
    let second = "{max_tokens: 1000, tokens_per_fill: 1000, fill_interval: 1s}";
    let small = "{max_tokens: 20, tokens_per_fill: 20, fill_interval: 3600s}";
    let Some(envoy) = Envoy::changed(&[], &[(second, small)]).await else {
        return;
    };
    let statuses = async |source: &str, count: usize| {
        let mut client = envoy
            .connect_from(source, WEBHOOKS)
            .await
            .expect("connects");
        let mut statuses = Vec::new();
        for number in 0..count {
            // A client may not say that it is another one.
            let other = format!("x-forwarded-for: 203.0.113.{number}\r\n");
            // What is not routed counts too.
            let response = client
                .exchange(&request("GET", WEBHOOKS, "/none", &other))
                .await;
            statuses.push(response.status);
        }
        statuses
    };

    let many = statuses("127.0.0.2", 30).await;
    let on_another_connection = statuses("127.0.0.2", 1).await;
    let of_another_client = statuses("127.0.0.3", 20).await;

    assert_eq!(many, [[404; 20].as_slice(), &[429; 10]].concat());
    assert_eq!(on_another_connection, [429]);
    assert_eq!(of_another_client, [404; 20]);
    assert_eq!(envoy.requests(), 0);
}

/// A client that sends requests and reads no response.
#[tokio::test]
async fn a_flood_on_one_connection_ends_the_connection() {
    let Some(mut envoy) = Envoy::start().await else {
        return;
    };
    let mut client = envoy.connect(WEBHOOKS).await;
    let _ = client
        .send(&request("GET", WEBHOOKS, "/none", "").repeat(1000))
        .await;

    let mut answered = 0;
    while client.response().await.is_ok() {
        answered += 1;
    }

    assert!(answered < 1000, "{answered}");
    assert!(!envoy.has_ended());
}
