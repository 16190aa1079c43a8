//! Requests that no honest client sends. None of them may arrive at a server, and Envoy continues to run.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::client::request;
use super::envoy::{CHAT, Envoy, HOSTS, WEBHOOKS};

/// Requests to the host of the webhooks, and what they are answered with.
fn requests() -> Vec<(&'static str, Vec<u8>, u16)> {
    let to = |line: &str, headers: &str| {
        format!("{line} HTTP/1.1\r\nhost: {WEBHOOKS}\r\n{headers}\r\n").into_bytes()
    };
    let post = |headers: &str, body: &str| [to("POST /webhook", headers), body.into()].concat();
    let smuggled =
        format!("0\r\n\r\nPOST /webhook HTTP/1.1\r\nhost: {WEBHOOKS}\r\ncontent-length: 0\r\n\r\n");
    let both = format!(
        "content-length: {}\r\ntransfer-encoding: chunked\r\n",
        smuggled.len()
    );
    vec![
        (
            "no HTTP",
            b"\x16\x03\x01\x00\xff garbage \r\n\r\n".to_vec(),
            400,
        ),
        (
            "two lengths and a second request",
            post(&both, &smuggled),
            400,
        ),
        (
            "chunked first",
            post(
                "transfer-encoding: chunked\r\ncontent-length: 4\r\n",
                &smuggled,
            ),
            400,
        ),
        (
            "two different lengths",
            post("content-length: 3\r\ncontent-length: 4\r\n", "aaaa"),
            400,
        ),
        (
            "a list of lengths",
            post("content-length: 4, 4\r\n", "aaaa"),
            400,
        ),
        ("a negative length", post("content-length: -1\r\n", ""), 400),
        (
            "an unknown encoding",
            post("transfer-encoding: xchunked\r\n", &smuggled),
            501,
        ),
        (
            "a space before the colon",
            post("transfer-encoding : chunked\r\n", &smuggled),
            400,
        ),
        (
            "no length of a chunk",
            post("transfer-encoding: chunked\r\n", "zz\r\n"),
            400,
        ),
        ("NUL in the path", to("POST /webhook\0", ""), 400),
        ("NUL in a header", to("POST /webhook", "x-a: \0\r\n"), 400),
        ("an encoded NUL", to("POST /webhook%00", ""), 400),
        ("an encoded slash", to("POST /webhook%2f..", ""), 400),
        ("an encoded backslash", to("POST /webhook%5c..", ""), 400),
        (
            "an underscore in the name of a header",
            to("POST /webhook", "content_length: 1\r\n"),
            400,
        ),
        ("two slashes", to("POST //webhook", ""), 404),
        ("dots", to("POST /webhook/../health/readiness", ""), 404),
        ("encoded dots", to("POST /webhook/%2e%2e/metrics", ""), 404),
        (
            "two hosts",
            to("POST /webhook", "host: chat.example.com\r\n"),
            421,
        ),
        (
            "large headers",
            to("POST /webhook", &format!("x-a: {}\r\n", "a".repeat(20_000))),
            431,
        ),
        (
            "many headers",
            to("POST /webhook", &"x-a: b\r\n".repeat(80)),
            431,
        ),
        (
            "HTTP/1.0 without a host",
            b"POST /webhook HTTP/1.0\r\n\r\n".to_vec(),
            426,
        ),
    ]
}

#[tokio::test]
async fn hostile_requests_arrive_at_no_server() {
    let Some(mut envoy) = Envoy::start().await else {
        return;
    };
    let mut wrong = Vec::new();
    for (case, bytes, expected) in requests() {
        let mut client = envoy.connect(WEBHOOKS).await;
        let _ = client.send(&bytes).await;
        match client.response().await {
            Ok(response) if response.status == expected => {}
            other => wrong.push(format!("{case}: expected {expected}, found {other:?}")),
        }
        if envoy.requests() > 0 {
            wrong.push(format!("{case}: arrived"));
            break;
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(!envoy.has_ended());
    let mut client = envoy.connect(CHAT).await;
    let tunnel = client
        .exchange(&request("CONNECT", CHAT, "gitlab.example.com:443", ""))
        .await;
    assert_eq!(tunnel.status, 404);
    assert_eq!(envoy.requests(), 0);
    assert_eq!(envoy.get(CHAT, "/", "").await.status, 200);
}

/// Servers disagree on whether a line that begins with a space is a header.
#[tokio::test]
async fn a_folded_header_arrives_on_one_line() {
    let Some(envoy) = Envoy::start().await else {
        return;
    };
    let folded = "x-a: b\r\n transfer-encoding: chunked\r\ncontent-length: 0\r\n";
    let mut client = envoy.connect(WEBHOOKS).await;

    let response = client
        .exchange(&request("POST", WEBHOOKS, "/webhook", folded))
        .await;

    let line = "\r\nx-a: b transfer-encoding: chunked\r\n";
    assert!(response.body.contains(line), "{response:?}");
}

#[tokio::test]
async fn bytes_that_are_no_tls_are_not_answered() {
    let Some(mut envoy) = Envoy::start().await else {
        return;
    };
    let cases: [&[u8]; 4] = [
        b"POST /webhook HTTP/1.1\r\nhost: webhooks.example.com\r\ncontent-length: 0\r\n\r\n",
        b"\x16\x03\x01\xff\xff\x01",
        &[0; 4096],
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ];
    for bytes in cases {
        let mut stream = TcpStream::connect(envoy.address("https"))
            .await
            .expect("connects");
        let _ = stream.write_all(bytes).await;
        let _ = stream.shutdown().await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let text = String::from_utf8_lossy(&answer);
        assert!(!text.contains("HTTP/"), "{text}");
    }
    assert_eq!(envoy.requests(), 0);
    assert!(!envoy.has_ended());
    assert_eq!(envoy.get(WEBHOOKS, "/none", "").await.status, 404);
}

/// Who may end Envoy, or read its configuration and its certificates.
#[tokio::test]
async fn the_interface_for_administration_is_behind_no_listener() {
    let Some(mut envoy) = Envoy::start().await else {
        return;
    };
    let paths = [
        "/config_dump",
        "/quitquitquit",
        "/healthcheck/fail",
        "/certs",
        "/stats",
        "/server_info",
        "/ready/../config_dump",
        "/stats/prometheus/../../config_dump",
        "//config_dump",
        "/stats%2fprometheus",
    ];
    for path in paths {
        for method in ["GET", "POST"] {
            for listener in ["metrics", "http"] {
                let response = envoy.plain(listener, method, "127.0.0.1", path).await;
                assert_eq!(response.status, 404, "{method} {path} of {listener}");
            }
            for host in HOSTS {
                let mut client = envoy.connect(host).await;
                let headers = format!("content-length: 0\r\n{}", super::envoy::CREDENTIALS);
                let response = client
                    .exchange(&request(method, host, path, &headers))
                    .await;
                let is_of_a_server = response.body.contains(" received ");
                assert!(
                    response.status >= 400 || is_of_a_server,
                    "{method} {path} of {host}: {response:?}"
                );
            }
        }
    }
    assert_eq!(
        envoy
            .plain("metrics", "GET", "127.0.0.1", "/ready")
            .await
            .status,
        200
    );
    assert_eq!(
        envoy
            .plain("metrics", "POST", "127.0.0.1", "/stats/prometheus")
            .await
            .status,
        404
    );
    assert!(!envoy.has_ended());
}
