//! Serves the same routes on AWS Lambda, behind function URLs, API Gateway (REST and HTTP) and load
//! balancers. Owns the differences from `server`: no port, no signals and no graceful shutdown, and the
//! process is frozen between events, so that work after the response may never finish.
//!
//! An event has at most 6 MB, its JSON and base64 included, or 1 MB behind a load balancer, where the
//! server accepts bodies of 25 MiB. AWS itself rejects larger ones.

use std::convert::Infallible;
use std::fmt::Display;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Bytes;
use axum::http::header::{CONNECTION, HOST};
use axum::http::{HeaderValue, Response, Uri};
use http_body_util::{BodyExt as _, Full};
use lambda_http::request::{LambdaRequest, RequestContext};
use lambda_http::tower::ServiceExt as _;
use lambda_http::{Adapter, LambdaEvent, Request, RequestExt as _, Service as _, service_fn};
use tokio::runtime::Builder;

mod repeated_headers;

use crate::bootstrap::{self, SetupError};
use crate::config::{self, Config};
use crate::exit::{USAGE, print_error};
use crate::http::health::Readiness;
use crate::http::router::router;
use crate::telemetry::Telemetry;

/// Variables that Lambda sets for every function; its runtime library panics if one is missing.
const LAMBDA_VARIABLES: [&str; 4] = [
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_VERSION",
];

/// Handles events until Lambda ends the process.
pub fn serve(mut config: Config, warnings: &[String]) -> ExitCode {
    let variables = config::environment();
    if let Some(missing) = LAMBDA_VARIABLES
        .iter()
        .find(|name| !variables.contains_key(**name))
    {
        print_error(&format!(
            "expected the variable {missing}, which AWS Lambda sets, found none; outside of Lambda run webhook-app instead\n"
        ));
        return ExitCode::from(USAGE);
    }
    // Lambda has no port that could be scraped.
    config.telemetry.metrics = false;
    // A line must be written before the response: Lambda freezes the process after it.
    config.telemetry.log_thread = false;
    let telemetry = match bootstrap::telemetry(&config, warnings) {
        Ok(telemetry) => telemetry,
        Err(error) => return failed(&error),
    };
    let result = Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(lambda_http::Error::from)
        .and_then(|runtime| runtime.block_on(run(config, telemetry)));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

fn failed(error: &dyn Display) -> ExitCode {
    print_error(&format!("failed to handle events: {error}\n"));
    ExitCode::FAILURE
}

async fn run(config: Config, telemetry: Telemetry) -> Result<(), lambda_http::Error> {
    let limit = config.delivery_timeout;
    let app = routes(config, &telemetry)?;
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "waiting for events");
    let handler =
        service_fn(move |event: Request| handle(app.clone(), event, limit, telemetry.clone()));
    let mut adapter = Adapter::from(handler);
    let handler = service_fn(move |mut event: LambdaEvent<LambdaRequest>| {
        repeated_headers::keep(&mut event.payload);
        adapter.call(event)
    });
    lambda_http::lambda_runtime::run(handler).await
}

fn routes(config: Config, telemetry: &Telemetry) -> Result<Router, SetupError> {
    let readiness = Readiness::default();
    // Lambda sends no event before the runtime asks for the first one.
    readiness.set(true);
    let state = Arc::new(bootstrap::state(config, telemetry)?);
    Ok(router(state, &readiness, telemetry))
}

async fn handle(
    app: Router,
    event: Request,
    limit: Duration,
    telemetry: Telemetry,
) -> Result<Response<Full<Bytes>>, Infallible> {
    warn_about_timeout(&event, limit);
    let response = app.oneshot(with_host(without_stage(event))).await?;
    let (mut parts, body) = response.into_parts();
    // Connections end at the gateway.
    parts.headers.remove(CONNECTION);
    // The body is already in memory, so collecting it cannot fail.
    let body = body.collect().await.unwrap_or_default().to_bytes();
    // Lambda freezes the process once the response is sent, perhaps forever.
    telemetry.flush();
    Ok(Response::from_parts(parts, Full::new(body)))
}

/// If Lambda ends the function before the delivery times out, GitLab does not learn the result.
fn warn_about_timeout(event: &Request, limit: Duration) {
    let Some(context) = event.lambda_context_ref() else {
        return;
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let left = Duration::from_millis(context.deadline).saturating_sub(now.unwrap_or_default());
    // An emulator without a timeout sends a deadline of zero.
    if left < limit && !left.is_zero() {
        let left_seconds = left.as_secs();
        let delivery_seconds = limit.as_secs();
        tracing::warn!(
            left_seconds,
            delivery_seconds,
            "the timeout of this Lambda function is shorter than DELIVERY_TIMEOUT_SECONDS; set it to 10 seconds"
        );
    }
}

/// Adds the header `Host`, which the gateway has checked, but which an event may lack.
fn with_host(mut event: Request) -> Request {
    let host = HeaderValue::from_static("lambda");
    event.headers_mut().entry(HOST).or_insert(host);
    event
}

/// Removes the name of the stage, which API Gateway puts before the path, as in `/prod/webhook`.
fn without_stage(mut event: Request) -> Request {
    let stage = match event.request_context_ref() {
        Some(RequestContext::ApiGatewayV1(context)) => context.stage.as_deref(),
        Some(RequestContext::ApiGatewayV2(context)) => context.stage.as_deref(),
        _ => None,
    };
    let path = stage.and_then(|stage| {
        let path = event.uri().path().strip_prefix('/')?;
        match path.strip_prefix(stage)? {
            "" => Some("/".to_owned()),
            path => path.starts_with('/').then(|| path.to_owned()),
        }
    });
    if let Some(uri) = path.and_then(|path| Uri::try_from(path).ok()) {
        *event.uri_mut() = uri;
    }
    event
}
