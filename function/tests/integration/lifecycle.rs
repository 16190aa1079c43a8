//! Startup, health and shutdown of the process, as Kubernetes and Knative use them.

use std::net::UdpSocket;
use std::process::Command;
use std::time::{Duration, Instant};

use fakes::rocketchat::{FakeRocketChat, Fault, Route};

use crate::harness::{Function, Harness, assert_delivered, program, push};
use crate::skipped::report_skipped;

const READY: [&str; 2] = ["/health/readiness", "/readyz"];
const LIVE: [&str; 2] = ["/health/liveness", "/healthz"];

#[tokio::test]
async fn health_does_not_depend_on_the_chat_server() {
    let harness = Harness::with(&[("ROCKETCHAT_URL", "http://127.0.0.1:9")]).await;
    for path in READY.into_iter().chain(LIVE) {
        assert_eq!(
            harness.function.request("GET", path).await.status,
            200,
            "{path}"
        );
    }
    harness.finish();
}

#[tokio::test]
async fn during_the_lame_duck_period_it_is_not_ready_and_still_serves() {
    let mut harness = Harness::with(&[("LAME_DUCK_SECONDS", "2")]).await;
    let started = Instant::now();
    harness.function.signal("-TERM");
    until_not_ready(&harness.function).await;
    for path in LIVE {
        assert_eq!(
            harness.function.request("GET", path).await.status,
            200,
            "{path}"
        );
    }
    assert_delivered(&harness.post(&push()).await);
    harness.chat.take_message();
    assert!(harness.function.wait().success());
    assert!(
        started.elapsed() >= Duration::from_secs(2),
        "exited before LAME_DUCK_SECONDS"
    );
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "{:?}",
        started.elapsed()
    );
    harness.chat.finish();
}

#[tokio::test]
async fn requests_in_progress_finish_before_the_process_exits() {
    let mut harness = Harness::start().await;
    let delay = Duration::from_secs(1);
    harness.chat.inject_fault(
        Route::SendMessage,
        Fault::Slow {
            delay,
            insert_first: false,
        },
    );
    let delivery = push();
    let post = harness.post(&delivery);
    let stop = async {
        while harness.chat.calls(Route::SendMessage) == 0 {
            tokio::task::yield_now().await;
        }
        harness.function.signal("-TERM");
    };
    let (answer, ()) = tokio::join!(post, stop);
    assert_delivered(&answer);
    harness.chat.take_message();
    assert!(harness.function.wait().success());
    harness.chat.finish();
}

#[tokio::test]
async fn on_knative_it_exits_immediately() {
    let chat = FakeRocketChat::start().await;
    let settings = [("LAME_DUCK_SECONDS", ""), ("K_SERVICE", "webhook-app")];
    let mut function = Function::start(&chat, &settings);
    let started = Instant::now();
    function.signal("-TERM");
    assert!(function.wait().success());
    assert!(
        started.elapsed() < Duration::from_secs(2),
        "{:?}",
        started.elapsed()
    );
    chat.finish();
}

#[tokio::test]
async fn elsewhere_it_serves_for_five_seconds_unless_signalled_twice() {
    let chat = FakeRocketChat::start().await;
    let mut function = Function::start(&chat, &[("LAME_DUCK_SECONDS", "")]);
    let started = Instant::now();
    function.signal("-TERM");
    until_not_ready(&function).await;
    function.signal("-TERM");
    assert!(function.wait().success());
    assert!(
        function
            .output()
            .iter()
            .any(|line| line.contains("\"lame_duck_seconds\":5"))
    );
    assert!(
        started.elapsed() < Duration::from_secs(4),
        "{:?}",
        started.elapsed()
    );
    chat.finish();
}

#[tokio::test]
async fn the_metrics_port_serves_health_but_no_webhooks() {
    let chat = FakeRocketChat::start().await;
    let function = Function::start(&chat, &[("METRICS_PORT", "0")]);
    let line = function
        .output()
        .into_iter()
        .find(|line| line.contains("\"metrics_port\":"));
    let line: serde_json::Value =
        serde_json::from_str(&line.expect("is announced")).expect("is JSON");
    let address = format!("http://127.0.0.1:{}", line["metrics_port"]);
    for path in READY.into_iter().chain(LIVE) {
        let answer = fakes::exchange::exchange("GET", &format!("{address}{path}"), &[], b"").await;
        assert_eq!(answer.expect("is answered").status, 200, "{path}");
    }
    assert_eq!(
        push().post_to(&format!("{address}/webhook")).await.status,
        404,
        "the metrics port accepts a webhook"
    );
    function.finish(chat.auth_token());
    chat.finish();
}

#[tokio::test]
async fn a_port_in_use_is_reported() {
    let harness = Harness::start().await;
    let port = harness
        .function
        .url("")
        .rsplit(':')
        .next()
        .expect("has a port")
        .to_owned();
    let mut settings = crate::harness::settings(&harness.chat);
    settings.insert("PORT".to_owned(), port.clone());
    let output = program(&settings).output().expect("runs");
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(
        error.contains(&format!("failed to open port {port}")),
        "{error}"
    );
    harness.finish();
}

/// A name server that receives questions and answers none; only root may open its port.
fn silent_name_server() -> Option<(UdpSocket, String)> {
    let [.., high, low] = std::process::id().to_be_bytes();
    let address = format!("127.53.{high}.{low}");
    let socket = UdpSocket::bind((address.as_str(), 53)).ok()?;
    Some((socket, address))
}

#[tokio::test]
async fn a_name_server_that_does_not_answer_does_not_delay_the_exit() {
    let Some((name_server, address)) = silent_name_server() else {
        report_skipped("a name server on port 53 needs root");
        return;
    };
    let chat = FakeRocketChat::start().await;
    let overrides = [
        ("ROCKETCHAT_URL", "http://chat.example.org"),
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "http://collector.example.org:4318",
        ),
        ("DELIVERY_TIMEOUT_SECONDS", "1"),
    ];
    let resolver = std::env::temp_dir().join(format!("resolv-{}.conf", std::process::id()));
    let text = format!("nameserver {address}\noptions timeout:30 attempts:2\n");
    std::fs::write(&resolver, text).expect("is written");
    let mut function = Function::launch(&chat, &overrides, |settings| {
        let program = program(settings);
        let mut unshare = Command::new("/usr/bin/unshare");
        let mount = "mount --bind \"$0\" /etc/resolv.conf && exec \"$@\"";
        unshare.args(["--mount", "/bin/sh", "-c", mount]);
        unshare.arg(&resolver).arg(program.get_program());
        unshare.env_clear().envs(settings);
        unshare
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped());
        unshare
    });
    assert_eq!(function.post(&push()).await.status, 503);
    let asked = name_server.recv(&mut [0; 512]);
    assert!(asked.expect("is received") > 0);
    let started = Instant::now();
    function.signal("-TERM");
    assert!(function.wait().success());
    // 2 s for the last spans and 1 s for the last lines; the look-up takes a minute.
    let elapsed = started.elapsed();
    assert!(elapsed < Duration::from_secs(6), "{elapsed:?}");
    std::fs::remove_file(resolver).expect("is removed");
    chat.finish();
}

async fn until_not_ready(function: &Function) {
    let started = Instant::now();
    while function.request("GET", "/health/readiness").await.status == 200 {
        assert!(started.elapsed() < Duration::from_secs(2), "still ready");
    }
}
