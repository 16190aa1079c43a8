//! Routes and middleware. Owns which handler serves a path, and the layers that every request passes
//! through. The handler of webhooks is in `webhook`.

use std::any::Any;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::header::{CONNECTION, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use tower_http::catch_panic::CatchPanicLayer;

use super::forwarded::is_forwarded;
use super::health::{self, Readiness};
use super::telemetry_layer;
use super::webhook::{AppState, receive};
use super::{dead_letters, redelivery};
use crate::outcome::{Facts, Failure, Outcome, Report};
use crate::telemetry::Telemetry;

/// The type of metrics: text 0.0.4, which every Prometheus accepts.
const TEXT: (HeaderName, HeaderValue) = (
    CONTENT_TYPE,
    HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"),
);

/// The routes of the webhook port: webhooks, notifications that come back from a broker, and health checks.
pub fn router(state: Arc<AppState>, readiness: &Readiness, telemetry: &Telemetry) -> Router {
    let webhook = || post(receive).fallback(method_not_allowed);
    let routes = Router::new()
        .route("/webhook", webhook())
        // People add the slash, and GitLab would count a redirect as success.
        .route("/webhook/", webhook())
        .route("/", webhook().get(index));
    let redelivery = post(redelivery::receive).fallback(method_not_allowed);
    let routes = if state.hand_off.is_some() {
        routes.route("/deliver", redelivery)
    } else {
        routes
    };
    let dead_letters = post(dead_letters::receive).fallback(method_not_allowed);
    let routes = if state.dead_letters.is_some() {
        routes.route("/dead-letters", dead_letters)
    } else {
        routes
    };
    let routes = routes.with_state(state).fallback(not_found);
    // Added after the telemetry layer: probes are frequent and need no metrics.
    layered(routes, telemetry)
        .merge(health::routes(readiness))
        .layer(middleware::map_response(close_after_failure))
}

fn layered(routes: Router, telemetry: &Telemetry) -> Router {
    routes
        // Innermost: a panic becomes a report like any other.
        .layer(CatchPanicLayer::custom(panicked))
        // Outermost: records the result of every request.
        .layer(middleware::from_fn_with_state(
            telemetry.clone(),
            telemetry_layer::request,
        ))
}

/// Keeps a connection only after a request that was authenticated and parsed. An unauthenticated client
/// could occupy it with cheap requests, and after a rejected request the unread rest of its body could be
/// parsed as the next one.
async fn close_after_failure(mut response: Response) -> Response {
    let report = response.extensions().get::<Report>();
    let is_trusted = report.is_some_and(|report| report.outcome.is_trusted());
    if !is_trusted {
        let headers = response.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// The routes of the admin port.
pub fn admin(readiness: &Readiness, telemetry: &Telemetry) -> Router {
    let routes = health::routes(readiness).merge(metrics(telemetry));
    routes.fallback(not_found)
}

/// The routes of the admin port of a command that renders its metrics itself, if it has any.
pub(crate) fn admin_with<F>(readiness: &Readiness, page: Option<F>) -> Router
where
    F: Fn() -> String + Clone + Send + Sync + 'static,
{
    let routes = health::routes(readiness);
    let routes = match page {
        Some(page) => routes.route("/metrics", get(move || async move { ([TEXT], page()) })),
        None => routes,
    };
    routes.fallback(not_found)
}

/// The route that Prometheus scrapes; none if metrics are disabled.
///
/// The format is always text 0.0.4, because the library supports no other; every Prometheus accepts
/// it.
pub fn metrics(telemetry: &Telemetry) -> Router {
    let metrics = Arc::clone(&telemetry.metrics);
    if !metrics.is_counting() {
        return Router::new();
    }
    let render = move || async move { ([TEXT], metrics.render().unwrap_or_default()) };
    let routes = Router::new().route("/metrics", get(render));
    // Without an admin port, the webhook port serves this route, and clients must not keep connections.
    routes.layer(middleware::map_response(close_after_failure))
}

/// Routes of a port that also serves the internet, such as the only port of a Knative pod: a request that
/// came through a proxy gets the response of an unknown path.
///
/// Health checks have no such layer, because load balancers check the health through proxies too.
pub fn direct_only(routes: Router) -> Router {
    routes.layer(middleware::from_fn(async |request: Request, next: Next| {
        if is_forwarded(request.headers()) {
            not_found().await.into_response()
        } else {
            next.run(request).await
        }
    }))
}

async fn index() -> &'static str {
    concat!(
        "webhook-app ",
        env!("CARGO_PKG_VERSION"),
        ": sends the commits of GitLab webhooks to a Rocket.Chat user; POST /webhook\n"
    )
}

fn rejected(failure: Failure) -> Report {
    Report::new(Facts::default(), Outcome::Failed(failure))
}

async fn not_found() -> Report {
    rejected(Failure::NotFound)
}

async fn method_not_allowed() -> Report {
    rejected(Failure::MethodNotAllowed)
}

/// The panic hook logs the location; the message of the panic may contain a payload.
fn panicked(_: Box<dyn Any + Send>) -> Response {
    rejected(Failure::Panic).into_response()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::{Request, StatusCode};
    use tower::ServiceExt as _;

    use super::*;

    #[tokio::test]
    async fn a_panic_costs_one_request_and_shows_nothing() {
        async fn handler() -> &'static str {
            panic!("canary-payload")
        }
        let telemetry = Telemetry::of_test();
        let app = layered(
            Router::new()
                .route("/", post(handler))
                .route("/fine", post(index)),
            &telemetry,
        );
        let post_to = |path| {
            app.clone()
                .oneshot(Request::post(path).body(Body::empty()).unwrap())
        };
        let response = post_to("/").await.unwrap();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let report = response.extensions().get::<Report>().unwrap();
        assert_eq!(report.outcome, Outcome::Failed(Failure::Panic));
        let body = axum::body::to_bytes(response.into_body(), 4096)
            .await
            .unwrap();
        assert!(!String::from_utf8_lossy(&body).contains("canary"));
        assert_eq!(post_to("/fine").await.unwrap().status(), StatusCode::OK);
        let metrics = telemetry.metrics.render().unwrap();
        let labels = r#"{http_request_method="POST",url_scheme="http"}"#;
        assert!(metrics.contains(&format!("http_server_active_requests{labels} 0\n")));
        let counted = r#"webhook_deliveries_total{outcome="failed",reason="panic"} 1"#;
        assert!(metrics.contains(counted));
    }
}
