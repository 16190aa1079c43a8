//! The same routes behind AWS Lambda: function URLs, API Gateway (REST and HTTP) and load balancers.
//! Owns what differs from a server of one's own: there is no port, no signal and no drain, the
//! process sleeps between events, and whatever is not done when the answer leaves may never be.
//!
//! An event holds 6 MB at most, its JSON and base64 included, where a server takes 25 MiB; a load
//! balancer sends 1 MB. AWS answers larger ones itself.

use std::convert::Infallible;
use std::fmt::Display;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Bytes;
use axum::http::header::CONNECTION;
use axum::http::{Response, Uri};
use http_body_util::{BodyExt as _, Full};
use lambda_http::request::RequestContext;
use lambda_http::tower::ServiceExt as _;
use lambda_http::{Request, RequestExt as _, service_fn};
use tokio::runtime::Builder;

use crate::bootstrap;
use crate::config::{self, Config};
use crate::exit::{USAGE, print_error};
use crate::http::health::Readiness;
use crate::http::router::router;
use crate::rocketchat::client::ClientError;
use crate::telemetry::Telemetry;

/// What Lambda sets for every function; its runtime library panics where one is missing.
const FROM_LAMBDA: [&str; 4] = [
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_VERSION",
];

/// Takes events until Lambda ends the process.
pub fn serve(mut config: Config, warnings: &[String]) -> ExitCode {
    let variables = config::environment();
    if let Some(missing) = FROM_LAMBDA
        .iter()
        .find(|name| !variables.contains_key(**name))
    {
        print_error(&format!(
            "expected to be started by AWS Lambda, which sets {missing}; the program webhook-app is a server of its own\n"
        ));
        return ExitCode::from(USAGE);
    }
    // There is no port to read them from.
    config.telemetry.metrics = false;
    let telemetry = match bootstrap::telemetry(&config, warnings) {
        Ok(telemetry) => telemetry,
        Err(error) => return failed(&error),
    };
    let ended = Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(lambda_http::Error::from)
        .and_then(|runtime| runtime.block_on(run(config, telemetry)));
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

fn failed(error: &dyn Display) -> ExitCode {
    print_error(&format!("failed to take events: {error}\n"));
    ExitCode::FAILURE
}

async fn run(config: Config, telemetry: Telemetry) -> Result<(), lambda_http::Error> {
    let limit = config.delivery_timeout;
    let app = routes(config, &telemetry)?;
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "waiting for events");
    let handler =
        service_fn(move |event: Request| answer(app.clone(), event, limit, telemetry.clone()));
    lambda_http::runtime(handler).run().await
}

fn routes(config: Config, telemetry: &Telemetry) -> Result<Router, ClientError> {
    let readiness = Readiness::default();
    // Lambda sends nothing before it is asked for the first event.
    readiness.set(true);
    let state = Arc::new(bootstrap::state(config, telemetry)?);
    Ok(router(state, &readiness, telemetry))
}

async fn answer(
    app: Router,
    event: Request,
    limit: Duration,
    telemetry: Telemetry,
) -> Result<Response<Full<Bytes>>, Infallible> {
    warn_of_early_end(&event, limit);
    let response = app.oneshot(without_stage(event)).await?;
    let (mut parts, body) = response.into_parts();
    // There is a gateway between this answer and any connection.
    parts.headers.remove(CONNECTION);
    // Our bodies are in memory already, so that collecting one cannot fail.
    let body = body.collect().await.unwrap_or_default().to_bytes();
    // The process sleeps from the moment the answer leaves, perhaps for good.
    telemetry.flush();
    Ok(Response::from_parts(parts, Full::new(body)))
}

/// A function that Lambda ends before its own time is up tells GitLab nothing of what happened.
fn warn_of_early_end(event: &Request, limit: Duration) {
    let Some(context) = event.lambda_context_ref() else {
        return;
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let left = Duration::from_millis(context.deadline).saturating_sub(now.unwrap_or_default());
    // No time at all is an emulator's way to say that it sets no limit.
    if left < limit && !left.is_zero() {
        let left_seconds = left.as_secs();
        let delivery_seconds = limit.as_secs();
        tracing::warn!(
            left_seconds,
            delivery_seconds,
            "Lambda ends this function before DELIVERY_TIMEOUT_SECONDS; set its timeout to 10 seconds"
        );
    }
}

/// API Gateway puts the name of a stage before the path, as in `/prod/webhook`; our routes know of
/// no stages.
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
