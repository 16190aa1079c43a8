//! What is stored under the id of a message. Owns what a look-up means, and what follows from it after
//! the server refused to store the message: it exists, another message has its id, or it does not
//! exist. Other look-ups are in [`precondition`](super::precondition).

use std::time::Duration;

use super::command::Command;
use super::machine::{SendMachine, Step, give_up};
use super::result::{ConfirmedBy, SendError};
use super::server_state::ServerState;
use crate::limits::LIMITS;
use crate::notifier::live_pipeline;
use crate::notifier::notification::Action;
use crate::rocketchat::response::{ApiError, StoredMessage};

/// What is stored under an id.
#[derive(Debug)]
pub(super) enum LookUp {
    /// A message of this account in the room of the recipient.
    Own { text: String, deleted: bool },
    /// A message of another account or in another room.
    Taken,
    /// Nothing.
    Absent,
    /// Unknown, because the call failed.
    Failed(ApiError),
}

impl SendMachine {
    /// What the result of `chat.getMessage` means for this notification.
    pub(super) fn look_up(&self, found: Result<StoredMessage, ApiError>) -> LookUp {
        match found {
            Ok(StoredMessage::Readable {
                room,
                sender,
                text,
                deleted,
            }) if sender == self.account.bot && Some(&room) == self.room.as_ref() => {
                LookUp::Own { text, deleted }
            }
            Ok(_) => LookUp::Taken,
            Err(ApiError::Refused) => LookUp::Absent,
            Err(error) => LookUp::Failed(error),
        }
    }

    pub(super) fn after_find(
        &mut self,
        found: &LookUp,
        now: Duration,
        state: &mut ServerState,
    ) -> Command {
        match found {
            LookUp::Own { text, deleted } => self.after_own(text, *deleted, now, state),
            LookUp::Taken => self.next_generation(now, state),
            LookUp::Absent => self.after_absence(now, state),
            LookUp::Failed(error) => self.try_again(*error, now, state),
        }
    }

    /// The message exists: it is left as it is, or edited.
    pub(super) fn after_own(
        &mut self,
        text: &str,
        deleted: bool,
        now: Duration,
        state: &mut ServerState,
    ) -> Command {
        self.cause = None;
        match &self.action {
            _ if deleted => self.delivered(ConfirmedBy::FoundDeleted),
            Action::Edit { revision } if live_pipeline::is_behind(text, revision) => {
                self.start(Step::Edit, now, state)
            }
            Action::Edit { .. } | Action::Send => self.delivered(ConfirmedBy::Found),
        }
    }

    /// A message of another user, or in another room, has the id.
    fn next_generation(&mut self, now: Duration, state: &mut ServerState) -> Command {
        if self.generation + 1 >= LIMITS.sending.max_generations {
            return give_up(SendError::IdTaken);
        }
        self.generation += 1;
        self.cause = None;
        self.start(Step::Send, now, state)
    }

    /// The message does not exist, so the error that caused the look-up decides.
    fn after_absence(&mut self, now: Duration, state: &mut ServerState) -> Command {
        match self.cause {
            // The cached room may no longer exist: create it again, once.
            Some(ApiError::Refused | ApiError::Forbidden) if self.room_is_cached => {
                self.cause = None;
                self.room = None;
                self.room_is_cached = false;
                self.generation = 0;
                self.start(Step::CreateRoom, now, state)
            }
            Some(ApiError::Refused | ApiError::Forbidden) => self.check_recipient(now, state),
            // The server looked at the room, so the room exists.
            Some(error @ ApiError::Unreachable(_)) => self.give_up_on(error),
            Some(error) => {
                self.cause = None;
                self.step = Step::Send;
                self.retry(error, now, state)
                    .unwrap_or_else(|| self.give_up_on(error))
            }
            None => give_up(SendError::Api(ApiError::Refused)),
        }
    }

    /// Editing is forbidden, so the new state is sent as a separate message.
    pub(super) fn send_state(&mut self, now: Duration, state: &mut ServerState) -> Command {
        let Action::Edit { revision } = &self.action else {
            return self.give_up_on(ApiError::Refused);
        };
        self.key = self.key.with_state(&live_pipeline::state(revision));
        self.action = Action::Send;
        self.former = None;
        self.generation = 0;
        self.after_room(now, state)
    }
}
