//! The look-ups before a message is sent: a message that must exist, and this message itself under
//! an id that is no longer given. Owns what a missing message means; the steps after it are those
//! of any notification, see [`machine`](super::machine).

use std::time::Duration;

use super::candidates::Candidates;
use super::command::Command;
use super::machine::{SendMachine, Step};
use super::result::SendResult;
use super::server_state::ServerState;
use super::stored_message::LookUp;

impl SendMachine {
    /// Continues when the room is known: with the precondition, if any, or else with the message.
    pub(super) fn after_room(&mut self, now: Duration, state: &mut ServerState) -> Command {
        let Some(room) = &self.room else {
            return self.start(Step::CreateRoom, now, state);
        };
        let (ids, origin) = (&self.account.ids, &self.origin);
        if let Some(key) = self.precondition.last() {
            self.candidates = Candidates::all(ids, origin, key, room);
            return self.start(Step::FindPrecondition, now, state);
        }
        self.candidates = Candidates::former(ids, origin, &self.key, room);
        self.find_former(now, state)
    }

    /// A missing message withholds the notification, and so does a deleted one. If the look-up
    /// fails, sending fails, so that the webhook can be resent.
    pub(super) fn after_precondition(
        &mut self,
        found: &LookUp,
        now: Duration,
        state: &mut ServerState,
    ) -> Command {
        match found {
            LookUp::Own { deleted: false, .. } => {
                self.precondition.clear();
                return self.after_room(now, state);
            }
            LookUp::Own { deleted: true, .. } | LookUp::Absent => self.candidates.skip(),
            LookUp::Taken => self.candidates.skip_taken(),
            LookUp::Failed(error) => return self.try_again(*error, now, state),
        }
        if self.candidates.first().is_some() {
            return self.start(Step::FindPrecondition, now, state);
        }
        self.precondition.pop();
        if self.precondition.is_empty() {
            return Command::Finish(SendResult::Withheld);
        }
        self.after_room(now, state)
    }

    /// Sends the message unless it was sent under a former id.
    pub(super) fn after_former(
        &mut self,
        found: &LookUp,
        now: Duration,
        state: &mut ServerState,
    ) -> Command {
        match found {
            LookUp::Own { text, deleted } => {
                self.former = self.candidates.first().cloned();
                self.after_own(text, *deleted, now, state)
            }
            // This program does not send under a former id, so it does not matter who took it.
            LookUp::Taken | LookUp::Absent => {
                self.candidates.skip();
                self.find_former(now, state)
            }
            LookUp::Failed(error) => self.try_again(*error, now, state),
        }
    }

    fn find_former(&mut self, now: Duration, state: &mut ServerState) -> Command {
        let is_possible = self.candidates.first().is_some();
        let step = if is_possible {
            Step::FindFormer
        } else {
            Step::Send
        };
        self.start(step, now, state)
    }
}
