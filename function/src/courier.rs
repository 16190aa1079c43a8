//! Brings one message to everybody who is to hear it: does what [`delivery`](crate::delivery)
//! decides and tells it what came of it. Owns what deliveries of one process share: the number that
//! may be under way, the retry budget and the rooms of recipients. Decides nothing itself.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::Semaphore;
use tokio::time::{self, Instant};

use crate::delivery::budget::RetryBudget;
use crate::delivery::{Action, Busy, Delivery, Effort, Input, Schedule, Verdict};
use crate::gitlab::circumstances::Progress;
use crate::gitlab::delivery_id::DeliveryId;
use crate::notice::Notice;
use crate::rocketchat::client::Client;
use crate::rocketchat::reply::Fault;
use crate::rocketchat::{Recipient, RoomId, UserId};
use crate::routes::Target;

/// Deliveries under way at once. More connections to the chat server than this make all of them
/// slower; who waits costs no connection.
const MAX_UNDER_WAY: usize = 64;

/// The longest wait for a turn. Later the answer "busy" is worth more than the turn.
const MAX_QUEUE: Duration = Duration::from_secs(1);

/// Rooms that are remembered, a few hundred bytes each. Beyond that all are forgotten, which costs
/// a call for each of them.
const MAX_ROOMS: usize = 1000;

/// Delivers as one account.
#[derive(Debug)]
pub struct Courier {
    client: Client,
    bot: UserId,
    limit: Duration,
    turns: Semaphore,
    budget: Mutex<RetryBudget>,
    /// They stay the same for years; each saves a call for every delivery after the first.
    rooms: Mutex<HashMap<Recipient, RoomId>>,
    /// The zero of the clock that `delivery` is given.
    epoch: Instant,
}

/// What is to be brought, and to whom.
#[derive(Clone, Debug)]
pub struct Errand {
    /// To whom.
    pub target: Target,
    /// What.
    pub message: Message,
}

/// What is to be brought.
#[derive(Clone, Debug)]
pub struct Message {
    /// Names it: the same for every try, delivery and replica that means the same message.
    pub key: DeliveryId,
    /// What it says.
    pub notice: Notice,
    /// What it tells of a pipeline, if it is to be edited as that moves.
    pub progress: Option<Progress>,
    /// Names of messages of which one must be there already; none is a message for everybody.
    pub conditions: Vec<DeliveryId>,
}

impl Message {
    /// A message for everybody that stays as it is.
    pub fn new(key: DeliveryId, notice: Notice) -> Self {
        Self {
            key,
            notice,
            progress: None,
            conditions: Vec::new(),
        }
    }
}

impl Courier {
    /// A courier that has delivered nothing yet. `limit` is the longest time of one delivery.
    pub fn new(client: Client, bot: UserId, limit: Duration) -> Self {
        Self {
            client,
            bot,
            limit,
            turns: Semaphore::new(MAX_UNDER_WAY),
            budget: Mutex::new(RetryBudget::new(Duration::ZERO)),
            rooms: Mutex::default(),
            epoch: Instant::now(),
        }
    }

    /// Does all errands at once; the time limit counts from `started`. What becomes of one changes
    /// nothing for the others.
    pub async fn deliver(
        &self,
        errands: &[Errand],
        started: Instant,
    ) -> Vec<Result<(Verdict, Effort), Busy>> {
        let each = errands.iter().map(|errand| self.run(errand, started));
        join_all(each).await
    }

    async fn run(
        &self,
        Errand { target, message }: &Errand,
        started: Instant,
    ) -> Result<(Verdict, Effort), Busy> {
        let turn = time::timeout(MAX_QUEUE, self.turns.acquire()).await;
        let _turn = turn.ok().and_then(Result::ok).ok_or(Busy)?;
        let mut delivery = self.begin(target, message, started);
        let mut input = Input::Start;
        loop {
            let action = {
                let mut budget = self.budget.lock().unwrap_or_else(PoisonError::into_inner);
                delivery.on(input, self.epoch.elapsed(), &mut budget)
            };
            input = match action {
                Action::Finish(verdict) => return Ok((verdict, delivery.effort)),
                action => self.carry_out(action, target, &message.notice.text).await,
            };
        }
    }

    fn begin(&self, target: &Target, message: &Message, started: Instant) -> Delivery {
        let schedule = Schedule::new(started.saturating_duration_since(self.epoch), self.limit);
        let room = match target {
            // In a room that is gone there is nothing, and that would pass for an answer.
            Target::User(_) if !message.conditions.is_empty() => None,
            Target::User(recipient) => self.rooms().get(recipient).cloned(),
            Target::Room(room) => Some(room.clone()),
        };
        // Random, so that replicas with the same delivery do not try again at the same moment.
        let seed = RandomState::new().hash_one(message.key.as_str());
        let (key, instance) = (message.key.clone(), message.notice.instance.clone());
        Delivery::new(key, instance, self.bot.clone(), room, schedule, seed)
            .about(message.progress.clone())
            .after_one_of(message.conditions.clone())
    }

    async fn carry_out(&self, action: Action, target: &Target, text: &str) -> Input {
        match action {
            Action::CreateRoom { within } => Input::Room(self.room(target, within).await),
            Action::Send { room, id, within } => {
                Input::Sent(self.client.send_message(&room, &id, text, within).await)
            }
            Action::Find { id, within } => Input::Found(self.client.get_message(&id, within).await),
            Action::Edit { room, id, within } => {
                Input::Edited(self.client.update_message(&room, &id, text, within).await)
            }
            Action::Wait(pause) => {
                time::sleep(pause).await;
                Input::Waited
            }
            // The caller keeps this one; starting over would be wrong, waiting is not.
            Action::Finish(_) => Input::Waited,
        }
    }

    /// Makes or finds the room of a user; a room that was configured is there or is not.
    async fn room(&self, target: &Target, within: Duration) -> Result<RoomId, Fault> {
        let Target::User(recipient) = target else {
            return Err(Fault::Refused);
        };
        let room = self.client.create_room(recipient, within).await;
        let mut rooms = self.rooms();
        match &room {
            Ok(room) => {
                if rooms.len() >= MAX_ROOMS {
                    rooms.clear();
                }
                rooms.insert(recipient.clone(), room.clone());
            }
            Err(_) => drop(rooms.remove(recipient)),
        }
        room
    }

    fn rooms(&self) -> MutexGuard<'_, HashMap<Recipient, RoomId>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
