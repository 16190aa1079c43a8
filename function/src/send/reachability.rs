//! Recipients who are refused. Owns when Rocket.Chat is asked whether they can be reached at all,
//! which it is only after a refusal. What counts as evidence is in
//! [`rocketchat::reachability`](crate::rocketchat::reachability).

use std::time::Duration;

use super::command::Command;
use super::machine::{SendMachine, Step};
use super::result::SendResult;
use super::server_state::ServerState;
use crate::limits::LIMITS;
use crate::rocketchat::api_error::{ApiError, RetryPolicy};
use crate::rocketchat::reachability::Unreachable;

impl SendMachine {
    /// A refused room is created once more: of simultaneous calls for a new room, the server
    /// refuses all but one.
    pub(super) fn after_failed_room(
        &mut self,
        error: ApiError,
        now: Duration,
        state: &mut ServerState,
    ) -> Command {
        match error {
            ApiError::Refused if self.room_refusals == 0 => {
                self.room_refusals += 1;
                let pause = self.jitter.of(LIMITS.sending.retry_pause);
                Command::Wait(pause)
            }
            ApiError::Refused => {
                self.cause = Some(error);
                self.check_recipient(now, state)
            }
            error => self.try_again(error, now, state),
        }
    }

    /// Asks why the recipient is refused.
    pub(super) fn check_recipient(&mut self, now: Duration, state: &mut ServerState) -> Command {
        let step = if self.is_user {
            Step::CheckUser
        } else {
            Step::CheckRoom
        };
        self.start(step, now, state)
    }

    /// Without evidence, the refusal is reported as it is.
    pub(super) fn after_check(
        &mut self,
        checked: Result<Option<Unreachable>, ApiError>,
        now: Duration,
        state: &mut ServerState,
    ) -> Command {
        match checked {
            // It did not get the message that this one depends on either.
            Ok(Some(_)) if !self.precondition.is_empty() => Command::Finish(SendResult::Withheld),
            Ok(Some(unreachable)) => Command::Finish(SendResult::Unreachable(unreachable)),
            Err(error) if error.retry_policy() != RetryPolicy::Never => {
                self.try_again(error, now, state)
            }
            Ok(None) | Err(_) if self.step == Step::CheckUser && self.room.is_some() => {
                self.start(Step::CheckRoom, now, state)
            }
            Ok(None) | Err(_) => self.give_up_on(ApiError::Refused),
        }
    }
}
