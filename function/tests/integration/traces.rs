//! Traces from end to end: what arrives is passed on, what is exported is what happened, and
//! nothing is made up where nobody asked for it.

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

/// Far longer than the function takes to give up.
const PATIENCE: Duration = Duration::from_secs(20);

/// One request as it came over the wire.
struct Heard {
    head: String,
    body: Vec<u8>,
}

impl Heard {
    /// The value of a header.
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// A server that gives every request the same answer and tells what it heard.
struct Listener {
    url: String,
    heard: Receiver<Heard>,
}

impl Listener {
    fn answering(answer: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there are free ports");
        let url = format!("http://{}", listener.local_addr().expect("has one"));
        let (sender, heard) = mpsc::channel();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let Some(request) = hear(stream, answer) else {
                    continue;
                };
                if sender.send(request).is_err() {
                    return;
                }
            }
        });
        Self { url, heard }
    }

    /// A collector that takes everything.
    fn collector() -> Self {
        Self::answering(
            "HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        )
    }

    fn next(&self) -> Heard {
        self.heard.recv_timeout(PATIENCE).expect("hears something")
    }

    /// Everything that was exported until the function ended.
    fn spans(&self) -> Vec<(ResourceSpans, Span)> {
        let requests = self.heard.try_iter();
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

fn hear(stream: TcpStream, answer: &str) -> Option<Heard> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let mut request = Heard {
        head,
        body: Vec::new(),
    };
    let length = request.header("content-length").map_or(Ok(0), str::parse);
    request.body.resize(length.ok()?, 0);
    reader.read_exact(&mut request.body).ok()?;
    reader.into_inner().write_all(answer.as_bytes()).ok()?;
    Some(request)
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

/// The line of the only webhook.
fn line(output: &[String]) -> Value {
    let lines = output
        .iter()
        .filter_map(|line| serde_json::from_str(line).ok());
    let mut told = lines.filter(|line: &Value| line["outcome"].is_string());
    let line = told.next().expect("there is a line");
    assert!(told.next().is_none(), "one webhook, one line");
    line
}

fn traced(flags: &str) -> Delivery {
    push().header("traceparent", format!("00-{TRACE}-{PARENT}-{flags}"))
}

#[tokio::test]
async fn the_last_span_leaves_on_sigterm_and_tells_what_happened() {
    let collector = Listener::collector();
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
async fn a_webhook_that_was_not_delivered_is_an_error_in_its_trace() {
    let collector = Listener::collector();
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
    assert!(span.parent_span_id.is_empty(), "it begins a trace");
    assert_eq!(line(&output)["trace_id"], hex(&span.trace_id));
}

#[tokio::test]
async fn a_sender_who_keeps_no_trace_is_followed() {
    let collector = Listener::collector();
    let harness = Harness::with(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url)]).await;
    assert_delivered(&harness.post(&traced("00")).await);
    harness.chat.take_message();
    harness.finish();
    assert_eq!(collector.spans().len(), 0);
}

#[tokio::test]
async fn a_share_of_nothing_keeps_nothing() {
    let collector = Listener::collector();
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
async fn a_collector_may_ask_for_a_token() {
    let collector = Listener::collector();
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
async fn a_collector_that_does_not_answer_delays_neither_webhooks_nor_the_end() {
    // Connections to this one are made by the kernel and never taken.
    let silent = TcpListener::bind("127.0.0.1:0").expect("there are free ports");
    let silent = format!("http://{}", silent.local_addr().expect("has one"));
    for endpoint in ["http://127.0.0.1:9", &silent] {
        let harness = Harness::with(&[("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)]).await;
        let posted = Instant::now();
        assert_delivered(&harness.post(&push()).await);
        assert!(posted.elapsed() < Duration::from_secs(2), "{endpoint}");
        harness.chat.take_message();
        let stopped = Instant::now();
        let output = harness.finish();
        assert!(stopped.elapsed() < Duration::from_secs(6), "{endpoint}");
        let lost = output.iter().any(|line| line.contains("lost"));
        assert!(lost, "{endpoint}: {output:#?}");
    }
}

/// The call that a webhook leads to, by a function with these settings.
async fn call(settings: &[(&str, &str)], delivery: &Delivery) -> (Heard, Value) {
    let chat = Listener::answering(
        "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
    );
    let settings = [settings, &[("ROCKETCHAT_URL", chat.url.as_str())]].concat();
    let harness = Harness::with(&settings).await;
    assert_eq!(harness.post(delivery).await.status, 503);
    (chat.next(), line(&harness.finish()))
}

#[tokio::test]
async fn without_spans_of_our_own_the_trace_of_the_sender_is_passed_on() {
    let (call, line) = call(&[], &traced("01").header("tracestate", "vendor=1")).await;
    let same = format!("00-{TRACE}-{PARENT}-01");
    assert_eq!(call.header("traceparent"), Some(same.as_str()));
    assert_eq!(call.header("tracestate"), Some("vendor=1"));
    assert_eq!(line["trace_id"], TRACE);
    assert_eq!(line["span_id"], Value::Null, "there is no span of ours");
}

#[tokio::test]
async fn nobody_makes_up_a_trace() {
    for delivery in [push(), push().header("traceparent", "00-nonsense-01")] {
        let (call, line) = call(&[], &delivery).await;
        assert_eq!(call.header("traceparent"), None);
        assert_eq!(line["trace_id"], Value::Null);
    }
}

#[tokio::test]
async fn calls_belong_to_the_span_of_their_webhook() {
    let collector = Listener::collector();
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
