//! Brings one message to everybody who is to hear it: does what [`delivery`](crate::send)
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

use crate::gitlab::attributes::PipelineState;
use crate::gitlab::idempotency_key::IdempotencyKey;
use crate::notifier::message::Message;
use crate::rocketchat::Destination;
use crate::rocketchat::client::Client;
use crate::rocketchat::response::ApiError;
use crate::rocketchat::{RoomId, UserId, Username};
use crate::send::retry_budget::RetryBudget;
use crate::send::{Attempts, Command, Deadline, Input, Overloaded, SendMachine, SendResult};

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
pub struct Sender {
    client: Client,
    bot: UserId,
    limit: Duration,
    turns: Semaphore,
    budget: Mutex<RetryBudget>,
    /// They stay the same for years; each saves a call for every delivery after the first.
    rooms: Mutex<HashMap<Username, RoomId>>,
    /// The zero of the clock that `delivery` is given.
    epoch: Instant,
}

/// What is to be brought, and to whom.
#[derive(Clone, Debug)]
pub struct Notification {
    /// To whom.
    pub target: Destination,
    /// What.
    pub message: Outgoing,
}

/// What is to be brought.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// Names it: the same for every try, delivery and replica that means the same message.
    pub key: IdempotencyKey,
    /// What it says.
    pub message: Message,
    /// What it tells of a pipeline, if it is to be edited as that moves.
    pub progress: Option<PipelineState>,
    /// Names of messages of which one must be there already; none is a message for everybody.
    pub conditions: Vec<IdempotencyKey>,
}

impl Outgoing {
    /// A message for everybody that stays as it is.
    pub fn new(key: IdempotencyKey, message: Message) -> Self {
        Self {
            key,
            message,
            progress: None,
            conditions: Vec::new(),
        }
    }
}

impl Sender {
    /// A sender that has delivered nothing yet. `limit` is the longest time of one delivery.
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

    /// Does all notifications at once; the time limit counts from `started`. What becomes of one changes
    /// nothing for the others.
    pub async fn deliver(
        &self,
        notifications: &[Notification],
        started: Instant,
    ) -> Vec<Result<(SendResult, Attempts), Overloaded>> {
        let each = notifications
            .iter()
            .map(|notification| self.run(notification, started));
        join_all(each).await
    }

    async fn run(
        &self,
        Notification { target, message }: &Notification,
        started: Instant,
    ) -> Result<(SendResult, Attempts), Overloaded> {
        let turn = time::timeout(MAX_QUEUE, self.turns.acquire()).await;
        let _turn = turn.ok().and_then(Result::ok).ok_or(Overloaded)?;
        let mut delivery = self.begin(target, message, started);
        let mut input = Input::Start;
        loop {
            let action = {
                let mut budget = self.budget.lock().unwrap_or_else(PoisonError::into_inner);
                delivery.on(input, self.epoch.elapsed(), &mut budget)
            };
            input = match action {
                Command::Finish(verdict) => return Ok((verdict, delivery.effort)),
                action => self.carry_out(action, target, &message.message.text).await,
            };
        }
    }

    fn begin(&self, target: &Destination, message: &Outgoing, started: Instant) -> SendMachine {
        let deadline = Deadline::new(started.saturating_duration_since(self.epoch), self.limit);
        let room = match target {
            // In a room that is gone there is nothing, and that would pass for an answer.
            Destination::User(_) if !message.conditions.is_empty() => None,
            Destination::User(recipient) => self.rooms().get(recipient).cloned(),
            Destination::Room(room) => Some(room.clone()),
        };
        // Random, so that replicas with the same delivery do not try again at the same moment.
        let seed = RandomState::new().hash_one(message.key.as_str());
        let (key, instance) = (message.key.clone(), message.message.instance.clone());
        SendMachine::new(key, instance, self.bot.clone(), room, deadline, seed)
            .about(message.progress.clone())
            .after_one_of(message.conditions.clone())
    }

    async fn carry_out(&self, action: Command, target: &Destination, text: &str) -> Input {
        match action {
            Command::CreateRoom { within } => Input::Room(self.room(target, within).await),
            Command::Send { room, id, within } => {
                Input::Sent(self.client.send_message(&room, &id, text, within).await)
            }
            Command::Find { id, within } => {
                Input::Found(self.client.get_message(&id, within).await)
            }
            Command::Edit { room, id, within } => {
                Input::Edited(self.client.update_message(&room, &id, text, within).await)
            }
            Command::Wait(pause) => {
                time::sleep(pause).await;
                Input::Waited
            }
            // The caller keeps this one; starting over would be wrong, waiting is not.
            Command::Finish(_) => Input::Waited,
        }
    }

    /// Makes or finds the room of a user; a room that was configured is there or is not.
    async fn room(&self, target: &Destination, within: Duration) -> Result<RoomId, ApiError> {
        let Destination::User(recipient) = target else {
            return Err(ApiError::Refused);
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

    fn rooms(&self) -> MutexGuard<'_, HashMap<Username, RoomId>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
