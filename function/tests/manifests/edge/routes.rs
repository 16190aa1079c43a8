//! Which requests arrive at which server.

use fakes::gitlab::{Delivery, SAMPLE_KEY};

use super::client::request;
use super::envoy::{CHAT, CREDENTIALS, Envoy, HOSTS, PROMETHEUS, REGISTRY, WEBHOOKS};
use crate::program::Program;

const MIB: usize = 1024 * 1024;

/// A delivery as GitLab sends it.
fn bytes_of(delivery: &Delivery, path: &str) -> Vec<u8> {
    let mut bytes = format!("POST {path} HTTP/1.1\r\nhost: {WEBHOOKS}\r\n").into_bytes();
    bytes.extend(format!("content-length: {}\r\n", delivery.body().len()).bytes());
    for (name, value) in delivery.headers() {
        bytes.extend(format!("{name}: ").bytes());
        bytes.extend(value);
        bytes.extend(b"\r\n");
    }
    bytes.extend(b"\r\n");
    bytes.extend(delivery.body());
    bytes
}

#[tokio::test]
async fn a_signed_webhook_over_tls_is_one_message_in_the_chat() {
    let program = Program::start(&[]).await;
    let Some(envoy) = Envoy::in_front_of(&[("webhook-app", &program.address())]).await else {
        return;
    };
    let signed = Delivery::push_sample().signed_with(SAMPLE_KEY);
    // GitLab uses a connection for each webhook.
    let send = async |delivery: &Delivery, path: &str| {
        let mut client = envoy.connect(WEBHOOKS).await;
        client.exchange(&bytes_of(delivery, path)).await
    };

    let unsigned = send(&Delivery::push_sample(), "/webhook").await;
    let first = send(&signed, "/webhook").await;
    let repeated = send(&signed, "/webhook/").await;
    let probe = envoy.get(WEBHOOKS, "/webhook", "").await;

    assert_eq!(
        [unsigned.status, first.status, repeated.status],
        [401, 200, 200]
    );
    assert_eq!(program.messages(), 1);
    // GitLab shows it beside the delivery.
    assert!(first.header("x-request-id").is_some(), "{first:?}");
    assert_eq!(probe.status, 405);
}

#[tokio::test]
async fn only_webhooks_are_routed_to_the_function() {
    let Some(envoy) = Envoy::start().await else {
        return;
    };
    for (method, path, status) in [
        ("POST", "/webhook", 200),
        ("POST", "/webhook/", 200),
        ("POST", "/webhook?a=b", 200),
        ("POST", "/a/../webhook", 200),
        ("GET", "/webhook", 200),
        ("PUT", "/webhook", 405),
        ("DELETE", "/webhook", 405),
        ("GET", "/webhook/", 404),
        ("POST", "/", 404),
        ("POST", "/webhooks", 404),
        ("POST", "/webhook/x", 404),
        ("POST", "//webhook", 404),
        ("POST", "/a/../metrics", 404),
        ("GET", "/metrics", 404),
        ("GET", "/health/readiness", 404),
    ] {
        let before = envoy.requests();
        let mut client = envoy.connect(WEBHOOKS).await;

        let response = client
            .exchange(&request(method, WEBHOOKS, path, "content-length: 0\r\n"))
            .await;

        assert_eq!(response.status, status, "{method} {path}");
        assert_eq!(
            envoy.requests() - before,
            u64::from(status == 200),
            "{method} {path}"
        );
    }
}

#[tokio::test]
async fn each_host_has_its_server_and_no_other_host_has_one() {
    let Some(envoy) = Envoy::start().await else {
        return;
    };
    let servers = [
        "webhook-app",
        "rocketchat",
        "gitlab",
        "registry",
        "prometheus",
        "grafana",
    ];
    for (host, server) in HOSTS.iter().zip(servers) {
        let response = envoy.get(host, "/webhook", CREDENTIALS).await;
        let expected = format!("{server} received 0\n");
        assert!(response.body.starts_with(&expected), "{host}: {response:?}");
        // With its port, as some clients send it.
        let response = envoy
            .get(host, "/webhook", &format!("x-a: b\r\n{CREDENTIALS}"))
            .await;
        assert_eq!(response.status, 200);
        let mut client = envoy.connect(host).await;
        let with_port = format!("{host}:443");
        let response = client
            .exchange(&request("GET", &with_port, "/webhook", CREDENTIALS))
            .await;
        assert_eq!(response.status, 200, "{with_port}");
    }
    let before = envoy.requests();
    for (connection, host) in [
        (WEBHOOKS, CHAT),
        (CHAT, WEBHOOKS),
        (CHAT, "localhost"),
        (CHAT, "chat.example.com.evil.example"),
        (WEBHOOKS, ""),
    ] {
        let mut client = envoy.connect(connection).await;
        let response = client.exchange(&request("GET", host, "/webhook", "")).await;
        assert!(
            [421, 400].contains(&response.status),
            "{host}: {response:?}"
        );
    }
    // No certificate is shown to a client that asks for another host.
    assert!(
        envoy
            .connect_from("127.0.0.1", "unknown.example.com")
            .await
            .is_err()
    );
    assert_eq!(envoy.requests(), before);
}

