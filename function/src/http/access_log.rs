//! The one log line of a webhook. Owns its fields, its level and its words; how a line is written is
//! [`log`](crate::telemetry::log)'s business.

use std::time::Duration;

use crate::outcome::{Failure, Outcome, Report};

/// One line a webhook. `error` means that a person must act, `warn` that the sender must.
pub(super) fn log(report: &Report, elapsed: Duration) {
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
                    .map(crate::gitlab::idempotency_key::IdempotencyKey::as_str),
                message_id = message_id(&report.outcome),
                key_index = report.key_index,
                duration_ms = milliseconds(elapsed),
                detail = detail(&report.outcome),
                $message
            )
        };
    }
    match &report.outcome {
        Outcome::Delivered { .. } => line!(info, "webhook delivered"),
        Outcome::SkipReason(_) => line!(info, "webhook ignored"),
        Outcome::Failed(Failure::NotFound | Failure::MethodNotAllowed) => {
            line!(debug, "request refused");
        }
        Outcome::Failed(Failure::Refused(_) | Failure::Panic) => {
            line!(error, "webhook not delivered");
        }
        Outcome::Failed(_) => line!(warn, "webhook refused"),
    }
}

/// The sender hung up before the answer, so whether a message was stored is not known here. GitLab
/// shows a failure and may be told to send it again, which is safe.
pub(super) fn log_disconnection(elapsed: Duration) {
    tracing::warn!(
        outcome = "aborted",
        reason = "disconnected",
        duration_ms = milliseconds(elapsed),
        "webhook abandoned by its sender"
    );
}

fn milliseconds(elapsed: Duration) -> u64 {
    u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
}

fn message_id(outcome: &Outcome) -> Option<&str> {
    match outcome {
        Outcome::Delivered { message_id, .. } => Some(message_id.as_str()),
        Outcome::SkipReason(_) | Outcome::Failed(_) => None,
    }
}

fn detail(outcome: &Outcome) -> Option<String> {
    match outcome {
        // Why it was refused is for us; the sender was told what is expected instead.
        Outcome::Failed(Failure::Origin(error, _)) => Some(error.to_string()),
        Outcome::Failed(failure) => Some(failure.detail()),
        Outcome::Delivered { .. } | Outcome::SkipReason(_) => None,
    }
}
