//! What to do next to bring one message to one user, whatever the chat server answers. Owns the
//! order of calls, the tries, the pauses and the deadline. Pure: it is told what happened and when,
//! and says what to do; the calls are made in [`sender`](crate::send::sender).
//!
//! The promise it keeps: it says [`SendResult::Delivered`] only of a message that is stored under its
//! id, and whatever it says, at most one message is stored, for every try uses the same id.

use std::time::Duration;

use crate::gitlab::attributes::PipelineState;
use crate::gitlab::idempotency_key::IdempotencyKey;
use crate::notifier::live_pipeline;
use crate::rocketchat::response::{ApiError, StoredMessage};
use crate::rocketchat::{MessageId, RoomId, UserId};

pub mod command;
pub mod deadline;
mod precondition;
pub mod result;
pub mod retry_budget;
pub mod sender;

pub use command::{Command, Input};
pub use deadline::Deadline;
pub use result::{Attempts, ConfirmedBy, Overloaded, SendError, SendResult};
use retry_budget::RetryBudget;

/// Tries after the first one, over all calls of one delivery.
const MAX_RETRIES: u64 = 2;

/// Shortest and longest pause before a retry: long enough for a restart of a proxy's worker, short
/// enough for three tries in the time there is.
const PAUSE_MS: std::ops::Range<u64> = 100..400;

/// The calls, in the order of a delivery without trouble.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Step {
    CreateRoom,
    /// Look for a message that must be there for this one to be sent.
    FindPrecondition,
    Send,
    Find,
    Edit,
}

/// One delivery to one user.
#[derive(Clone, Debug)]
pub struct SendMachine {
    key: IdempotencyKey,
    instance: String,
    bot: UserId,
    /// What the message tells of a pipeline, if it is to be edited as that moves.
    progress: Option<PipelineState>,
    /// Names of messages of which one must be there before this one is sent, the next to look for
    /// at the end; empty once one was found, or where there is no condition.
    conditions: Vec<IdempotencyKey>,
    deadline: Deadline,
    /// Makes the pauses of different deliveries differ.
    seed: u64,
    room: Option<RoomId>,
    /// Whether the room was remembered from an earlier delivery, so that it may be gone.
    room_is_old: bool,
    /// What it has taken so far.
    pub effort: Attempts,
    /// The step that a pause is for, or else the one under way.
    step: Step,
    /// The error that made us look for the message.
    doubt: Option<ApiError>,
}

impl SendMachine {
    /// A delivery that has not begun.
    ///
    /// `instance` is the address of the GitLab, `bot` the account we send as, `room` the room of
    /// the recipient if an earlier delivery found it. `seed` may be any number.
    pub fn new(
        key: IdempotencyKey,
        instance: String,
        bot: UserId,
        room: Option<RoomId>,
        deadline: Deadline,
        seed: u64,
    ) -> Self {
        let room_is_old = room.is_some();
        Self {
            key,
            instance,
            bot,
            progress: None,
            conditions: Vec::new(),
            deadline,
            seed,
            room,
            room_is_old,
            effort: Attempts::default(),
            step: Step::CreateRoom,
            doubt: None,
        }
    }

    /// The same delivery of a message that is edited while a pipeline moves.
    #[must_use]
    pub fn about(self, progress: Option<PipelineState>) -> Self {
        Self { progress, ..self }
    }

    /// Decides what to do next, given what happened and the time now.
    pub fn on(&mut self, input: Input, now: Duration, budget: &mut RetryBudget) -> Command {
        match input {
            Input::Start => {
                budget.note_delivery(now);
                if self.room.is_some() {
                    self.enter(now)
                } else {
                    self.take(Step::CreateRoom, now)
                }
            }
            Input::Waited => self.take(self.step, now),
            Input::Room(Ok(room)) => {
                self.room = Some(room);
                self.enter(now)
            }
            Input::Room(Err(error)) => self.try_again(Step::CreateRoom, error, now, budget),
            Input::Sent(Ok(())) => self.delivered(ConfirmedBy::Sent),
            Input::Sent(Err(error)) => self.after_failed_send(error, now, budget),
            Input::Found(found) if self.step == Step::FindPrecondition => {
                self.after_recall(found, now, budget)
            }
            Input::Found(found) => self.after_look(found, now, budget),
            Input::Edited(Ok(())) => self.delivered(ConfirmedBy::Edited),
            // To look again would find what there was before.
            Input::Edited(Err(ApiError::Refused)) => {
                give_up(SendError::ApiError(ApiError::Refused))
            }
            Input::Edited(Err(error)) => self.try_again(Step::Edit, error, now, budget),
        }
    }

    /// A refusal is also the answer to a message that is there already: look before judging.
    fn after_failed_send(
        &mut self,
        error: ApiError,
        now: Duration,
        budget: &mut RetryBudget,
    ) -> Command {
        match error {
            ApiError::Refused | ApiError::Unconfirmed => {
                self.doubt = Some(error);
                self.take(Step::Find, now)
            }
            error => self.try_again(Step::Send, error, now, budget),
        }
    }

