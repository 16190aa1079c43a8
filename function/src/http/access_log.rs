//! The log line of a webhook. Owns its fields, level and text. The format of a line is in `telemetry::log`.

use std::time::Duration;

use crate::gitlab::commit::CommitSha;
use crate::gitlab::idempotency_key::IdempotencyKey;
use crate::gitlab::kind::Kind;
use crate::limits::LIMITS;
use crate::notifier::routing::RedactedRecipient;
use crate::notifier::{PlanWarning, SkipReason};
use crate::outcome::{Failure, Outcome, Report};
use crate::send::{RecipientResult, SendError, SendResult};

/// Writes one line per webhook. Level `error` means that the administrator must act, `warn` that the
/// sender must.
pub(super) fn log(report: &Report, elapsed: Duration) {
    macro_rules! line {
        ($level:ident, $message:literal) => {
            tracing::$level!(
                outcome = report.outcome.label(),
                reason = report.outcome.reason(),
                status = report.status(),
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
        Outcome::HandedOff(_) => line!(warn, "webhook handed off to the broker"),
        Outcome::Skipped(_) => line!(info, "webhook skipped"),
        Outcome::DeadLetter => line!(info, "dead letter stored"),
        Outcome::PutAside(_) => line!(error, "message put aside as a dead letter"),
        Outcome::Failed(Failure::NotFound | Failure::MethodNotAllowed) => {
            line!(debug, "request rejected");
        }
        Outcome::Failed(Failure::Send(_) | Failure::Unreachable(_) | Failure::Panic) => {
            line!(error, "failed to deliver webhook");
        }
        Outcome::Failed(_) => line!(warn, "webhook rejected"),
    }
    for warning in &report.facts.warnings {
        log_warning(report, *warning);
    }
    for recipient in &report.facts.redacted {
        log_redacted(report, recipient);
    }
    let decides = |recipient: &&RecipientResult| Outcome::of(recipient) == report.outcome;
    for recipient in report
        .recipients
        .iter()
        .filter(|recipient| !decides(recipient))
    {
        log_missing(report, recipient);
    }
}

/// Recipients without a message, although the webhook did not fail because of them.
fn log_missing(report: &Report, recipient: &RecipientResult) {
    let (reason, advice) = match &recipient.result {
        SendResult::Unreachable(cause) => (cause.label(), cause.advice()),
        SendResult::Failed(SendError::IdTaken) => (
            "id_taken",
            "is skipped, because other messages have all IDs that this message can have; restrict who can read the log of the webhook in GitLab, and set a new MESSAGE_ID_SECRET",
        ),
        SendResult::Delivered { .. }
        | SendResult::Withheld
        | SendResult::Failed(_)
        | SendResult::Overloaded => return,
    };
    tracing::warn!(
        kind = report.facts.kind.map(Kind::label),
        delivery_id = delivery_id(report),
        recipient = recipient.destination.label(),
        reason,
        "a recipient got no message: the recipient {advice}"
    );
}

/// A recipient whose message a resend cannot bring, because GitLab does not record who it is.
fn log_redacted(report: &Report, recipient: &RedactedRecipient) {
    tracing::warn!(
        kind = report.facts.kind.map(Kind::label),
        project = report.facts.project.as_deref(),
        delivery_id = delivery_id(report),
        rule = recipient.rule,
        role = recipient.role,
        reason = SkipReason::RecipientRedacted.label(),
        "a recipient got no message, because GitLab redacts email addresses in the webhooks that it sends again; notify the person yourself"
    );
}

/// Changes to recipients or texts that the messages themselves do not show.
fn log_warning(report: &Report, warning: PlanWarning) {
    let kind = report.facts.kind.map(Kind::label);
    match warning {
        PlanWarning::RecipientsTruncated(count) => tracing::warn!(
            kind,
            delivery_id = delivery_id(report),
            left_out = count,
            limit = LIMITS.routing.max_recipients,
            "some recipients were not notified, because the rules in ROUTES match more than the limit; send to a room instead"
        ),
        PlanWarning::MentionsUnread => tracing::warn!(
            kind,
            delivery_id = delivery_id(report),
            "the end of the text was not read, so users whom it mentions were not notified; shorten the text, or send to a room instead"
        ),
        PlanWarning::TemplateFailed => tracing::warn!(
            kind,
            delivery_id = delivery_id(report),
            "a template in MESSAGES failed, so the built-in message was used; test it with webhook-app render"
        ),
        PlanWarning::OccurredAt(error) => tracing::warn!(
            kind,
            delivery_id = delivery_id(report),
            reason = error.label(),
            "expected a time of the last 14 days such as 2026-03-02T10:02:00Z in webhook_app.occurred_at, found another value; the message does not say when the event occurred; only webhook-app reconcile should set this field"
        ),
        PlanWarning::UndatedPipeline => tracing::warn!(
            kind,
            delivery_id = delivery_id(report),
            "expected a time such as 2026-03-02 10:02:00 UTC or +0200 in object_attributes.finished_at, found none; the message shows the pipeline's status that arrived last, which may not be its latest; a custom webhook template must keep the field"
        ),
    }
}

/// The client disconnected before the response, so it is unknown whether the message was stored. GitLab
/// shows a failure, and sending the webhook again is safe.
pub(super) fn log_disconnection(elapsed: Duration) {
    tracing::warn!(
        outcome = "aborted",
        reason = "disconnected",
        duration_ms = milliseconds(elapsed),
        "client disconnected before the response"
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
        Outcome::HandedOff(_)
        | Outcome::Skipped(_)
        | Outcome::DeadLetter
        | Outcome::PutAside(_)
        | Outcome::Failed(_) => None,
    }
}

fn detail(outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::HandedOff(failure) | Outcome::PutAside(failure) | Outcome::Failed(failure) => {
            Some(failure.detail())
        }
        Outcome::Delivered { .. } | Outcome::Skipped(_) | Outcome::DeadLetter => None,
    }
}
