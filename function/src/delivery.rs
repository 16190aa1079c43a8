//! What to do next to bring one message to one user, whatever the chat server answers. Owns the
//! order of calls, the tries, the pauses and the deadline. Pure: it is told what happened and when,
//! and says what to do; the calls are made in [`courier`](crate::courier).
//!
//! The promise it keeps: it says [`Verdict::Delivered`] only of a message that is stored under its
//! id, and whatever it says, at most one message is stored, for every try uses the same id.

use std::time::Duration;

use crate::gitlab::circumstances::Progress;
use crate::gitlab::delivery_id::DeliveryId;
use crate::live;
use crate::rocketchat::reply::{Fault, StoredMessage};
use crate::rocketchat::{MessageId, RoomId, UserId};

pub mod action;
pub mod budget;
mod recall;
pub mod schedule;
pub mod verdict;

pub use action::{Action, Input};
use budget::RetryBudget;
pub use schedule::Schedule;
pub use verdict::{Busy, Effort, Evidence, Refusal, Verdict};

/// Tries after the first one, over all calls of one delivery.
const MAX_RETRIES: u64 = 2;

/// Shortest and longest pause before a retry: long enough for a restart of a proxy's worker, short
/// enough for three tries in the time there is.
const PAUSE_MS: std::ops::Range<u64> = 100..400;

/// A look-up that gets less time than this is not worth its call.
const MIN_CALL: Duration = Duration::from_millis(100);

/// The calls, in the order of a delivery without trouble.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Step {
    CreateRoom,
    /// Look for a message that must be there for this one to be sent.
    Recall,
    Send,
    Find,
    Edit,
}

/// One delivery to one user.
#[derive(Clone, Debug)]
pub struct Delivery {
    key: DeliveryId,
    instance: String,
    bot: UserId,
    /// What the message tells of a pipeline, if it is to be edited as that moves.
    progress: Option<Progress>,
    /// Names of messages of which one must be there before this one is sent, the next to look for
    /// at the end; empty once one was found, or where there is no condition.
    conditions: Vec<DeliveryId>,
    schedule: Schedule,
    /// Makes the pauses of different deliveries differ.
    seed: u64,
    room: Option<RoomId>,
    /// Whether the room was remembered from an earlier delivery, so that it may be gone.
    room_is_old: bool,
    /// What it has taken so far.
    pub effort: Effort,
    /// The step that a pause is for, or else the one under way.
    step: Step,
    /// The fault that made us look for the message.
    doubt: Option<Fault>,
}

impl Delivery {
    /// A delivery that has not begun.
    ///
    /// `instance` is the address of the GitLab, `bot` the account we send as, `room` the room of
    /// the recipient if an earlier delivery found it. `seed` may be any number.
    pub fn new(
        key: DeliveryId,
        instance: String,
        bot: UserId,
        room: Option<RoomId>,
        schedule: Schedule,
        seed: u64,
    ) -> Self {
        let room_is_old = room.is_some();
        Self {
            key,
            instance,
            bot,
            progress: None,
            conditions: Vec::new(),
            schedule,
            seed,
            room,
            room_is_old,
            effort: Effort::default(),
            step: Step::CreateRoom,
            doubt: None,
        }
    }

    /// The same delivery of a message that is edited while a pipeline moves.
    #[must_use]
    pub fn about(self, progress: Option<Progress>) -> Self {
        Self { progress, ..self }
    }

