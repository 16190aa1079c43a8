//! What is known of a webhook at its end, for its answer, the log and the metrics. Owns how the ends
//! of several recipients become one; which status and which words that has is told in
//! [`outcome`](super).

use std::time::Duration;

use super::Outcome;
use crate::gitlab::commit::CommitSha;
use crate::gitlab::idempotency_key::IdempotencyKey;
use crate::gitlab::kind::Kind;
use crate::gitlab::verification::{Scheme, Verified};
use crate::notifier::SkipReason;
use crate::rocketchat::Destination;
use crate::rocketchat::MessageId;
use crate::send::{Attempts, Overloaded, SendResult};

/// What is known of a webhook at its end; what was not reached stays empty.
#[derive(Clone, Debug)]
pub struct Report {
    /// How it proved its origin.
    pub scheme: Option<Scheme>,
    /// Position of the key or token that let it in.
    pub key_index: Option<usize>,
    /// Length of its body.
    pub body_bytes: Option<u64>,
    /// Names the delivery.
    pub delivery_id: Option<IdempotencyKey>,
    /// What happened on GitLab.
    pub kind: Option<Kind>,
    /// Where, as GitLab wrote it.
    pub project: Option<String>,
    /// The commit it is about.
    pub sha: Option<CommitSha>,
    /// How long it took to bring the message to the recipient, or to give up.
    pub delivery_time: Option<Duration>,
    /// What that took beyond one call of each kind.
    pub effort: Attempts,
    /// How it came in.
    pub source: Source,
    /// Who got the message and who did not, where it was for several.
    pub deliveries: Vec<RecipientResult>,
    /// How it ended.
    pub outcome: Outcome,
}

/// The ways in.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Source {
    /// GitLab's own webhooks.
    #[default]
    Webhook,
    /// CloudEvents; a success is answered without a body, which would be taken for another event.
    CloudEvent,
}

/// What became of the message for one of several.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RecipientResult {
    /// As the configuration or GitLab names them.
    pub recipient: String,
    /// The id of the message, or why there is none, in one word.
    pub result: Result<MessageId, &'static str>,
}

impl Report {
    /// Nothing is known but the end.
    pub fn of(outcome: Outcome) -> Self {
        Self {
            scheme: None,
            key_index: None,
            body_bytes: None,
            delivery_id: None,
            kind: None,
            project: None,
            sha: None,
            delivery_time: None,
            effort: Attempts::default(),
            source: Source::Webhook,
            deliveries: Vec::new(),
            outcome,
        }
    }

    /// Notes what let the delivery in.
    pub fn authenticated_as(&mut self, verified: Verified) {
        self.scheme = Some(verified.scheme);
        self.key_index = Some(verified.key_index);
        self.delivery_id = verified.delivery_id;
    }

    /// Adds what became of the message for each recipient. It is delivered if all have it who are to
    /// have it; to send it again for the others is safe, for each has a message id of its own.
    #[must_use]
    pub fn told(
        self,
        targets: &[&Destination],
        verdicts: Vec<Result<(SendResult, Attempts), Overloaded>>,
    ) -> Self {
        let mut effort = self.effort;
        let outcomes: Vec<_> = verdicts
            .into_iter()
            .map(|verdict| Outcome::of(verdict, &mut effort))
            .collect();
        let deliveries = match outcomes.as_slice() {
            [_] => Vec::new(),
            several => targets
                .iter()
                .zip(several)
                .map(RecipientResult::of)
                .collect(),
        };
        let failed = |outcome: &&Outcome| matches!(outcome, Outcome::Failed(_));
        let delivered = |outcome: &&Outcome| matches!(outcome, Outcome::Delivered { .. });
        let decisive = outcomes.iter().find(failed);
        let decisive = decisive.or(outcomes.iter().find(delivered));
        let decisive = decisive.or(outcomes.first()).cloned();
        Self {
            deliveries,
            effort,
            outcome: decisive.unwrap_or(Outcome::SkipReason(SkipReason::Nobody)),
            ..self
        }
    }
}

impl RecipientResult {
    fn of((target, outcome): (&&Destination, &Outcome)) -> Self {
        Self {
            recipient: target.label(),
            result: match outcome {
                Outcome::Delivered { message_id, .. } => Ok(message_id.clone()),
                Outcome::SkipReason(_) | Outcome::Failed(_) => Err(outcome.reason()),
            },
        }
    }
}
