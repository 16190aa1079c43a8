//! The span of one webhook. Owns its name, its parent and its attributes, which are fields of a
//! `tracing` span. Where spans are exported to is in [`otlp`](super::otlp).
//!
//! Each webhook has one span. Its calls have none: a span costs three microseconds, a tenth of a
//! webhook, and calls are measured by the metrics.

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use tracing::field::Empty;
use tracing::{Span, Subscriber};
use tracing_opentelemetry::{OpenTelemetryLayer, OpenTelemetrySpanExt as _};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::registry::LookupSpan;

use super::trace::TraceContext;
use crate::gitlab::commit::CommitSha;
use crate::gitlab::idempotency_key::IdempotencyKey;
use crate::gitlab::kind::Kind;
use crate::outcome::Report;

/// Exports the spans of this file, and none of libraries, without attributes that are the same in
/// all of them: lines of code, threads and levels.
pub(super) fn layer<S>(provider: &SdkTracerProvider) -> impl Layer<S> + use<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let layer: OpenTelemetryLayer<S, SdkTracer> =
        OpenTelemetryLayer::new(provider.tracer(env!("CARGO_PKG_NAME")));
    let exported = filter_fn(|metadata| metadata.is_span() && metadata.target() == module_path!());
    layer
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_target(false)
        .with_level(false)
        .with_context_activation(false)
        .with_filter(exported.with_max_level_hint(LevelFilter::INFO))
}

/// Begins the span of a webhook that was posted to `route`.
pub(crate) fn begin(route: &'static str, parent: &TraceContext) -> Span {
    let span = tracing::info_span!(
        "POST",
        otel.kind = "server",
        otel.name = %format_args!("POST {route}"),
        otel.status_code = Empty,
        http.request.method = "POST",
        http.route = route,
        url.scheme = "http",
        http.response.status_code = Empty,
        error.type = Empty,
        webhook.outcome = Empty,
        webhook.reason = Empty,
        webhook.retries = Empty,
        webhook.kind = Empty,
        webhook.project = Empty,
        webhook.sha = Empty,
        webhook.delivery_id = Empty
    );
    // Fails only if no exporter is configured.
    let _ = span.set_parent(parent.0.clone());
    span
}

/// The context of calls that are made within `span`; `None` if it is disabled.
pub(crate) fn context(span: &Span) -> Option<TraceContext> {
    (!span.is_disabled()).then(|| TraceContext(span.context()))
}

/// Records the result of the webhook. One call per field would take 5,000 more instructions.
pub(crate) fn record(span: &Span, report: &Report) {
    let outcome = &report.outcome;
    let facts = &report.facts;
    let status = report.status();
    let error_type = (status >= 500).then(|| outcome.reason());
    tracing::record_all!(
        span,
        otel.status_code = error_type.map(|_| "error"),
        http.response.status_code = i64::from(status),
        error.type = error_type,
        webhook.outcome = outcome.label(),
        webhook.reason = outcome.reason(),
        webhook.retries = i64::try_from(report.attempts().retries).unwrap_or(i64::MAX),
        webhook.kind = facts.kind.map(Kind::label),
        webhook.project = facts.project.as_deref(),
        webhook.sha = facts.sha.as_ref().map(CommitSha::short),
        webhook.delivery_id = facts.idempotency_key.as_ref().map(IdempotencyKey::as_str)
    );
}

/// Records that the client disconnected before the response.
pub(crate) fn record_disconnection(span: &Span) {
    tracing::record_all!(
        span,
        otel.status_code = "error",
        error.type = "disconnected"
    );
}
