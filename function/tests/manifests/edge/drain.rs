//! The script that runs before a pod ends.

use std::process::{Child, Command};
use std::time::{Duration, Instant};

use super::client::request;
use super::envoy::{CHAT, Envoy, REGISTRY, STATIC};
use crate::rendered::repository;

/// The running script; ends with this value.
struct Drain(Child);

impl Drop for Drain {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn drain(envoy: &Envoy) -> Drain {
    let child = Command::new("bash")
        .arg(repository().join(STATIC).join("drain"))
        .env("ADMIN_PORT", envoy.admin_port.to_string())
        .env("SHORTEST_SECONDS", "0")
        .spawn();
    Drain(child.expect("starts"))
}

async fn ended(script: &mut Drain, limit: Duration) -> Option<bool> {
    let started = Instant::now();
    while started.elapsed() < limit {
        if let Some(status) = script.0.try_wait().expect("can be asked") {
            return Some(status.success());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    None
}

#[tokio::test]
async fn a_pod_that_ends_waits_for_a_request_and_not_for_a_websocket() {
    let Some(envoy) = Envoy::start().await else {
        return;
    };
    let mut socket = envoy.connect(CHAT).await;
    let upgrade = "connection: upgrade\r\nupgrade: websocket\r\n";
    socket
        .exchange(&request("GET", CHAT, "/websocket", upgrade))
        .await;
    let mut upload = envoy.connect(REGISTRY).await;
    let head = request("PUT", REGISTRY, "/v2/", "content-length: 10\r\n");
    upload.send(&head).await.expect("is sent");
    upload.send(b"first").await.expect("is sent");
    let mut other = envoy.connect(CHAT).await;
    let before = other.exchange(&request("GET", CHAT, "/", "")).await;

    let mut script = drain(&envoy);
    let started = Instant::now();
    while envoy
        .plain("metrics", "GET", "127.0.0.1", "/ready")
        .await
        .status
        == 200
    {
        assert!(
            started.elapsed() < Duration::from_secs(20),
            "is still ready"
        );
    }
    let after = other.exchange(&request("GET", CHAT, "/", "")).await;
    let too_early = ended(&mut script, Duration::from_secs(2)).await;
    upload.send(b"other").await.expect("is sent");
    let response = upload.response().await.expect("is answered");

    assert_eq!(too_early, None, "it does not wait");
    assert_eq!(
        ended(&mut script, Duration::from_secs(20)).await,
        Some(true)
    );
    assert!(
        response.body.starts_with("registry received 10\n"),
        "{response:?}"
    );
    assert_eq!(
        [before.header("connection"), after.header("connection")],
        [None, Some("close")]
    );
    assert_eq!(
        envoy
            .plain("metrics", "GET", "127.0.0.1", "/live")
            .await
            .status,
        200
    );
}
