//! A certificate that is replaced while requests run.

use std::time::{Duration, Instant};

use super::client::request;
use super::envoy::{CHAT, Envoy};

#[tokio::test]
async fn a_replaced_certificate_is_used_for_new_connections_and_no_request_is_lost() {
    let Some(envoy) = Envoy::start().await else {
        return;
    };
    let mut old = envoy.connect(CHAT).await;
    let first = old.certificate();
    let mut requests = 0;
    // Each round makes a request on the old connection and one on a new connection.
    let mut round = async |certificate: &mut _| {
        assert_eq!(
            old.exchange(&request("GET", CHAT, "/", "")).await.status,
            200
        );
        let mut new = envoy.connect(CHAT).await;
        assert_eq!(
            new.exchange(&request("GET", CHAT, "/", "")).await.status,
            200
        );
        *certificate = new.certificate();
        requests += 2;
    };
    let mut certificate = first.clone();
    for _ in 0..10 {
        round(&mut certificate).await;
        assert_eq!(certificate, first);
    }

    envoy.replace_certificate("second");

    let replaced = Instant::now();
    while certificate == first {
        assert!(replaced.elapsed() < Duration::from_secs(20), "is not read");
        round(&mut certificate).await;
    }
    let second = certificate.clone();
    for _ in 0..10 {
        round(&mut certificate).await;
        assert_eq!(certificate, second);
    }
    assert_eq!(envoy.requests(), requests);
}

/// A file with half a certificate must not stop the edge.
#[tokio::test]
async fn a_broken_certificate_leaves_the_last_one_in_use() {
    let Some(mut envoy) = Envoy::start().await else {
        return;
    };
    let first = envoy.connect(CHAT).await.certificate();

    envoy.break_certificate();

    let url = format!(
        "http://127.0.0.1:{}/stats?filter=sds.edge.key_rotation_failed",
        envoy.admin_port
    );
    let started = Instant::now();
    loop {
        let answer = fakes::exchange::exchange("GET", &url, &[], b"").await;
        let text = answer.expect("is answered").text();
        if text.contains("key_rotation_failed: 1") {
            break;
        }
        assert!(
            started.elapsed() < Duration::from_secs(20),
            "is not read: {text}"
        );
        tokio::task::yield_now().await;
    }
    assert_eq!(envoy.connect(CHAT).await.certificate(), first);
    assert!(!envoy.has_ended());
}
