//! Brings one message to the recipient: does what [`delivery`](crate::delivery) decides and tells
//! it what came of it. Owns what deliveries of one process share: the number that may be under way,
//! the retry budget and the recipient's room. Decides nothing itself.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::{self, Instant};

use crate::delivery::budget::RetryBudget;
use crate::delivery::{Action, Delivery, Effort, Input, Schedule, Verdict};
use crate::gitlab::delivery_id::DeliveryId;
use crate::notice::Notice;
use crate::rocketchat::client::Client;
use crate::rocketchat::{Recipient, RoomId, UserId};

/// Deliveries under way at once. More connections to the chat server than this make all of them
/// slower; who waits costs no connection.
const MAX_UNDER_WAY: usize = 64;

/// The longest wait for a turn. Later the answer "busy" is worth more than the turn.
const MAX_QUEUE: Duration = Duration::from_secs(1);

/// Delivers to one recipient as one account.
#[derive(Debug)]
pub struct Courier {
    client: Client,
    bot: UserId,
    recipient: Recipient,
    limit: Duration,
    turns: Semaphore,
    budget: Mutex<RetryBudget>,
    /// Stays the same for years; saves a call for each delivery after the first.
    room: Mutex<Option<RoomId>>,
    /// The zero of the clock that `delivery` is given.
    epoch: Instant,
}

/// No turn came up in time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Busy;

impl Courier {
    /// A courier that has delivered nothing yet. `limit` is the longest time of one delivery.
    pub fn new(client: Client, bot: UserId, recipient: Recipient, limit: Duration) -> Self {
        Self {
            client,
            bot,
            recipient,
            limit,
            turns: Semaphore::new(MAX_UNDER_WAY),
            budget: Mutex::new(RetryBudget::new(Duration::ZERO)),
            room: Mutex::new(None),
            epoch: Instant::now(),
        }
    }

    /// Delivers a message; the time limit counts from `started`.
    pub async fn deliver(
        &self,
        id: DeliveryId,
        notice: &Notice,
        started: Instant,
    ) -> Result<(Verdict, Effort), Busy> {
        let turn = time::timeout(MAX_QUEUE, self.turns.acquire()).await;
        let _turn = turn.ok().and_then(Result::ok).ok_or(Busy)?;
        let mut delivery = self.begin(id, notice, started);
        let mut input = Input::Start;
        loop {
            let action = {
                let mut budget = self.budget.lock().unwrap_or_else(PoisonError::into_inner);
                delivery.on(input, self.epoch.elapsed(), &mut budget)
            };
            input = match action {
                Action::Finish(verdict) => return Ok((verdict, delivery.effort)),
                action => self.carry_out(action, &notice.text).await,
            };
        }
    }

    fn begin(&self, id: DeliveryId, notice: &Notice, started: Instant) -> Delivery {
        let schedule = Schedule::new(started.saturating_duration_since(self.epoch), self.limit);
        let room = self.remembered_room().clone();
        // Random, so that replicas with the same delivery do not try again at the same moment.
        let seed = RandomState::new().hash_one(id.as_str());
        Delivery::new(
            id,
            notice.instance.clone(),
            self.bot.clone(),
            room,
            schedule,
            seed,
        )
    }

    async fn carry_out(&self, action: Action, text: &str) -> Input {
        match action {
            Action::CreateRoom { within } => {
                let room = self.client.create_room(&self.recipient, within).await;
                self.remembered_room()
                    .clone_from(&room.as_ref().ok().cloned());
                Input::Room(room)
            }
            Action::Send { room, id, within } => {
                Input::Sent(self.client.send_message(&room, &id, text, within).await)
            }
            Action::Find { id, within } => Input::Found(self.client.get_message(&id, within).await),
            Action::Wait(pause) => {
                time::sleep(pause).await;
                Input::Waited
            }
            // The caller keeps this one; starting over would be wrong, waiting is not.
            Action::Finish(_) => Input::Waited,
        }
    }

    fn remembered_room(&self) -> std::sync::MutexGuard<'_, Option<RoomId>> {
        self.room.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