#[tokio::test]
async fn people_are_redirected_to_https_and_webhooks_are_not() {
    let Some(envoy) = Envoy::start().await else {
        return;
    };
    let redirected = envoy.plain("http", "GET", CHAT, "/channel/a?b=c").await;
    let webhook = envoy.plain("http", "POST", WEBHOOKS, "/webhook").await;
    let unknown = envoy.plain("http", "GET", "unknown.example.com", "/").await;

    assert_eq!(redirected.status, 301);
    let address = format!("https://{CHAT}/channel/a?b=c");
    assert_eq!(redirected.header("location"), Some(address.as_str()));
    assert_eq!([webhook.status, unknown.status], [404, 404]);
    assert_eq!(envoy.requests(), 0);
}

#[tokio::test]
async fn prometheus_and_grafana_ask_for_the_password() {
    let Some(envoy) = Envoy::start().await else {
        return;
    };
    for host in [PROMETHEUS, "grafana.example.com"] {
        let before = envoy.requests();
        for (case, headers) in [
            ("none", ""),
            (
                "another password",
                "authorization: Basic b3BlcmF0b3I6d3Jvbmc=\r\n",
            ),
            (
                "another user",
                "authorization: Basic cm9vdDpsZXQtbWUtaW4=\r\n",
            ),
            (
                "the hash",
                "authorization: Basic b3BlcmF0b3I6e1NIQX1VdzI5ekJxMVBPdDBDNGxxcjJFOXgwMW1WOUU9\r\n",
            ),
            ("no text", "authorization: Basic ====\r\n"),
            ("another scheme", "authorization: Bearer let-me-in\r\n"),
        ] {
            for path in ["/", "/api/v1/query?query=up", "/a/../-/healthy", "//"] {
                let response = envoy.get(host, path, headers).await;
                assert_eq!(response.status, 401, "{host}{path} with {case}");
            }
        }
        assert_eq!(envoy.requests(), before);

        let response = envoy.get(host, "/", CREDENTIALS).await;

        assert_eq!(response.status, 200, "{host}");
        // Grafana would use it to authenticate one of its users.
        let lower = response.body.to_ascii_lowercase();
        assert!(!lower.contains("authorization:"), "{}", response.body);
    }
}

#[tokio::test]
async fn a_websocket_passes_to_rocketchat() {
    let Some(envoy) = Envoy::start().await else {
        return;
    };
    let upgrade = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";
    let mut client = envoy.connect(CHAT).await;

    let response = client
        .exchange(&request("GET", CHAT, "/websocket", upgrade))
        .await;
    client.send(b"frame").await.expect("is sent");

    assert_eq!(response.status, 101);
    assert_eq!(client.read(5).await, b"frame");
    let refused = envoy.get(REGISTRY, "/v2/", upgrade).await;
    assert_eq!(refused.status, 403, "the registry has no WebSocket");
}

/// The rest is sent only after the first part has arrived, so the body is not collected.
#[tokio::test]
async fn a_layer_of_64_mib_streams_to_the_registry() {
    let Some(envoy) = Envoy::start().await else {
        return;
    };
    let registry = envoy.backend("registry");
    let mut client = envoy.connect(REGISTRY).await;
    let piece = vec![b'x'; MIB];
    let head = request(
        "PATCH",
        REGISTRY,
        "/v2/app/blobs/uploads/1",
        &format!("content-length: {}\r\n", 64 * MIB),
    );

    client.send(&head).await.expect("is sent");
    client.send(&piece).await.expect("is sent");
    let arriving = async {
        while registry.body_bytes() < 900_000 {
            tokio::task::yield_now().await;
        }
    };
    let arrived = tokio::time::timeout(std::time::Duration::from_secs(20), arriving).await;
    arrived.expect("the first part has arrived");
    for _ in 1..64 {
        client.send(&piece).await.expect("is sent");
    }
    let response = client.response().await.expect("is answered");

    assert_eq!(response.status, 200);
    assert!(
        response
            .body
            .starts_with(&format!("registry received {}\n", 64 * MIB))
    );
}

#[tokio::test]
async fn the_log_has_one_json_object_for_each_request_and_no_query() {
    let Some(envoy) = Envoy::start().await else {
        return;
    };
    let response = envoy
        .get(
            "gitlab.example.com",
            "/api/v4/projects/group%2Fapp?private_token=canary",
            "x-request-id: mine\r\n",
        )
        .await;
    // The path of a project arrives as it was sent.
    assert!(
        response
            .body
            .contains("GET /api/v4/projects/group%2Fapp?private_token=canary "),
        "{response:?}"
    );
    let id = response
        .header("x-request-id")
        .expect("is there")
        .to_owned();
    assert_ne!(id, "mine");

    let started = std::time::Instant::now();
    let line = loop {
        let log = envoy.log();
        let line = log
            .lines()
            .find(|line| line.contains(&id))
            .map(str::to_owned);
        if let Some(line) = line {
            break line;
        }
        assert!(started.elapsed().as_secs() < 30, "{log}");
        tokio::task::yield_now().await;
    };

    let entry: serde_json::Value = serde_json::from_str(&line).expect("is JSON");
    assert_eq!(entry["path"], "/api/v4/projects/group%2Fapp");
    assert_eq!(entry["status"], 200);
    assert_eq!(entry["client"], "127.0.0.1");
    assert_eq!(entry["request_id"], id);
    assert!(!line.contains("canary"), "{line}");
}
