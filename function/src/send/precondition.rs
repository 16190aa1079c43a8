//! What must exist before a message is sent. Owns the look-up and what a missing message means;
//! everything after it is as for any other message, see [`machine`](super::machine).

use std::time::Duration;

use super::command::Command;
use super::machine::{SendMachine, Step};
use super::result::SendResult;
use super::retry_budget::RetryBudget;
use crate::rocketchat::response::{ApiError, StoredMessage};

impl SendMachine {
    /// The room is known: look up the precondition, or else send.
    pub(super) fn after_room(&mut self, now: Duration) -> Command {
        let is_unconditional = self.precondition.is_empty();
        self.start(
            if is_unconditional {
                Step::Send
            } else {
                Step::FindPrecondition
            },
            now,
        )
    }

    /// A missing message is an answer. If Rocket.Chat cannot say, sending fails, so that the webhook can be
    /// sent again.
    pub(super) fn after_precondition(
        &mut self,
        found: Result<StoredMessage, ApiError>,
        now: Duration,
        budget: &mut RetryBudget,
    ) -> Command {
        match found {
            Ok(stored) if self.is_own(&stored) => {
                self.precondition.clear();
                self.start(Step::Send, now)
            }
            Ok(_) | Err(ApiError::Refused) => {
                self.precondition.pop();
                if self.precondition.is_empty() {
                    return Command::Finish(SendResult::Withheld);
                }
                self.start(Step::FindPrecondition, now)
            }
            Err(error) => self.try_again(Step::FindPrecondition, error, now, budget),
        }
    }
}
