//! Distributed tracing: trace context is propagated, exported spans match the request, and no trace is
//! started without a sender or an exporter that wants one.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use fakes::gitlab::{Delivery, SAMPLE_SHA};
use fakes::rocketchat::{Fault, Route};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span};
use prost::Message as _;
use serde_json::Value;

use crate::harness::{Harness, assert_delivered, push};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// Far longer than the timeouts of the function.
const TIMEOUT: Duration = Duration::from_secs(20);

/// One recorded request.
struct Request {
    head: String,
    body: Vec<u8>,
}

impl Request {
    /// The value of a header.
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// A server that records requests and gives each the same response.
struct RecordingServer {
    url: String,
    requests: Receiver<Request>,
}

impl RecordingServer {
    fn answering(answer: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there are free ports");
        let url = format!("http://{}", listener.local_addr().expect("has one"));
        let (sender, requests) = mpsc::channel();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let Some((request, mut stream)) = receive(stream) else {
                    continue;
                };
                // Recorded before it is answered: the function may exit once it has the response.
                if sender.send(request).is_err() {
                    return;
                }
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        Self { url, requests }
    }

    /// An OTLP collector that accepts everything.
    fn collector() -> Self {
        Self::answering(
            "HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        )
    }

    fn next(&self) -> Request {
        self.requests
            .recv_timeout(TIMEOUT)
            .expect("receives a request")
    }

    /// All spans exported so far; complete once the function has exited.
    fn spans(&self) -> Vec<(ResourceSpans, Span)> {
        let requests = self.requests.try_iter();
        let exported = requests.flat_map(|request| {
            assert_eq!(
                request.head.lines().next(),
                Some("POST /v1/traces HTTP/1.1")
            );
            assert_eq!(
                request.header("content-type"),
                Some("application/x-protobuf")
            );
            let export = ExportTraceServiceRequest::decode(request.body.as_slice());
            export.expect("is protobuf").resource_spans
        });
        exported
            .flat_map(|resource| {
                let scopes = resource.scope_spans.clone().into_iter();
                let spans = scopes.flat_map(|scope| scope.spans);
                spans
                    .map(|span| (resource.clone(), span))
                    .collect::<Vec<_>>()
            })
            .collect()
    }
}

fn receive(stream: TcpStream) -> Option<(Request, TcpStream)> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let mut request = Request {
        head,
        body: Vec::new(),
    };
    let length = request.header("content-length").map_or(Ok(0), str::parse);
    request.body.resize(length.ok()?, 0);
    reader.read_exact(&mut request.body).ok()?;
    Some((request, reader.into_inner()))
}

fn text(attributes: &[KeyValue], name: &str) -> Option<String> {
    let attribute = attributes.iter().find(|attribute| attribute.key == name)?;
    match attribute.value.as_ref()? {
        AnyValue {
            value: Some(any_value::Value::StringValue(text)),
        } => Some(text.clone()),
        AnyValue {
            value: Some(any_value::Value::IntValue(number)),
        } => Some(number.to_string()),
        other => panic!("{name}: {other:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// The log line of the only webhook.
fn line(output: &[String]) -> Value {
    let lines = output
        .iter()
        .filter_map(|line| serde_json::from_str(line).ok());
    let mut matching = lines.filter(|line: &Value| line["outcome"].is_string());
    let line = matching.next().expect("there is a log line");
    assert!(matching.next().is_none(), "one webhook, one line");
    line
}

fn traced(flags: &str) -> Delivery {
    push().header("traceparent", format!("00-{TRACE}-{PARENT}-{flags}"))
}

#[tokio::test]
async fn the_last_span_is_exported_on_sigterm_with_all_attributes() {
    let collector = RecordingServer::collector();
    let harness = Harness::with(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url),
        ("OTEL_SERVICE_NAME", "webhooks-of-acme"),
    ])
    .await;
    let delivery = traced("01").id("the-key-of-this-delivery");
    assert_delivered(&harness.post(&delivery).await);
    harness.chat.take_message();
    let output = harness.finish();

    let spans = collector.spans();
    let [(resource, span)] = &spans[..] else {
        panic!("one webhook, one span: {spans:?}");
    };
    let service = resource.resource.as_ref().expect("is there");
    let service = text(&service.attributes, "service.name");
    assert_eq!(service.as_deref(), Some("webhooks-of-acme"));
    assert_eq!(hex(&span.trace_id), TRACE);
    assert_eq!(hex(&span.parent_span_id), PARENT);
    assert_eq!((span.name.as_str(), span.kind), ("POST /webhook", 2));
    assert!(span.end_time_unix_nano > span.start_time_unix_nano);
    assert_eq!(span.status.as_ref().map_or(0, |status| status.code), 0);
    let expected = [
        ("http.request.method", "POST"),
        ("http.route", "/webhook"),
        ("url.scheme", "http"),
        ("http.response.status_code", "200"),
        ("webhook.outcome", "delivered"),
        ("webhook.reason", "sent"),
        ("webhook.retries", "0"),
        ("webhook.kind", "push"),
        ("webhook.project", "acme/rocket"),
        ("webhook.sha", &SAMPLE_SHA[..8]),
        ("webhook.delivery_id", "the-key-of-this-delivery"),
    ];
    for (name, value) in expected {
        assert_eq!(
            text(&span.attributes, name).as_deref(),
            Some(value),
            "{name}"
        );
    }
    assert_eq!(
        span.attributes.len(),
        expected.len(),
        "{:?}",
        span.attributes
    );
    let line = line(&output);
    assert_eq!(line["trace_id"], TRACE);
    assert_eq!(line["span_id"], hex(&span.span_id));
}

#[tokio::test]
async fn a_failed_delivery_has_an_error_span() {
    let collector = RecordingServer::collector();
    let harness = Harness::with(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url)]).await;
    harness
        .chat
        .inject_fault_always(Route::SendMessage, Fault::Status(403));
    assert_eq!(harness.post(&push()).await.status, 503);
    let output = harness.finish();
    let spans = collector.spans();
    let [(_, span)] = &spans[..] else {
        panic!("one webhook, one span: {spans:?}");
    };
    assert_eq!(span.status.as_ref().map(|status| status.code), Some(2));
    let error = text(&span.attributes, "error.type");
    assert_eq!(error.as_deref(), Some("forbidden"));
    assert!(span.parent_span_id.is_empty(), "starts a new trace");
    assert_eq!(line(&output)["trace_id"], hex(&span.trace_id));
}

