//! What is told of a request once it has been answered. Owns the one log line of a webhook; how a
//! line is written is [`telemetry`](crate::telemetry)'s business.

use std::time::Duration;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use tokio::time::Instant;

use crate::outcome::{Failure, Outcome, Report};

/// Passes a request on and logs its report, if it has one.
pub async fn request(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let response = next.run(request).await;
    if let Some(report) = response.extensions().get::<Report>() {
        log(report, started.elapsed());
    }
    response
}

/// One line a webhook. `error` means that a person must act, `warn` that the sender must.
fn log(report: &Report, elapsed: Duration) {
    macro_rules! line {
        ($level:ident, $message:literal) => {
            tracing::$level!(
                outcome = report.outcome.label(),
                reason = report.outcome.reason(),
                status = report.outcome.status(),
                kind = report.kind.map(crate::gitlab::kind::Kind::label),
                project = report.project.as_deref(),
                sha = report
                    .sha
                    .as_ref()
                    .map(crate::gitlab::commit::CommitSha::short),
                delivery_id = report
                    .delivery_id
                    .as_ref()
                    .map(crate::gitlab::delivery_id::DeliveryId::as_str),
                message_id = message_id(&report.outcome),
                key_index = report.key_index,
                duration_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
                detail = detail(&report.outcome),
                $message
            )
        };
    }
    match &report.outcome {
        Outcome::Delivered { .. } => line!(info, "webhook delivered"),
        Outcome::Ignored(_) => line!(info, "webhook ignored"),
        Outcome::Failed(Failure::NotFound | Failure::MethodNotAllowed) => {
            line!(debug, "request refused");
        }
        Outcome::Failed(Failure::Refused(_) | Failure::Panic) => {
            line!(error, "webhook not delivered");
        }
        Outcome::Failed(_) => line!(warn, "webhook refused"),
    }
}

fn message_id(outcome: &Outcome) -> Option<&str> {
    match outcome {
        Outcome::Delivered { message_id, .. } => Some(message_id.as_str()),
        Outcome::Ignored(_) | Outcome::Failed(_) => None,
    }
}

fn detail(outcome: &Outcome) -> Option<String> {
    match outcome {
        // Why it was refused is for us; the sender was told what is expected instead.
        Outcome::Failed(Failure::Origin(error, _)) => Some(error.to_string()),
        Outcome::Failed(failure) => Some(failure.detail()),
        Outcome::Delivered { .. } | Outcome::Ignored(_) => None,
    }
}
