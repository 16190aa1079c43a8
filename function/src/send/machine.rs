//! The state machine that sends one message to one recipient. Owns the order of calls and what
//! their results mean. It is pure: it receives what happened and when, and returns a command, which
//! [`sender`](super::sender) executes. Repeating failed calls is in [`retry`](super::retry),
//! look-ups before the message is sent in [`precondition`](super::precondition), the look-up
//! after it in [`stored_message`](super::stored_message), and recipients who cannot be reached in
//! [`reachability`](super::reachability).

use std::sync::Arc;
use std::time::Duration;

use super::backoff::Jitter;
use super::candidates::Candidates;
use super::circuit_breaker::Admission;
use super::command::{Call, Command, Input};
use super::deadline::Deadline;
use super::result::{Attempts, ConfirmedBy, SendError, SendResult};
use super::server_state::ServerState;
use crate::notifier::notification::{Action, Notification};
use crate::rocketchat::response::ApiError;
use crate::rocketchat::{Destination, MessageId, MessageIds, MessageKey, RoomId, UserId};

/// The calls, in their normal order.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Step {
    CreateRoom,
    /// Look up a message that must exist before this one is sent.
    FindPrecondition,
    /// Look up whether the message was sent under an id that is no longer given.
    FindFormer,
    Send,
    Find,
    Edit,
    /// Find out why the recipient is refused.
    CheckUser,
    CheckRoom,
}

/// The account that sends, and the ids that it gives messages.
#[derive(Clone, Debug)]
pub struct Account {
    /// The bot.
    pub bot: UserId,
    /// Gives messages their ids.
    pub ids: Arc<MessageIds>,
}

/// A call whose result is not known yet.
#[derive(Clone, Copy, Debug)]
struct CallInProgress {
    began: Duration,
    /// Whether it probes the server in an outage.
    is_probe: bool,
}

/// Sends one notification.
#[derive(Clone, Debug)]
pub struct SendMachine {
    pub(super) account: Account,
    pub(super) key: MessageKey,
    pub(super) origin: String,
    pub(super) is_user: bool,
    /// Whether a stored message is edited, and to which revision.
    pub(super) action: Action,
    /// Messages of which one must exist before this one is sent, in reverse order of look-up.
    /// Empty if there is no precondition or it was met.
    pub(super) precondition: Vec<MessageKey>,
    /// The ids to look up before the message is sent.
    pub(super) candidates: Candidates,
    pub(super) deadline: Deadline,
    pub(super) jitter: Jitter,
    pub(super) room: Option<RoomId>,
    /// Whether the room of a user was known before this notification, so that it may no longer exist.
    pub(super) room_is_cached: bool,
    /// How many ids of this message are in use by others.
    pub(super) generation: u8,
    /// An id under which the message was sent before.
    pub(super) former: Option<MessageId>,
    /// Retries and rate limit waits so far.
    pub attempts: Attempts,
    /// Retries after an error that a proxy may send during a rollout.
    pub(super) brief_retries: u64,
    /// How often the server has refused to create the room.
    pub(super) room_refusals: u8,
    /// How often it has waited for the result of another call in an outage.
    outage_waits: u32,
    /// Whether this notification continues in a long outage.
    pub(super) is_prober: bool,
    /// The step in progress, or the step to continue with after a pause.
    pub(super) step: Step,
    call: Option<CallInProgress>,
    /// The error to report if the calls that it causes do not explain it.
    pub(super) cause: Option<ApiError>,
    /// The last error for which a call was repeated.
    pub(super) last_error: Option<ApiError>,
}

impl SendMachine {
    /// A state machine that waits for [`Input::Start`].
    ///
    /// `room` is the room of the recipient if it is known. `seed` may be any number and selects the
    /// jitter. For a notification with a precondition, pass a cached room as `None`: in a room that
    /// no longer exists, every look-up would find nothing.
    pub fn new(
        notification: &Notification,
        account: Account,
        room: Option<RoomId>,
        deadline: Deadline,
        seed: u64,
    ) -> Self {
        let mut precondition = notification.precondition.clone();
        precondition.reverse();
        let is_user = matches!(notification.destination, Destination::User(_));
        Self {
            account,
            key: notification.key.clone(),
            origin: notification.origin.clone(),
            is_user,
            action: notification.action.clone(),
            precondition,
            candidates: Candidates::default(),
            deadline,
            jitter: Jitter::new(seed),
            room_is_cached: is_user && room.is_some(),
            room,
            generation: 0,
            former: None,
            attempts: Attempts::default(),
            brief_retries: 0,
            room_refusals: 0,
            outage_waits: 0,
            is_prober: false,
            step: Step::CreateRoom,
            call: None,
            cause: None,
            last_error: None,
        }
    }

    /// The latest time at which the notification may begin: it has to end at its deadline.
    pub fn latest_begin(&self, state: &ServerState) -> Duration {
        let time = state.time_to_begin(self.deadline.call_limit);
        self.deadline.at.saturating_sub(time)
    }

