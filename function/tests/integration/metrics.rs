//! Metrics: what alerts need exists from the start, requests add only listed series, and promtool accepts the
//! text.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use fakes::exchange::exchange;
use fakes::rocketchat::{FakeRocketChat, Fault, Route};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use webhook_app::telemetry::{self, Series};

use crate::exposition::Exposition;
use crate::harness::{Function, Harness, assert_delivered, push, recorded};
use crate::skipped::report_skipped;

const IN_PROGRESS: &str =
    r#"http_server_active_requests{http_request_method="POST",url_scheme="http"}"#;

/// A signature of the right length, made without a key.
const OTHER_SIGNATURE: &str = "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// Slack for a busy machine.
const TIMEOUT: Duration = Duration::from_secs(20);

async fn scrape(function: &Function) -> Exposition {
    let answer = function.request("GET", "/metrics").await;
    assert_eq!(answer.status, 200);
    Exposition::parse(&answer.text())
}

/// Scrapes until `series` has `value`.
async fn until(function: &Function, series: &str, value: f64) {
    let started = Instant::now();
    let is = |found: f64| (found - value).abs() < f64::EPSILON;
    while !is(scrape(function).await.value(series)) {
        assert!(started.elapsed() < TIMEOUT, "{series} is never {value}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn the_series_of_alerts_exist_from_the_start_and_are_zero() {
    let harness = Harness::start().await;
    let exposition = scrape(&harness.function).await;
    for series in [
        IN_PROGRESS,
        r#"webhooks_received_total{kind="push"}"#,
        r#"webhook_deliveries_total{outcome="failed",reason="connect"}"#,
        r#"webhook_deliveries_total{outcome="aborted",reason="disconnected"}"#,
        r#"webhook_delivery_duration_seconds_count{outcome="failed"}"#,
        r#"webhook_signature_failures_total{reason="wrong_signature"}"#,
        r#"http_client_request_duration_seconds_count{error_type="rate_limited",http_request_method="POST",url_template="/api/v1/chat.sendMessage"}"#,
        r#"http_server_request_duration_seconds_count{http_request_method="POST",http_response_status_code="200",http_route="/webhook",url_scheme="http"}"#,
        "webhook_log_lines_dropped_total",
    ] {
        exposition.value(series);
    }
    let is_counted = |series: &str| !series.starts_with("process_") && !series.contains("_info{");
    for (series, value) in &exposition.samples {
        assert!(!is_counted(series) || *value == 0.0, "{series} {value}");
    }
    for (family, (kind, help)) in &exposition.families {
        assert!(!kind.is_empty() && help.len() > 5, "{family}: {help}");
    }
    harness.finish();
}

/// The series that are the same in every run: no durations, and nothing about the process itself.
fn counted(exposition: &Exposition) -> String {
    let measured = |series: &str| {
        series.starts_with("process_")
            || series.contains("_info{")
            || (series.contains("_seconds") && !series.contains("_seconds_count"))
    };
    let mut text = String::new();
    for (series, value) in &exposition.samples {
        if *value != 0.0 && !measured(series) {
            let _ = writeln!(text, "{series} {value}");
        }
    }
    text
}

#[tokio::test]
async fn the_metrics_count_what_happened() {
    let harness = Harness::start().await;
    let (first, limited, failing) = (push(), push(), push());
    assert_delivered(&harness.post(&first).await);
    assert_delivered(&harness.post(&first).await);
    let reset_in = Duration::from_millis(100);
    harness
        .chat
        .inject_fault(Route::SendMessage, Fault::RateLimited { reset_in });
    assert_delivered(&harness.post(&limited).await);
    harness
        .chat
        .inject_fault(Route::SendMessage, Fault::Redirect("/elsewhere".to_owned()));
    assert_eq!(harness.post(&failing).await.status, 503);
    let running = include_str!("fixtures/gitlab/pipeline_running.json");
    let running = recorded("Pipeline Hook", running);
    assert_eq!(harness.post(&running).await.status, 204);
    let no_json = recorded("Push Hook", "{");
    assert_eq!(harness.post(&no_json).await.status, 400);
    let forged = push()
        .without("webhook-signature")
        .header("webhook-signature", OTHER_SIGNATURE);
    assert_eq!(harness.post(&forged).await.status, 401);
    assert_eq!(
        harness.function.request("GET", "/nowhere").await.status,
        404
    );
    assert_eq!(
        harness.function.request("PUT", "/webhook").await.status,
        405
    );
    let exposition = scrape(&harness.function).await;
    insta::assert_snapshot!("exposition_after_nine_requests", counted(&exposition));
    harness.chat.mark_all_read();
    harness.finish();
}

#[tokio::test]
async fn an_aborted_request_is_no_longer_in_progress() {
    let harness = Harness::start().await;
    let delay = Duration::from_mins(1);
    let slow = Fault::Slow {
        delay,
        insert_first: true,
    };
    harness
        .chat
        .inject_fault_always(Route::CreateDirectMessage, slow);
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let delivery = push().header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"));
    let mut head = "POST /webhook HTTP/1.1\r\nHost: test\r\n".to_owned();
    for (name, value) in delivery.headers() {
        let _ = write!(head, "{name}: {}\r\n", String::from_utf8_lossy(&value));
    }
    let _ = write!(head, "Content-Length: {}\r\n\r\n", delivery.body().len());
    let address = harness.function.url("").replace("http://", "");
    let mut stream = TcpStream::connect(address).await.expect("connects");
    stream.write_all(head.as_bytes()).await.expect("is written");
    stream.write_all(delivery.body()).await.expect("is written");
    until(&harness.function, IN_PROGRESS, 1.0).await;
    // A reset. Closing alone would look like a client that still reads.
    stream.set_zero_linger().expect("is set");
    drop(stream);
    until(&harness.function, IN_PROGRESS, 0.0).await;
    let exposition = scrape(&harness.function).await;
    for series in [
        r#"webhook_deliveries_total{outcome="aborted",reason="disconnected"}"#,
        r#"webhooks_received_total{kind="unknown"}"#,
        r#"http_server_request_duration_seconds_count{error_type="disconnected",http_request_method="POST",http_route="/webhook",url_scheme="http"}"#,
    ] {
        assert!(
            (exposition.value(series) - 1.0).abs() < f64::EPSILON,
            "{series}"
        );
    }
    harness.function.signal("-TERM");
    let mut function = harness.function;
    assert!(function.wait().success());
    let output = function.output();
    let line = output
        .iter()
        .find(|line| line.contains("client disconnected before the response"));
    assert!(line.expect("is logged").contains(trace), "{line:?}");
}

/// Sends a hostile request, a different one for each number.
async fn provoke(function: &Function, number: usize) -> u16 {
    const METHODS: [&str; 7] = ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "BREW"];
    let method = METHODS[number % METHODS.len()];
    let path = match number % 5 {
        0 => "/webhook".to_owned(),
        1 => "/".to_owned(),
        2 => format!("/webhook/{number}"),
        3 => format!("/?{number}"),
        _ => format!("/{number}/metrics"),
    };
    let media_type = ["application/json", "text/plain"][number % 2];
    let headers = [
        ("x-gitlab-event", format!("Hook {number}")),
        ("x-gitlab-token", format!("{number}")),
        ("traceparent", format!("00-{number:032x}-{number:016x}-01")),
        ("content-type", media_type.to_owned()),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.into_bytes()));
    let body = format!(r#"{{"object_kind":"kind-{number}","event_name":"{number}"}}"#);
    let url = function.url(&path);
    let answer = exchange(method, &url, &headers, body.as_bytes()).await;
    answer.expect("is answered").status
}

#[tokio::test]
async fn ten_thousand_hostile_requests_add_only_listed_series() {
    let open = [
        ("GITLAB_SIGNING_KEYS", ""),
        ("ALLOW_UNAUTHENTICATED", "true"),
    ];
    let harness = Harness::with(&open).await;
    for number in 0..10_000 {
        assert!(provoke(&harness.function, number).await < 500, "{number}");
    }
    let after = scrape(&harness.function).await;
    let every = Exposition::parse(&telemetry::exposition(Series::Every));
    let unlisted: Vec<_> = after
        .series()
        .difference(&every.series())
        .copied()
        .collect();
    assert_eq!(unlisted, [""; 0]);
    let received: f64 = after
        .samples
        .iter()
        .filter(|(series, _)| series.starts_with("webhooks_received_total{"))
        .map(|(_, value)| value)
        .sum();
    assert!(
        received > 500.0,
        "too few webhooks were counted: {received}"
    );
    harness.finish();
}

#[tokio::test]
async fn a_full_listener_is_counted() {
    let chat = FakeRocketChat::start().await;
    // All but two of these are reserved.
    let function = Function::start_with_descriptors(&chat, 130);
    let address = function.url("").replace("http://", "");
    let silent = || async {
        let mut stream = TcpStream::connect(&address).await.expect("connects");
        let mut nothing = Vec::new();
        // Closed when the headers do not arrive in time.
        stream.read_to_end(&mut nothing).await.expect("is closed");
    };
    tokio::join!(silent(), silent());
    let exposition = scrape(&function).await;
    let hits = exposition.value(r#"http_server_connection_cap_hits_total{port="webhooks"}"#);
    assert!(hits >= 1.0, "{hits}");
    function.finish(chat.auth_token());
    chat.finish();
}

/// The port that the function announced.
pub(crate) fn metrics_port(function: &Function) -> u64 {
    let output = function.output();
    let port = output.iter().find_map(|line| {
        let json: serde_json::Value = serde_json::from_str(line).ok()?;
        json["metrics_port"].as_u64()
    });
    port.expect("is announced")
}

#[tokio::test]
async fn metrics_can_be_served_on_a_separate_port() {
    let harness = Harness::with(&[("METRICS_PORT", "0")]).await;
    assert_eq!(
        harness.function.request("GET", "/metrics").await.status,
        404
    );
    let port = metrics_port(&harness.function);
    for (path, status) in [("/metrics", 200), ("/readyz", 200), ("/webhook", 404)] {
        let url = format!("http://127.0.0.1:{port}{path}");
        let answer = exchange("GET", &url, &[], b"").await.expect("is answered");
        assert_eq!(answer.status, status, "{path}");
    }
    harness.finish();
}

#[tokio::test]
async fn on_knative_only_direct_requests_get_metrics() {
    let forwarded = [
        ("X-Forwarded-For", "192.0.2.1"),
        ("Forwarded", "for=192.0.2.1;proto=https"),
    ];
    let header = |(name, value): (&str, &str)| (name.to_owned(), value.into());
    for (settings, through_a_proxy) in [(&[("K_SERVICE", "webhook-app")][..], 404), (&[], 200)] {
        let harness = Harness::with(settings).await;
        let status = async |path, headers: &[_]| {
            let url = harness.function.url(path);
            let response = exchange("GET", &url, headers, b"").await;
            response.expect("is answered").status
        };

        assert_eq!(status("/metrics", &[]).await, 200, "{settings:?}");
        for each in forwarded {
            let headers = [header(each)];
            let case = format!("{settings:?} {each:?}");
            assert_eq!(
                status("/metrics", &headers).await,
                through_a_proxy,
                "{case}"
            );
            assert_eq!(status("/health/readiness", &headers).await, 200, "{case}");
        }
        harness.finish();
    }
}

#[tokio::test]
async fn metrics_can_be_turned_off() {
    let harness = Harness::with(&[("OTEL_METRICS_EXPORTER", "none")]).await;
    assert_delivered(&harness.post(&push()).await);
    assert_eq!(
        harness.function.request("GET", "/metrics").await.status,
        404
    );
    harness.chat.take_message();
    harness.finish();
}

#[tokio::test]
async fn every_accept_header_gets_the_text_format() {
    let harness = Harness::start().await;
    let accept_headers = [
        "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
        "*/*",
    ];
    for accept in accept_headers {
        let headers = [("accept".to_owned(), accept.as_bytes().to_vec())];
        let url = harness.function.url("/metrics");
        let answer = exchange("GET", &url, &headers, b"")
            .await
            .expect("is answered");
        assert_eq!(
            answer.header("content-type"),
            Some("text/plain; version=0.0.4; charset=utf-8"),
            "{accept}"
        );
        Exposition::parse(&answer.text());
    }
    harness.finish();
}

/// A program of Debian's package `prometheus`, if it is installed.
fn installed(program: &str) -> bool {
    let version = Command::new(program)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let there = version.is_ok_and(|status| status.success());
    if !there {
        report_skipped(&format!(
            "{program} is not installed; Debian has it in the package prometheus"
        ));
    }
    there
}

#[tokio::test]
async fn promtool_reports_no_problem() {
    if !installed("promtool") {
        return;
    }
    let harness = Harness::start().await;
    let text = harness.function.request("GET", "/metrics").await.text();
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut stdin = promtool.stdin.take().expect("is piped");
    stdin.write_all(text.as_bytes()).expect("is read");
    drop(stdin);
    let output = promtool.wait_with_output().expect("ends");
    let output = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert_eq!(output, "");
    harness.finish();
}