    fn after_look(
        &mut self,
        found: Result<StoredMessage, ApiError>,
        now: Duration,
        budget: &mut RetryBudget,
    ) -> Command {
        match found {
            Ok(stored) if self.is_ours(&stored) && self.is_behind(&stored) => {
                self.doubt = None;
                self.take(Step::Edit, now)
            }
            Ok(stored) if self.is_ours(&stored) => self.delivered(ConfirmedBy::Found),
            Ok(_) => give_up(SendError::IdTaken),
            Err(ApiError::Refused) => self.after_absence(now, budget),
            Err(error) => self.try_again(Step::Find, error, now, budget),
        }
    }

    /// The message is not there, so what made us look is the answer.
    fn after_absence(&mut self, now: Duration, budget: &mut RetryBudget) -> Command {
        match self.doubt.take() {
            // The room we remembered may be gone: make it anew, once.
            Some(ApiError::Refused) if self.room_is_old => {
                self.room = None;
                self.room_is_old = false;
                self.take(Step::CreateRoom, now)
            }
            Some(ApiError::Unconfirmed) => {
                let pause = self.retry(Step::Send, ApiError::Unconfirmed, now, budget);
                pause.unwrap_or_else(|| self.give_up_on(ApiError::Unconfirmed))
            }
            Some(error) => give_up(SendError::ApiError(error)),
            None => give_up(SendError::ApiError(ApiError::Refused)),
        }
    }

    /// Repeats a step, or looks once more for the message, or gives up.
    fn try_again(
        &mut self,
        step: Step,
        error: ApiError,
        now: Duration,
        budget: &mut RetryBudget,
    ) -> Command {
        if let Some(pause) = self.retry(step, error, now, budget) {
            return pause;
        }
        // The last chance to learn that an answer was lost, not the message.
        if step == Step::Send
            && error.may_have_been_applied()
            && self.deadline.time_for_a_call(now).is_some()
        {
            self.doubt = Some(error);
            return self.take(Step::Find, now);
        }
        self.give_up_on(error)
    }

    /// The pause before a step is repeated, if the error may pass, and time and budget allow it.
    fn retry(
        &mut self,
        step: Step,
        error: ApiError,
        now: Duration,
        budget: &mut RetryBudget,
    ) -> Option<Command> {
        let pause = self.pause(error);
        let ends = now + pause + self.deadline.call_limit;
        let sensible =
            error.is_transient() && self.effort.retries < MAX_RETRIES && ends <= self.deadline.at;
        if !sensible || !budget.take_retry(now) {
            return None;
        }
        self.effort.retries += 1;
        self.effort.rate_limit_waits += u64::from(matches!(error, ApiError::RateLimited(_)));
        self.step = step;
        Some(Command::Wait(pause))
    }

    /// Here a durable hand-off will take what could not be delivered directly.
    fn give_up_on(&mut self, error: ApiError) -> Command {
        give_up(SendError::ApiError(self.doubt.take().unwrap_or(error)))
    }

    /// Begins a step, unless the time is over.
    fn take(&mut self, step: Step, now: Duration) -> Command {
        let Some(within) = self.deadline.time_for_a_call(now) else {
            return give_up(
                self.doubt
                    .take()
                    .map_or(SendError::NoTime, SendError::ApiError),
            );
        };
        self.step = step;
        match (step, &self.room) {
            (Step::FindPrecondition, Some(room)) => Command::Find {
                id: self.condition_id(room),
                within,
            },
            (Step::Send, Some(room)) => Command::Send {
                room: room.clone(),
                id: self.message_id(room),
                within,
            },
            (Step::Find, Some(room)) => Command::Find {
                id: self.message_id(room),
                within,
            },
            (Step::Edit, Some(room)) => Command::Edit {
                room: room.clone(),
                id: self.message_id(room),
                within,
            },
            (Step::CreateRoom, _) | (_, None) => Command::CreateRoom { within },
        }
    }

    fn delivered(&self, known_by: ConfirmedBy) -> Command {
        match &self.room {
            Some(room) => Command::Finish(SendResult::Delivered {
                id: self.message_id(room),
                known_by,
            }),
            // An answer to a call that was never made.
            None => give_up(SendError::ApiError(ApiError::Unconfirmed)),
        }
    }

    fn is_ours(&self, stored: &StoredMessage) -> bool {
        stored.sender == self.bot && Some(&stored.room) == self.room.as_ref()
    }

    fn is_behind(&self, stored: &StoredMessage) -> bool {
        let progress = self.progress.as_ref();
        progress.is_some_and(|progress| live_pipeline::is_behind(&stored.text, progress))
    }

    fn message_id(&self, room: &RoomId) -> MessageId {
        MessageId::derive(&self.instance, &self.key, room)
    }

    /// Until the limit is lifted, if that is why we wait, and a moment that differs by delivery.
    fn pause(&self, error: ApiError) -> Duration {
        let spread = PAUSE_MS.end - PAUSE_MS.start;
        // The step of splitmix64: neighbouring seeds and tries end far apart.
        let mixed = (self.seed ^ self.effort.retries).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        let jitter = Duration::from_millis(PAUSE_MS.start + mixed % spread);
        match error {
            ApiError::RateLimited(reset_in) => reset_in.unwrap_or_default() + jitter,
            _ => jitter,
        }
    }
}

fn give_up(refusal: SendError) -> Command {
    Command::Finish(SendResult::Refused(refusal))
}
