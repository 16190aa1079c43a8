//! The state machine that sends one message to one recipient. Owns the order of calls, the retries
//! and the pauses. It is pure: it receives what happened and when, and returns a command, which
//! [`sender`](super::sender) executes.

use std::time::Duration;

use super::command::{Command, Input};
use super::deadline::Deadline;
use super::result::{Attempts, ConfirmedBy, SendError, SendResult};
use super::retry_budget::RetryBudget;
use crate::limits::LIMITS;
use crate::notifier::live_pipeline;
use crate::notifier::notification::{Action, Notification};
use crate::rocketchat::response::{ApiError, StoredMessage};
use crate::rocketchat::{MessageId, MessageKey, RoomId, UserId};

/// The calls, in their normal order.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Step {
    CreateRoom,
    /// Look up a message that must exist before this one is sent.
    FindPrecondition,
    Send,
    Find,
    Edit,
}

/// Sends one notification.
#[derive(Clone, Debug)]
pub struct SendMachine {
    key: MessageKey,
    origin: String,
    bot: UserId,
    /// Whether a stored message is edited, and to which revision.
    action: Action,
    /// Messages of which one must exist before this one is sent, in reverse order of look-up.
    /// Empty if there is no precondition or it was met.
    pub(super) precondition: Vec<MessageKey>,
    deadline: Deadline,
    /// Source of the jitter.
    seed: u64,
    room: Option<RoomId>,
    /// Whether the room was known before this notification, so that it may no longer exist.
    room_is_cached: bool,
    /// Retries and rate limit waits so far.
    pub attempts: Attempts,
    /// The step in progress, or the step to retry after a pause.
    step: Step,
    /// The error that caused the look-up of the message.
    lookup_cause: Option<ApiError>,
}

impl SendMachine {
    /// A state machine that waits for [`Input::Start`].
    ///
    /// `bot` is the account that sends, `room` the room of the recipient if it is known. `seed` may
    /// be any number and selects the jitter. For a notification with a precondition, pass a cached
    /// room as `None`: in a room that no longer exists, every look-up would find nothing.
    pub fn new(
        notification: &Notification,
        bot: UserId,
        room: Option<RoomId>,
        deadline: Deadline,
        seed: u64,
    ) -> Self {
        let mut precondition = notification.precondition.clone();
        precondition.reverse();
        Self {
            key: notification.key.clone(),
            origin: notification.origin.clone(),
            bot,
            action: notification.action.clone(),
            precondition,
            deadline,
            seed,
            room_is_cached: room.is_some(),
            room,
            attempts: Attempts::default(),
            step: Step::CreateRoom,
            lookup_cause: None,
        }
    }

    /// Decides what to do next. `now` is the time on the clock of the deadline.
    pub fn on(&mut self, input: Input, now: Duration, budget: &mut RetryBudget) -> Command {
        match input {
            Input::Start => {
                budget.deposit(now);
                if self.room.is_some() {
                    self.after_room(now)
                } else {
                    self.start(Step::CreateRoom, now)
                }
            }
            Input::Waited => self.start(self.step, now),
            Input::Room(Ok(room)) => {
                self.room = Some(room);
                self.after_room(now)
            }
            Input::Room(Err(error)) => self.try_again(Step::CreateRoom, error, now, budget),
            Input::Sent(Ok(())) => self.delivered(ConfirmedBy::Sent),
            Input::Sent(Err(error)) => self.after_failed_send(error, now, budget),
            Input::Found(found) if self.step == Step::FindPrecondition => {
                self.after_precondition(found, now, budget)
            }
            Input::Found(found) => self.after_find(found, now, budget),
            Input::Edited(Ok(())) => self.delivered(ConfirmedBy::Edited),
            // A look-up would only find the old text.
            Input::Edited(Err(ApiError::Refused)) => give_up(SendError::Api(ApiError::Refused)),
            Input::Edited(Err(error)) => self.try_again(Step::Edit, error, now, budget),
        }
    }

    /// Rocket.Chat also refuses a message that is already stored, so look it up first.
    fn after_failed_send(
        &mut self,
        error: ApiError,
        now: Duration,
        budget: &mut RetryBudget,
    ) -> Command {
        match error {
            ApiError::Refused | ApiError::Unconfirmed => {
                self.lookup_cause = Some(error);
                self.start(Step::Find, now)
            }
            error => self.try_again(Step::Send, error, now, budget),
        }
    }

    fn after_find(
        &mut self,
        found: Result<StoredMessage, ApiError>,
        now: Duration,
        budget: &mut RetryBudget,
    ) -> Command {
        match found {
            Ok(stored) if self.is_own(&stored) && self.is_behind(&stored) => {
                self.lookup_cause = None;
                self.start(Step::Edit, now)
            }
            Ok(stored) if self.is_own(&stored) => self.delivered(ConfirmedBy::Found),
            Ok(_) => give_up(SendError::IdTaken),
            Err(ApiError::Refused) => self.after_absence(now, budget),
            Err(error) => self.try_again(Step::Find, error, now, budget),
        }
    }