    /// Decides what to do next, given what happened and the time now.
    pub fn on(&mut self, input: Input, now: Duration, budget: &mut RetryBudget) -> Action {
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
            Input::Room(Err(fault)) => self.try_again(Step::CreateRoom, fault, now, budget),
            Input::Sent(Ok(())) => self.delivered(Evidence::Sent),
            Input::Sent(Err(fault)) => self.after_failed_send(fault, now, budget),
            Input::Found(found) if self.step == Step::Recall => {
                self.after_recall(found, now, budget)
            }
            Input::Found(found) => self.after_look(found, now, budget),
            Input::Edited(Ok(())) => self.delivered(Evidence::Edited),
            // To look again would find what there was before.
            Input::Edited(Err(Fault::Refused)) => give_up(Refusal::Fault(Fault::Refused)),
            Input::Edited(Err(fault)) => self.try_again(Step::Edit, fault, now, budget),
        }
    }

    /// A refusal is also the answer to a message that is there already: look before judging.
    fn after_failed_send(
        &mut self,
        fault: Fault,
        now: Duration,
        budget: &mut RetryBudget,
    ) -> Action {
        match fault {
            Fault::Refused | Fault::Unconfirmed => {
                self.doubt = Some(fault);
                self.take(Step::Find, now)
            }
            fault => self.try_again(Step::Send, fault, now, budget),
        }
    }

    fn after_look(
        &mut self,
        found: Result<StoredMessage, Fault>,
        now: Duration,
        budget: &mut RetryBudget,
    ) -> Action {
        match found {
            Ok(stored) if self.is_ours(&stored) && self.is_behind(&stored) => {
                self.doubt = None;
                self.take(Step::Edit, now)
            }
            Ok(stored) if self.is_ours(&stored) => self.delivered(Evidence::Found),
            Ok(_) => give_up(Refusal::IdTaken),
            Err(Fault::Refused) => self.after_absence(now, budget),
            Err(fault) => self.try_again(Step::Find, fault, now, budget),
        }
    }

    /// The message is not there, so what made us look is the answer.
    fn after_absence(&mut self, now: Duration, budget: &mut RetryBudget) -> Action {
        match self.doubt.take() {
            // The room we remembered may be gone: make it anew, once.
            Some(Fault::Refused) if self.room_is_old => {
                self.room = None;
                self.room_is_old = false;
                self.take(Step::CreateRoom, now)
            }
            Some(Fault::Unconfirmed) => {
                let pause = self.retry(Step::Send, Fault::Unconfirmed, now, budget);
                pause.unwrap_or_else(|| self.give_up_on(Fault::Unconfirmed))
            }
            Some(fault) => give_up(Refusal::Fault(fault)),
            None => give_up(Refusal::Fault(Fault::Refused)),
        }
    }

    /// Repeats a step, or looks once more for the message, or gives up.
    fn try_again(
        &mut self,
        step: Step,
        fault: Fault,
        now: Duration,
        budget: &mut RetryBudget,
    ) -> Action {
        if let Some(pause) = self.retry(step, fault, now, budget) {
            return pause;
        }
        // The last chance to learn that an answer was lost, not the message.
        if step == Step::Send && fault.leaves_doubt() && self.time_for_a_call(now).is_some() {
            self.doubt = Some(fault);
            return self.take(Step::Find, now);
        }
        self.give_up_on(fault)
    }

    /// The pause before a step is repeated, if the fault may pass, and time and budget allow it.
    fn retry(
        &mut self,
        step: Step,
        fault: Fault,
        now: Duration,
        budget: &mut RetryBudget,
    ) -> Option<Action> {
        let pause = self.pause(fault);
        let ends = now + pause + self.schedule.call_limit;
        let sensible = fault.is_transient()
            && self.effort.retries < MAX_RETRIES
            && ends <= self.schedule.deadline;
        if !sensible || !budget.take_retry(now) {
            return None;
        }
        self.effort.retries += 1;
        self.effort.rate_limit_waits += u64::from(matches!(fault, Fault::RateLimited(_)));
        self.step = step;
        Some(Action::Wait(pause))
    }

    /// Here a durable hand-off will take what could not be delivered directly.
    fn give_up_on(&mut self, fault: Fault) -> Action {
        give_up(Refusal::Fault(self.doubt.take().unwrap_or(fault)))
    }

    /// Begins a step, unless the time is over.
    fn take(&mut self, step: Step, now: Duration) -> Action {
        let Some(within) = self.time_for_a_call(now) else {
            return give_up(self.doubt.take().map_or(Refusal::NoTime, Refusal::Fault));
        };
        self.step = step;
        match (step, &self.room) {
            (Step::Recall, Some(room)) => Action::Find {
                id: self.condition_id(room),
                within,
            },
            (Step::Send, Some(room)) => Action::Send {
                room: room.clone(),
                id: self.message_id(room),
                within,
            },
            (Step::Find, Some(room)) => Action::Find {
                id: self.message_id(room),
                within,
            },
            (Step::Edit, Some(room)) => Action::Edit {
                room: room.clone(),
                id: self.message_id(room),
                within,
            },
            (Step::CreateRoom, _) | (_, None) => Action::CreateRoom { within },
        }
    }

    fn time_for_a_call(&self, now: Duration) -> Option<Duration> {
        let left = self.schedule.deadline.saturating_sub(now);
        (left >= MIN_CALL).then(|| left.min(self.schedule.call_limit))
    }

    fn delivered(&self, known_by: Evidence) -> Action {
        match &self.room {
            Some(room) => Action::Finish(Verdict::Delivered {
                id: self.message_id(room),
                known_by,
            }),
            // An answer to a call that was never made.
            None => give_up(Refusal::Fault(Fault::Unconfirmed)),
        }
    }

    fn is_ours(&self, stored: &StoredMessage) -> bool {
        stored.sender == self.bot && Some(&stored.room) == self.room.as_ref()
    }

    fn is_behind(&self, stored: &StoredMessage) -> bool {
        let progress = self.progress.as_ref();
        progress.is_some_and(|progress| live::is_behind(&stored.text, progress))
    }

    fn message_id(&self, room: &RoomId) -> MessageId {
        MessageId::derive(&self.instance, &self.key, room)
    }

    /// Until the limit is lifted, if that is why we wait, and a moment that differs by delivery.
    fn pause(&self, fault: Fault) -> Duration {
        let spread = PAUSE_MS.end - PAUSE_MS.start;
        // The step of splitmix64: neighbouring seeds and tries end far apart.
        let mixed = (self.seed ^ self.effort.retries).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        let jitter = Duration::from_millis(PAUSE_MS.start + mixed % spread);
        match fault {
            Fault::RateLimited(reset_in) => reset_in.unwrap_or_default() + jitter,
            _ => jitter,
        }
    }
}

fn give_up(refusal: Refusal) -> Action {
    Action::Finish(Verdict::Refused(refusal))
}
