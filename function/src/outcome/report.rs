//! What is known of a webhook when it has been handled, for its response, the log and the metrics. Owns how
//! the results of several recipients become one outcome; the status and the labels of an outcome are in
//! [`outcome`](super).

use std::time::Duration;

use super::{Failure, Outcome};
use crate::gitlab::commit::CommitSha;
use crate::gitlab::idempotency_key::IdempotencyKey;
use crate::gitlab::kind::Kind;
use crate::gitlab::verification::Authentication;
use crate::notifier::{PlanWarning, SkipReason};
use crate::send::{Attempts, RecipientResult, SendResult};

/// A webhook that has been handled.
#[derive(Clone, Debug)]
pub struct Report {
    /// What became known on the way.
    pub(crate) facts: Facts,
    /// How it ended.
    pub outcome: Outcome,
    /// What became of each notification; empty if there was none to send.
    pub recipients: Vec<RecipientResult>,
    /// How long sending took; `None` if nothing was sent or to be looked up.
    pub send_time: Option<Duration>,
}

/// What became known of a webhook on the way; what was not reached stays empty.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// How it came in.
    pub(crate) source: Source,
    /// How it was authenticated.
    pub(crate) authentication: Option<Authentication>,
    /// Length of its body, in bytes.
    pub(crate) body_bytes: Option<u64>,
    /// Names the delivery.
    pub(crate) idempotency_key: Option<IdempotencyKey>,
    /// The kind of event.
    pub(crate) kind: Option<Kind>,
    /// The project, as GitLab wrote it.
    pub(crate) project: Option<String>,
    /// The commit it is about.
    pub(crate) sha: Option<CommitSha>,
    /// What an operator should know of the decision.
    pub(crate) warnings: Vec<PlanWarning>,
}

/// How webhooks come in.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Source {
    /// GitLab's own webhooks.
    #[default]
    Webhook,
    /// CloudEvents; a success is answered without a body, which would be taken for another event.
    CloudEvent,
}

impl Report {
    /// A webhook that ended before anything was sent.
    pub fn new(facts: Facts, outcome: Outcome) -> Self {
        Self {
            facts,
            outcome,
            recipients: Vec::new(),
            send_time: None,
        }
    }

    /// A webhook whose notifications were sent, which took `elapsed`. It is delivered if every recipient
    /// has the message who is to have it; sending it again for the others is safe, because each has its
    /// own message id.
    pub fn sent(facts: Facts, recipients: Vec<RecipientResult>, elapsed: Duration) -> Self {
        let outcomes: Vec<_> = recipients
            .iter()
            .map(|recipient| Outcome::of(&recipient.result))
            .collect();
        let failed = |outcome: &&Outcome| matches!(outcome, Outcome::Failed(_));
        let delivered = |outcome: &&Outcome| matches!(outcome, Outcome::Delivered { .. });
        let decisive = outcomes.iter().find(failed);
        let decisive = decisive.or(outcomes.iter().find(delivered));
        let decisive = decisive.or(outcomes.first()).cloned();
        let outcome = decisive.unwrap_or(Outcome::Skipped(SkipReason::Nobody));
        let was_sent = !matches!(outcome, Outcome::Skipped(_));
        Self {
            facts,
            outcome,
            recipients,
            send_time: was_sent.then_some(elapsed),
        }
    }

    /// What sending took beyond one call of each kind, over all recipients.
    pub fn attempts(&self) -> Attempts {
        let mut all = Attempts::default();
        for recipient in &self.recipients {
            all += recipient.attempts;
        }
        all
    }
}

impl Outcome {
    /// What the result of one recipient means for the webhook.
    pub fn of(result: &SendResult) -> Self {
        match result {
            SendResult::Delivered { id, confirmed_by } => Self::Delivered {
                message_id: id.clone(),
                confirmed_by: *confirmed_by,
            },
            SendResult::Withheld => Self::Skipped(SkipReason::NotAFix),
            SendResult::Failed(error) => Self::Failed(Failure::Send(*error)),
            SendResult::Overloaded => Self::Failed(Failure::Overloaded),
        }
    }
}