    /// Decides what to do next. `now` is the time on the clock of the deadline.
    pub fn on(&mut self, input: Input, now: Duration, state: &mut ServerState) -> Command {
        self.record(&input, now, state);
        match input {
            Input::Start => {
                state.begin();
                if self.room.is_some() {
                    self.after_room(now, state)
                } else {
                    self.start(Step::CreateRoom, now, state)
                }
            }
            Input::Waited => self.start(self.step, now, state),
            Input::NoPermit => self.without_permit(),
            Input::Room(Ok(room)) | Input::RoomOfAnother(Ok(room)) => {
                self.room = Some(room);
                self.after_room(now, state)
            }
            Input::Room(Err(error)) | Input::RoomOfAnother(Err(error)) => {
                self.after_failed_room(error, now, state)
            }
            Input::Sent(Ok(())) => self.delivered(ConfirmedBy::Sent),
            Input::Sent(Err(error)) => self.after_failed_send(error, now, state),
            Input::Found(found) => {
                let found = &self.look_up(found);
                match self.step {
                    Step::FindPrecondition => self.after_precondition(found, now, state),
                    Step::FindFormer => self.after_former(found, now, state),
                    _ => self.after_find(found, now, state),
                }
            }
            Input::Edited(Ok(())) => self.delivered(ConfirmedBy::Edited),
            Input::Edited(Err(ApiError::Refused | ApiError::Forbidden)) => {
                self.send_state(now, state)
            }
            Input::Edited(Err(error)) => self.try_again(error, now, state),
            Input::Checked(checked) => self.after_check(checked, now, state),
        }
    }

    fn record(&mut self, input: &Input, now: Duration, state: &mut ServerState) {
        let Some(CallInProgress { began, is_probe }) = self.call.take() else {
            return;
        };
        let error = match input {
            // The failure of one call fails all that wait for it, so with a broker each of them counts.
            Input::RoomOfAnother(Err(error)) if !self.deadline.waits_in_outage => Some(error),
            // No call was made.
            Input::Start | Input::Waited | Input::NoPermit | Input::RoomOfAnother(_) => return,
            Input::Room(result) => result.as_ref().err(),
            Input::Sent(result) | Input::Edited(result) => result.as_ref().err(),
            Input::Found(result) => result.as_ref().err(),
            Input::Checked(result) => result.as_ref().err(),
        };
        let took = now.saturating_sub(began);
        state.record(error.copied(), is_probe, took, now);
    }

    fn without_permit(&self) -> Command {
        let error = self.cause.or(self.last_error);
        Command::Finish(error.map_or(SendResult::Overloaded, SendResult::from))
    }

    /// Rocket.Chat also refuses a message that is already stored, so look it up first.
    fn after_failed_send(
        &mut self,
        error: ApiError,
        now: Duration,
        state: &mut ServerState,
    ) -> Command {
        match error {
            ApiError::Refused
            | ApiError::Unreachable(_)
            | ApiError::Forbidden
            | ApiError::Unconfirmed => {
                self.cause = Some(error);
                self.start(Step::Find, now, state)
            }
            error => self.try_again(error, now, state),
        }
    }

    /// Reports the error that caused the look-up, which is more informative than the last one.
    pub(super) fn give_up_on(&mut self, error: ApiError) -> Command {
        Command::Finish(self.cause.take().unwrap_or(error).into())
    }

    /// Starts a step, waits in an outage, or gives up if the deadline is too close.
    pub(super) fn start(&mut self, step: Step, now: Duration, state: &mut ServerState) -> Command {
        self.step = step;
        let Some(time) = self.deadline.time_for_a_call(now) else {
            return self.give_up_without_a_call(None);
        };
        // One that waits already continues to, so that not all of them try at the same time.
        let is_first = self.attempts.retries == 0 && self.outage_waits == 0;
        let admission = state.breaker.admit(&self.deadline, is_first, now);
        if let Admission::Wait(pause) = admission {
            if !self.deadline.waits_in_outage {
                return self.give_up_without_a_call(state.outage_error);
            }
            self.outage_waits = self.outage_waits.saturating_add(1);
            return Command::Wait(self.jitter.of(pause));
        }
        self.call = Some(CallInProgress {
            began: now,
            is_probe: admission == Admission::Probe,
        });
        Command::Call(self.call_of(step), time)
    }

    /// Reports the error of an earlier call, or else the one that other notifications had in the outage.
    fn give_up_without_a_call(&mut self, in_outage: Option<ApiError>) -> Command {
        let error = self.cause.take().or(self.last_error);
        let error = error.or(in_outage);
        let no_time = SendResult::Failed(SendError::NoTime);
        Command::Finish(error.map_or(no_time, SendResult::from))
    }

    fn call_of(&self, step: Step) -> Call {
        let Some(room) = &self.room else {
            return match step {
                Step::CheckUser => Call::CheckUser,
                _ => Call::CreateRoom,
            };
        };
        match step {
            Step::FindPrecondition | Step::FindFormer => {
                let candidate = self.candidates.first().cloned();
                Call::Find(candidate.unwrap_or_else(|| self.message_id(room)))
            }
            Step::Send => Call::Send(room.clone(), self.message_id(room)),
            Step::Find => Call::Find(self.message_id(room)),
            Step::Edit => Call::Edit(room.clone(), self.message_id(room)),
            Step::CreateRoom => Call::CreateRoom,
            Step::CheckUser => Call::CheckUser,
            Step::CheckRoom => Call::CheckRoom(room.clone()),
        }
    }

    pub(super) fn delivered(&self, confirmed_by: ConfirmedBy) -> Command {
        match &self.room {
            Some(room) => Command::Finish(SendResult::Delivered {
                id: self.message_id(room),
                confirmed_by,
            }),
            // Unreachable: every call that stores a message has a room.
            None => give_up(SendError::Api(ApiError::Unconfirmed)),
        }
    }

    fn message_id(&self, room: &RoomId) -> MessageId {
        let current = || {
            let ids = &self.account.ids;
            ids.id(&self.origin, &self.key, room, self.generation)
        };
        self.former.clone().unwrap_or_else(current)
    }
}

pub(super) fn give_up(error: SendError) -> Command {
    Command::Finish(SendResult::Failed(error))
}