    /// The message does not exist, so the error that caused the look-up decides.
    fn after_absence(&mut self, now: Duration, budget: &mut RetryBudget) -> Command {
        match self.lookup_cause.take() {
            // The cached room may no longer exist: create it again, once.
            Some(ApiError::Refused) if self.room_is_cached => {
                self.room = None;
                self.room_is_cached = false;
                self.start(Step::CreateRoom, now)
            }
            Some(ApiError::Unconfirmed) => {
                let pause = self.retry(Step::Send, ApiError::Unconfirmed, now, budget);
                pause.unwrap_or_else(|| self.give_up_on(ApiError::Unconfirmed))
            }
            Some(error) => give_up(SendError::Api(error)),
            None => give_up(SendError::Api(ApiError::Refused)),
        }
    }

    /// Retries a step, or else looks up the message, or else gives up.
    pub(super) fn try_again(
        &mut self,
        step: Step,
        error: ApiError,
        now: Duration,
        budget: &mut RetryBudget,
    ) -> Command {
        if let Some(pause) = self.retry(step, error, now, budget) {
            return pause;
        }
        // The message may be stored and only the response lost.
        if step == Step::Send
            && error.may_have_been_applied()
            && self.deadline.time_for_a_call(now).is_some()
        {
            self.lookup_cause = Some(error);
            return self.start(Step::Find, now);
        }
        self.give_up_on(error)
    }

    /// Takes a retry from the budget and returns the pause before it; `None` if the error is
    /// permanent, or time, count or budget are used up.
    fn retry(
        &mut self,
        step: Step,
        error: ApiError,
        now: Duration,
        budget: &mut RetryBudget,
    ) -> Option<Command> {
        let pause = self.pause(error);
        let ends = now + pause + self.deadline.call_limit;
        let is_allowed = error.is_transient()
            && self.attempts.retries < LIMITS.sending.max_retries
            && ends <= self.deadline.at;
        if !is_allowed || !budget.take_retry(now) {
            return None;
        }
        self.attempts.retries += 1;
        self.attempts.rate_limit_waits += u64::from(matches!(error, ApiError::RateLimited(_)));
        self.step = step;
        Some(Command::Wait(pause))
    }

    /// Reports the error that caused the look-up, which is more informative than the last one.
    fn give_up_on(&mut self, error: ApiError) -> Command {
        give_up(SendError::Api(self.lookup_cause.take().unwrap_or(error)))
    }

    /// Starts a step, or gives up if the deadline is too close.
    pub(super) fn start(&mut self, step: Step, now: Duration) -> Command {
        let Some(within) = self.deadline.time_for_a_call(now) else {
            return give_up(
                self.lookup_cause
                    .take()
                    .map_or(SendError::NoTime, SendError::Api),
            );
        };
        self.step = step;
        match (step, &self.room) {
            (Step::FindPrecondition, Some(room)) => Command::Find {
                id: self.precondition_id(room),
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

    fn delivered(&self, confirmed_by: ConfirmedBy) -> Command {
        match &self.room {
            Some(room) => Command::Finish(SendResult::Delivered {
                id: self.message_id(room),
                confirmed_by,
            }),
            // Unreachable: every call that stores a message has a room.
            None => give_up(SendError::Api(ApiError::Unconfirmed)),
        }
    }

    pub(super) fn is_own(&self, stored: &StoredMessage) -> bool {
        stored.sender == self.bot && Some(&stored.room) == self.room.as_ref()
    }

    fn is_behind(&self, stored: &StoredMessage) -> bool {
        match &self.action {
            Action::Send => false,
            Action::Edit { revision } => live_pipeline::is_behind(&stored.text, revision),
        }
    }

    /// The next message of the precondition.
    fn precondition_id(&self, room: &RoomId) -> MessageId {
        let key = self.precondition.last().unwrap_or(&self.key);
        MessageId::derive(&self.origin, key, room)
    }

    fn message_id(&self, room: &RoomId) -> MessageId {
        MessageId::derive(&self.origin, &self.key, room)
    }

    /// A jitter, plus the time until the rate limit resets.
    fn pause(&self, error: ApiError) -> Duration {
        // The multiplier of splitmix64, so that similar seeds have different jitter.
        let mixed = (self.seed ^ self.attempts.retries).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        let jitter = mixed % LIMITS.sending.retry_jitter_ms;
        let pause = Duration::from_millis(LIMITS.sending.retry_pause_ms + jitter);
        match error {
            ApiError::RateLimited(reset_in) => reset_in.unwrap_or_default() + pause,
            _ => pause,
        }
    }
}

fn give_up(error: SendError) -> Command {
    Command::Finish(SendResult::Failed(error))
}
