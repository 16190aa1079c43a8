//! What must be there before a message is sent. Owns the look for it and what its absence means;
//! everything after it is the way of any other message, see [`delivery`](super).

use std::time::Duration;

use super::retry_budget::RetryBudget;
use super::{Command, SendMachine, SendResult, Step};
use crate::gitlab::idempotency_key::IdempotencyKey;
use crate::rocketchat::response::{ApiError, StoredMessage};
use crate::rocketchat::{MessageId, RoomId};

impl SendMachine {
    /// The same delivery of a message that is for those only who have, from us, one of the messages
    /// of these names. Without names it is for everybody.
    ///
    /// A remembered room that is gone would hide them: give such a delivery none.
    #[must_use]
    pub fn after_one_of(self, mut conditions: Vec<IdempotencyKey>) -> Self {
        conditions.reverse();
        Self { conditions, ..self }
    }

    /// The room is known: what comes before the message, or else the message.
    pub(super) fn enter(&mut self, now: Duration) -> Command {
        let is_free = self.conditions.is_empty();
        self.take(
            if is_free {
                Step::Send
            } else {
                Step::FindPrecondition
            },
            now,
        )
    }

    /// That a message is not there is an answer; that nobody could tell is none, and the delivery
    /// fails so that it can be sent again.
    pub(super) fn after_recall(
        &mut self,
        found: Result<StoredMessage, ApiError>,
        now: Duration,
        budget: &mut RetryBudget,
    ) -> Command {
        match found {
            Ok(stored) if self.is_ours(&stored) => {
                self.conditions.clear();
                self.take(Step::Send, now)
            }
            Ok(_) | Err(ApiError::Refused) => {
                self.conditions.pop();
                if self.conditions.is_empty() {
                    return Command::Finish(SendResult::Withheld);
                }
                self.take(Step::FindPrecondition, now)
            }
            Err(error) => self.try_again(Step::FindPrecondition, error, now, budget),
        }
    }

    /// The message to look for before this one.
    pub(super) fn condition_id(&self, room: &RoomId) -> MessageId {
        let name = self.conditions.last().unwrap_or(&self.key);
        MessageId::derive(&self.instance, name, room)
    }
}
