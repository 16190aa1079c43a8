//! The look-up of the message itself, after the server refused to store it. Owns what it means that
//! the message exists, that another message has its id, and that it does not exist. Calls are
//! chosen in [`machine`](super::machine).

use std::time::Duration;

use super::command::Command;
use super::machine::{SendMachine, Step, give_up};
use super::result::{ConfirmedBy, SendError};
use super::server_state::ServerState;
use crate::limits::LIMITS;
use crate::notifier::live_pipeline;
use crate::notifier::notification::Action;
use crate::rocketchat::response::{ApiError, StoredMessage};

impl SendMachine {
    pub(super) fn after_find(
        &mut self,
        found: Result<StoredMessage, ApiError>,
        now: Duration,
        state: &mut ServerState,
    ) -> Command {
        match found {
            Ok(stored) if self.is_own(&stored) => self.after_own(&stored, now, state),
            Ok(_) => self.next_generation(now, state),
            Err(ApiError::Refused) => self.after_absence(now, state),
            Err(error) => self.try_again(error, now, state),
        }
    }

    /// The message exists: it is left as it is, or edited.
    pub(super) fn after_own(
        &mut self,
        stored: &StoredMessage,
        now: Duration,
        state: &mut ServerState,
    ) -> Command {
        let StoredMessage::Readable { text, deleted, .. } = stored else {
            return self.delivered(ConfirmedBy::Found);
        };
        self.cause = None;
        match &self.action {
            _ if *deleted => self.delivered(ConfirmedBy::FoundDeleted),
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
            Some(error) => {
                self.cause = None;
                self.step = Step::Send;
                self.retry(error, now, state)
                    .unwrap_or_else(|| self.give_up_on(error))
            }
            None => give_up(SendError::Api(ApiError::Refused)),
        }
    }

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
