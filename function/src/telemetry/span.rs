//! The span of one webhook. Owns its name, its attributes and how it continues a trace that somebody
//! else began. Where spans go is [`otlp`](super::otlp)'s business.
//!
//! There is one span a webhook and none for the calls it makes: a span costs three microseconds, a
//! tenth of a webhook, and calls are measured in the metrics.

use opentelemetry::trace::{Status, TraceContextExt as _, TracerProvider as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use tracing::field::Empty;
use tracing::{Span, Subscriber};
use tracing_opentelemetry::{OpenTelemetryLayer, OpenTelemetrySpanExt as _};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::registry::LookupSpan;

use super::trace::TraceContext;
use crate::outcome::Report;

/// The spans that are exported, among those of all libraries.
const TARGET: &str = "webhook_app::webhook";

/// Turns our spans into OpenTelemetry's, without what we do not want to know: route_label lines, threads
/// and times of waiting.
pub(super) fn layer<S>(provider: &SdkTracerProvider) -> impl Layer<S> + use<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let layer: OpenTelemetryLayer<S, SdkTracer> =
        OpenTelemetryLayer::new(provider.tracer(env!("CARGO_PKG_NAME")));
    let ours = filter_fn(|metadata| metadata.is_span() && metadata.target() == TARGET);
    layer
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_target(false)
        .with_level(false)
        .with_context_activation(false)
        .with_filter(ours.with_max_level_hint(LevelFilter::INFO))
}

/// The span of a webhook under way; ends when it is dropped.
#[derive(Debug)]
pub struct WebhookSpan {
    _span: Span,
    context: Context,
}

impl WebhookSpan {
    /// Begins a span for `POST` on `route`, below the span that the sender named.
    pub fn begin(route: &'static str, parent: &TraceContext) -> Self {
        // What stays empty makes room: the library counts the fields, and copies the texts of others.
        let span = tracing::info_span!(
            target: TARGET,
            "POST",
            otel.kind = "server",
            http.request.method = Empty,
            http.route = Empty,
            url.scheme = Empty,
            http.response.status_code = Empty,
            webhook.outcome = Empty,
            webhook.reason = Empty,
            webhook.retries = Empty,
            webhook.kind = Empty,
            webhook.project = Empty,
            webhook.sha = Empty,
            webhook.delivery_id = Empty
        );
        // Fails only for spans that nobody exports.
        let _ = span.set_parent(parent.0.clone());
        let context = span.context();
        let begun = context.span();
        begun.update_name(match route {
            "/webhook" => "POST /webhook",
            _ => "POST /",
        });
        begun.set_attributes([
            KeyValue::new("http.request.method", "POST"),
            KeyValue::new("http.route", route),
            KeyValue::new("url.scheme", "http"),
        ]);
        Self {
            _span: span,
            context,
        }
    }

    /// The context of calls that are made for this webhook.
    pub fn context(&self) -> TraceContext {
        TraceContext(self.context.clone())
    }

    /// Tells what the webhook came to.
    pub fn record(&self, report: &Report) {
        let span = self.context.span();
        if !span.is_recording() {
            return;
        }
        let status = report.outcome.status();
        span.set_attributes(known(report));
        if status >= 500 {
            span.set_attribute(KeyValue::new("error.type", report.outcome.reason()));
            span.set_status(Status::error(""));
        }
    }

    /// Tells that the sender did not wait for the answer.
    pub fn record_disconnection(&self) {
        let span = self.context.span();
        span.set_attribute(KeyValue::new("error.type", "disconnected"));
        span.set_status(Status::error(""));
    }
}

fn known(report: &Report) -> impl Iterator<Item = KeyValue> {
    let text = |name: &'static str, text: Option<&str>| {
        text.map(|text| KeyValue::new(name, text.to_owned()))
    };
    let retries = i64::try_from(report.effort.retries).unwrap_or(i64::MAX);
    let always = [
        KeyValue::new(
            "http.response.status_code",
            i64::from(report.outcome.status()),
        ),
        KeyValue::new("webhook.outcome", report.outcome.label()),
        KeyValue::new("webhook.reason", report.outcome.reason()),
        KeyValue::new("webhook.retries", retries),
    ];
    let kind = report.kind.map(crate::gitlab::kind::Kind::label);
    let sha = report.sha.as_ref();
    let delivery_id = report.delivery_id.as_ref();
    let sometimes = [
        kind.map(|kind| KeyValue::new("webhook.kind", kind)),
        text("webhook.project", report.project.as_deref()),
        text(
            "webhook.sha",
            sha.map(crate::gitlab::commit::CommitSha::short),
        ),
        text(
            "webhook.delivery_id",
            delivery_id.map(crate::gitlab::idempotency_key::IdempotencyKey::as_str),
        ),
    ];
    always.into_iter().chain(sometimes.into_iter().flatten())
}
