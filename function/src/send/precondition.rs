//! The precondition of a notification: another message must exist. Owns the look-up and what a
//! missing message means; the steps after it are those of any notification, see
//! [`machine`](super::machine).

use std::time::Duration;

use super::command::Command;
use super::machine::{SendMachine, Step};
use super::result::SendResult;
use super::retry_budget::RetryBudget;
use crate::rocketchat::response::{ApiError, StoredMessage};

impl SendMachine {
    /// Continues when the room is known: with the precondition, if any, or else by sending.
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

    /// A missing message withholds the notification. If the look-up fails, sending fails, so that
    /// the webhook can be resent.
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
