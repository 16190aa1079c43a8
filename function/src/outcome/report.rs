//! The report on a handled webhook, for its response, the log and the metrics. Owns how the results
//! of several recipients become one outcome; the status and the labels of an outcome are in
//! [`outcome`](super).

use std::time::Duration;

use super::{Failure, Outcome};
use crate::gitlab::commit::CommitSha;
use crate::gitlab::idempotency_key::IdempotencyKey;
use crate::gitlab::kind::Kind;
use crate::gitlab::verification::Authentication;
use crate::notifier::notification::RecipientSource;
use crate::notifier::routing::RedactedRecipient;
use crate::notifier::{PlanWarning, SkipReason};
use crate::send::{Attempts, HandOffResult, RecipientResult, SendError, SendResult};

/// A handled webhook.
#[derive(Clone, Debug)]
pub struct Report {
    /// What is known about the webhook.
    pub(crate) facts: Facts,
    /// Its outcome.
    pub outcome: Outcome,
    /// The result of each notification; empty if none was to be sent.
    pub recipients: Vec<RecipientResult>,
    /// Duration of sending; `None` if the webhook was skipped or rejected.
    pub send_time: Option<Duration>,
}

/// What is known about a webhook; fields of steps that were not reached stay empty.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// How it arrived.
    pub(crate) source: Source,
    /// How it was authenticated.
    pub(crate) authentication: Option<Authentication>,
    /// Length of the body, in bytes.
    pub(crate) body_bytes: Option<u64>,
    /// The key of the delivery.
    pub(crate) idempotency_key: Option<IdempotencyKey>,
    /// The kind of event.
    pub(crate) kind: Option<Kind>,
    /// The project, as GitLab sent it.
    pub(crate) project: Option<String>,
    /// The commit that the event is about.
    pub(crate) sha: Option<CommitSha>,
    /// Recipients who are not notified, because GitLab has redacted their address.
    pub(crate) redacted: Vec<RedactedRecipient>,
    /// Warnings about the plan, for the operator.
    pub(crate) warnings: Vec<PlanWarning>,
}

/// How webhooks arrive.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Source {
    /// GitLab's own webhooks.
    #[default]
    Webhook,
    /// CloudEvents. A success has no response body, because the broker would treat it as another
    /// event.
    CloudEvent,
    /// A notification that this program handed off, on its way back from the broker.
    Redelivery,
}

impl Report {
    /// The report on a webhook that ended before sending.
    pub fn new(facts: Facts, outcome: Outcome) -> Self {
        Self {
            facts,
            outcome,
            recipients: Vec::new(),
            send_time: None,
        }
    }

    /// The report on a webhook whose notifications were sent in `elapsed`. It fails if a
    /// notification failed for which sending the webhook again may help; this is safe for the other
    /// recipients, because each has its own message id.
    pub fn sent(facts: Facts, recipients: Vec<RecipientResult>, elapsed: Duration) -> Self {
        let redacted = facts.redacted.iter();
        let redacted = redacted.map(|_| Outcome::Skipped(SkipReason::RecipientRedacted));
        let outcomes = recipients.iter().map(Outcome::of).chain(redacted);
        let outcome = outcomes.min_by_key(precedence);
        let outcome = outcome.unwrap_or(Outcome::Skipped(SkipReason::Nobody));
        let was_sent = !matches!(outcome, Outcome::Skipped(_));
        Self {
            facts,
            outcome,
            recipients,
            send_time: was_sent.then_some(elapsed),
        }
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match (self.facts.source, &self.outcome) {
            (Source::Redelivery, Outcome::Failed(failure)) => failure.status_for_broker(),
            (_, outcome) => outcome.status(),
        }
    }

    /// Retries and rate limit waits of all recipients.
    pub fn attempts(&self) -> Attempts {
        let mut all = Attempts::default();
        for recipient in &self.recipients {
            all += recipient.attempts;
        }
        all
    }
}

/// Which of several outcomes decides: the smallest one. A recipient who cannot be reached does not
/// make a webhook fail that reached somebody else, because GitLab would disable the webhook for
/// everybody.
fn precedence(outcome: &Outcome) -> u8 {
    match outcome {
        Outcome::Failed(Failure::Unreachable(_) | Failure::Send(SendError::IdTaken)) => 3,
        Outcome::Failed(_) => 0,
        Outcome::HandedOff(_) => 1,
        Outcome::Delivered { .. } => 2,
        Outcome::Skipped(SkipReason::Unreachable | SkipReason::RecipientRedacted) => 4,
        Outcome::Skipped(_) | Outcome::DeadLetter | Outcome::PutAside(_) => 5,
    }
}

fn unfinished(failure: Failure, hand_off: HandOffResult) -> Outcome {
    match hand_off {
        HandOffResult::Accepted => Outcome::HandedOff(failure),
        HandOffResult::None | HandOffResult::Failed(_) => Outcome::Failed(failure),
    }
}

impl Outcome {
    /// The outcome that the result of one recipient implies.
    pub fn of(recipient: &RecipientResult) -> Self {
        match &recipient.result {
            SendResult::Delivered { id, confirmed_by } => Self::Delivered {
                message_id: id.clone(),
                confirmed_by: *confirmed_by,
            },
            SendResult::Withheld => Self::Skipped(SkipReason::NotAFix),
            SendResult::Unreachable(cause) => match recipient.source {
                RecipientSource::Role => Self::Skipped(SkipReason::Unreachable),
                RecipientSource::Configuration => Self::Failed(Failure::Unreachable(*cause)),
            },
            SendResult::Failed(error) => unfinished(Failure::Send(*error), recipient.hand_off),
            SendResult::Overloaded => unfinished(Failure::Overloaded, recipient.hand_off),
        }
    }
}
