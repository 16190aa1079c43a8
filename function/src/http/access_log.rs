//! The one log line per webhook. Owns its fields, its level and its text; how a line is written is in
//! [`log`](crate::telemetry::log).

use std::time::Duration;

use crate::gitlab::commit::CommitSha;
use crate::gitlab::idempotency_key::IdempotencyKey;
use crate::gitlab::kind::Kind;
use crate::limits::LIMITS;
use crate::notifier::PlanWarning;
use crate::outcome::{Failure, Outcome, Report};

/// One line per webhook. `error` means that the operator must act, `warn` that the sender must.
pub(super) fn log(report: &Report, elapsed: Duration) {
    macro_rules! line {
        ($level:ident, $message:literal) => {
            tracing::$level!(
                outcome = report.outcome.label(),
                reason = report.outcome.reason(),
                status = report.outcome.status(),
                kind = report.facts.kind.map(Kind::label),
                project = report.facts.project.as_deref(),
                sha = report.facts.sha.as_ref().map(CommitSha::short),
                delivery_id = delivery_id(report),
                message_id = message_id(&report.outcome),
                key_index = report.facts.authentication.map(|it| it.key_index),
                duration_ms = milliseconds(elapsed),
                detail = detail(&report.outcome),
                $message
            )
        };
    }
    match &report.outcome {
        Outcome::Delivered { .. } => line!(info, "webhook delivered"),
        Outcome::Skipped(_) => line!(info, "webhook ignored"),
        Outcome::Failed(Failure::NotFound | Failure::MethodNotAllowed) => {
            line!(debug, "request refused");
        }
        Outcome::Failed(Failure::Send(_) | Failure::Panic) => {
            line!(error, "webhook not delivered");
        }
        Outcome::Failed(_) => line!(warn, "webhook refused"),
    }
    for warning in &report.facts.warnings {
        log_warning(report, *warning);
    }
}

/// What changed who got what, and that nobody sees in the messages.
fn log_warning(report: &Report, warning: PlanWarning) {
    let kind = report.facts.kind.map(Kind::label);
    match warning {
        PlanWarning::RecipientsTruncated(count) => tracing::warn!(
            kind,
            delivery_id = delivery_id(report),
            left_out = count,
            limit = LIMITS.routing.max_recipients,
            "recipients left out: the rules of ROUTES name more than the limit; name a room instead"
        ),
        PlanWarning::TemplateFailed => tracing::warn!(
            kind,
            delivery_id = delivery_id(report),
            "template of MESSAGES failed, built-in message sent; try it on the event with webhook-app render"
        ),
    }
}

/// The sender disconnected before the response, so whether a message was stored is not known here. GitLab
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

fn delivery_id(report: &Report) -> Option<&str> {
    report
        .facts
        .idempotency_key
        .as_ref()
        .map(IdempotencyKey::as_str)
}

fn message_id(outcome: &Outcome) -> Option<&str> {
    match outcome {
        Outcome::Delivered { message_id, .. } => Some(message_id.as_str()),
        Outcome::Skipped(_) | Outcome::Failed(_) => None,
    }
}

fn detail(outcome: &Outcome) -> Option<String> {
    match outcome {
        // Why it was rejected is for the operator; the sender reads what was expected.
        Outcome::Failed(Failure::Origin(error, _)) => Some(error.to_string()),
        Outcome::Failed(failure) => Some(failure.detail()),
        Outcome::Delivered { .. } | Outcome::Skipped(_) => None,
    }
}
