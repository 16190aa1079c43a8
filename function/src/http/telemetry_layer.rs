//! What is told of a request once it has been answered, and of one that never was. Owns the moment:
//! counts, span and log line are made here, from the report that the handler left. How they are
//! written is [`telemetry`](crate::telemetry)'s business.

use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::Method as HttpMethod;
use axum::middleware::Next;
use axum::response::Response;
use tokio::time::Instant;

use super::access_log;
use crate::outcome::Report;
use crate::telemetry::Telemetry;
use crate::telemetry::metrics::Metrics;
use crate::telemetry::metrics::labels::http::{Method, RouteLabel, Served};
use crate::telemetry::span::WebhookSpan;
use crate::telemetry::trace::{self, TraceContext};

/// Passes a request on and tells what came of it. One without a report is nobody's business.
pub async fn request(State(telemetry): State<Telemetry>, request: Request, next: Next) -> Response {
    let arrived = TraceContext::arrived(request.headers());
    let watch = InFlight::begin(&telemetry, &request, arrived.as_ref());
    let place = watch.span.as_ref().map_or(arrived, WebhookSpan::place);
    trace::within(place, async move {
        let response = next.run(request).await;
        watch.finish(response.extensions().get::<Report>());
        response
    })
    .await
}

/// A request under way. When it is dropped before its end, its sender went away.
struct InFlight {
    metrics: Arc<Metrics>,
    request: Served,
    span: Option<WebhookSpan>,
    started: Instant,
    ended: bool,
}

impl InFlight {
    fn begin(telemetry: &Telemetry, request: &Request, arrived: Option<&TraceContext>) -> Self {
        let route = request.extensions().get::<MatchedPath>();
        let served = Served {
            method: method(request.method()),
            route_label: route.and_then(|route| RouteLabel::of(route.as_str())),
            status: None,
        };
        let route_label = served.route_label.filter(|_| served.is_webhook());
        if route_label.is_some() {
            telemetry.metrics.begin();
        }
        let traced = route_label.filter(|_| telemetry.is_tracing());
        Self {
            metrics: Arc::clone(&telemetry.metrics),
            request: served,
            span: traced.map(|route_label| WebhookSpan::begin(route_label.route(), arrived)),
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
        let request = Served {
            status: Some(report.outcome.status()),
            ..self.request
        };
        self.metrics.answered(request, report, elapsed);
        if let Some(span) = &self.span {
            span.record(report);
        }
        access_log::log(report, elapsed);
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if !self.request.is_webhook() {
            return;
        }
        self.metrics.end();
        if !self.ended {
            let elapsed = self.started.elapsed();
            self.metrics.aborted(self.request, elapsed);
            if let Some(span) = &self.span {
                span.record_disconnection();
            }
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
