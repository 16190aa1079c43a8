//! Middleware that records the metrics, the span and the log line of a request, once it was answered or
//! the client disconnected. Owns when they are recorded and from what: the report that the handler
//! leaves in the response. How they are exported is in [`telemetry`](crate::telemetry).

use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::Method as HttpMethod;
use axum::middleware::Next;
use axum::response::Response;
use tokio::time::Instant;
use tracing::Span;

use super::access_log;
use crate::outcome::Report;
use crate::telemetry::Telemetry;
use crate::telemetry::metrics::Metrics;
use crate::telemetry::metrics::labels::http::{Method, RouteLabel, ServerRequest};
use crate::telemetry::span;
use crate::telemetry::trace::TraceContext;

/// Handles a request in its trace context. A response without a report is not recorded.
pub(crate) async fn request(
    State(telemetry): State<Telemetry>,
    request: Request,
    next: Next,
) -> Response {
    let in_flight = InFlight::begin(&telemetry, &request);
    let context = in_flight.context.clone();
    let handled = context.scope(async move {
        let response = next.run(request).await;
        in_flight.finish(response.extensions().get::<Report>());
        response
    });
    handled.await
}

/// A request in progress. If it is dropped before it has finished, the client has disconnected.
struct InFlight {
    metrics: Arc<Metrics>,
    labels: ServerRequest,
    span: Span,
    context: TraceContext,
    started: Instant,
    ended: bool,
}

impl InFlight {
    fn begin(telemetry: &Telemetry, request: &Request) -> Self {
        let route = request.extensions().get::<MatchedPath>();
        let labels = ServerRequest {
            method: method(request.method()),
            route_label: route.and_then(|route| RouteLabel::of(route.as_str())),
            status: None,
        };
        if labels.is_webhook() {
            telemetry.metrics.begin();
        }
        let has_span = labels.is_webhook() || labels.is_redelivery();
        let route_label = labels.route_label.filter(|_| has_span);
        let parent = TraceContext::extract(request.headers());
        let traced = route_label.filter(|_| telemetry.is_tracing());
        let span = traced.map_or_else(Span::none, |label| span::begin(label.route(), &parent));
        Self {
            metrics: Arc::clone(&telemetry.metrics),
            labels,
            context: span::context(&span).unwrap_or(parent),
            span,
            started: Instant::now(),
            ended: false,
        }
    }

    fn finish(mut self, report: Option<&Report>) {
        self.ended = true;
        let Some(report) = report else {
            return;
        };
        let elapsed = self.started.elapsed();
        let labels = ServerRequest {
            status: Some(report.status()),
            ..self.labels
        };
        self.metrics.answered(labels, report, elapsed);
        span::record(&self.span, report);
        access_log::log(report, elapsed);
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if !self.labels.is_webhook() {
            return;
        }
        self.metrics.end();
        if !self.ended {
            let elapsed = self.started.elapsed();
            self.metrics.aborted(self.labels, elapsed);
            span::record_disconnection(&self.span);
            let _attached = self.context.attach();
            access_log::log_disconnection(elapsed);
        }
    }
}

fn method(method: &HttpMethod) -> Method {
    match *method {
        HttpMethod::GET => Method::Get,
        HttpMethod::POST => Method::Post,
        _ => Method::Other,
    }
}