#[tokio::test]
async fn a_trace_that_the_sender_does_not_sample_is_not_exported() {
    let collector = RecordingServer::collector();
    let harness = Harness::with(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url)]).await;
    assert_delivered(&harness.post(&traced("00")).await);
    harness.chat.take_message();
    harness.finish();
    assert_eq!(collector.spans().len(), 0);
}

#[tokio::test]
async fn a_sampling_ratio_of_zero_exports_nothing() {
    let collector = RecordingServer::collector();
    let harness = Harness::with(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url),
        ("OTEL_TRACES_SAMPLER", "traceidratio"),
        ("OTEL_TRACES_SAMPLER_ARG", "0"),
    ])
    .await;
    assert_delivered(&harness.post(&traced("01")).await);
    harness.chat.take_message();
    harness.finish();
    assert_eq!(collector.spans().len(), 0);
}

#[tokio::test]
async fn configured_headers_are_sent_to_the_collector() {
    let collector = RecordingServer::collector();
    let harness = Harness::with(&[
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            &format!("{}/otlp/", collector.url),
        ),
        (
            "OTEL_EXPORTER_OTLP_HEADERS",
            "authorization=Bearer%20to+ken==,x-tenant=acme",
        ),
    ])
    .await;
    assert_delivered(&harness.post(&push()).await);
    harness.chat.take_message();
    harness.finish();
    let export = collector.next();
    assert!(
        export.head.starts_with("POST /otlp/v1/traces "),
        "{}",
        export.head
    );
    assert_eq!(export.header("authorization"), Some("Bearer to+ken=="));
    assert_eq!(export.header("x-tenant"), Some("acme"));
}

#[tokio::test]
async fn an_unresponsive_collector_delays_neither_webhooks_nor_shutdown() {
    // The kernel completes connections to this one, and nothing accepts them.
    let unresponsive = TcpListener::bind("127.0.0.1:0").expect("there are free ports");
    let unresponsive = format!("http://{}", unresponsive.local_addr().expect("has one"));
    for (endpoint, logged) in [
        ("http://127.0.0.1:9", "BatchSpanProcessor.ExportError"),
        (&unresponsive, "failed to export the last spans"),
    ] {
        let harness = Harness::with(&[("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)]).await;
        let posted = Instant::now();
        assert_delivered(&harness.post(&push()).await);
        assert!(posted.elapsed() < Duration::from_secs(2), "{endpoint}");
        harness.chat.take_message();
        let stopped = Instant::now();
        let output = harness.finish();
        assert!(stopped.elapsed() < Duration::from_secs(6), "{endpoint}");
        let is_logged = output.iter().any(|line| line.contains(logged));
        assert!(is_logged, "{endpoint}: {output:#?}");
    }
}

/// Returns the call to the chat server that a webhook causes, and the log line.
async fn call(settings: &[(&str, &str)], delivery: &Delivery) -> (Request, Value) {
    let chat = RecordingServer::answering(
        "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
    );
    let settings = [settings, &[("ROCKETCHAT_URL", chat.url.as_str())]].concat();
    let harness = Harness::with(&settings).await;
    assert_eq!(harness.post(delivery).await.status, 503);
    (chat.next(), line(&harness.finish()))
}

#[tokio::test]
async fn without_an_exporter_the_trace_context_is_propagated_unchanged() {
    let (call, line) = call(&[], &traced("01").header("tracestate", "vendor=1")).await;
    let same = format!("00-{TRACE}-{PARENT}-01");
    assert_eq!(call.header("traceparent"), Some(same.as_str()));
    assert_eq!(call.header("tracestate"), Some("vendor=1"));
    assert_eq!(line["trace_id"], TRACE);
    assert_eq!(line["span_id"], Value::Null, "no span is exported");
}

#[tokio::test]
async fn without_an_exporter_no_trace_is_started() {
    for delivery in [push(), push().header("traceparent", "00-nonsense-01")] {
        let (call, line) = call(&[], &delivery).await;
        assert_eq!(call.header("traceparent"), None);
        assert_eq!(line["trace_id"], Value::Null);
    }
}

#[tokio::test]
async fn outgoing_calls_are_children_of_the_span_of_the_webhook() {
    let collector = RecordingServer::collector();
    let settings = [("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url.as_str())];
    let (call, line) = call(&settings, &traced("01").header("tracestate", "vendor=1")).await;
    let span_id = line["span_id"].as_str().expect("is there").to_owned();
    assert_ne!(span_id, PARENT);
    let expected = format!("00-{TRACE}-{span_id}-01");
    assert_eq!(call.header("traceparent"), Some(expected.as_str()));
    assert_eq!(call.header("tracestate"), Some("vendor=1"));
    let spans = collector.spans();
    assert_eq!(hex(&spans[0].1.span_id), span_id);
}
