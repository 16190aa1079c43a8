//! Sends notifications by executing the commands of [`machine`](super::machine), which makes all
//! decisions. Owns what all deliveries of one process share: the permits, the retry budget and the
//! cached rooms of recipients.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use http::HeaderMap;
use tokio::sync::Semaphore;
use tokio::time::{self, Instant};

use super::command::{Command, Input};
use super::deadline::Deadline;
use super::machine::SendMachine;
use super::result::{Attempts, RecipientResult, SendResult};
use super::retry_budget::RetryBudget;
use crate::limits::LIMITS;
use crate::notifier::notification::Notification;
use crate::rocketchat::client::{CallOptions, Client, Timed};
use crate::rocketchat::endpoint::Endpoint;
use crate::rocketchat::response::ApiError;
use crate::rocketchat::{Destination, RoomId, UserId, Username};

/// Called after every call to Rocket.Chat, with its error, if any, and its duration.
pub(crate) type CallObserver = Box<dyn Fn(Endpoint, Option<ApiError>, Duration) + Send + Sync>;

/// Sends notifications as one account.
pub struct Sender {
    client: Client,
    bot: UserId,
    limit: Duration,
    permits: Semaphore,
    budget: Mutex<RetryBudget>,
    /// The direct message room of each recipient. Rooms do not change, and each saves one call per
    /// message.
    rooms: Mutex<HashMap<Username, RoomId>>,
    /// The zero of the clock that the state machines use.
    epoch: Instant,
    observe: CallObserver,
}

impl fmt::Debug for Sender {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Sender")
            .field("bot", &self.bot)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

impl Sender {
    /// Creates a sender. `limit` is the time limit of one delivery.
    pub(crate) fn new(client: Client, bot: UserId, limit: Duration, observe: CallObserver) -> Self {
        Self {
            client,
            bot,
            limit,
            permits: Semaphore::new(LIMITS.sending.max_in_progress),
            budget: Mutex::new(RetryBudget::new(Duration::ZERO)),
            rooms: Mutex::default(),
            epoch: Instant::now(),
            observe,
        }
    }

    /// Sends all notifications concurrently and independently of each other. The time limit counts
    /// from `started`. `headers` are added to every call.
    pub(crate) async fn send_all(
        &self,
        notifications: &[Notification],
        started: Instant,
        headers: &HeaderMap,
    ) -> Vec<RecipientResult> {
        let each = notifications
            .iter()
            .map(|notification| self.send(notification, started, headers));
        join_all(each).await
    }

    /// Sends one notification.
    pub(crate) async fn send(
        &self,
        notification: &Notification,
        started: Instant,
        headers: &HeaderMap,
    ) -> RecipientResult {
        let done = |result, attempts| RecipientResult {
            destination: notification.destination.clone(),
            result,
            attempts,
        };
        let permit = time::timeout(LIMITS.sending.max_wait, self.permits.acquire()).await;
        let Some(_permit) = permit.ok().and_then(Result::ok) else {
            return done(SendResult::Overloaded, Attempts::default());
        };
        let mut machine = self.begin(notification, started);
        let mut input = Input::Start;
        loop {
            let command = {
                let mut budget = self.budget.lock().unwrap_or_else(PoisonError::into_inner);
                machine.on(input, self.epoch.elapsed(), &mut budget)
            };
            input = match command {
                Command::Finish(result) => return done(result, machine.attempts),
                command => self.execute(command, notification, headers).await,
            };
        }
    }

    fn begin(&self, notification: &Notification, started: Instant) -> SendMachine {
        let started = started.saturating_duration_since(self.epoch);
        let room = match &notification.destination {
            // In a cached room that no longer exists, every look-up would find nothing.
            Destination::User(_) if !notification.precondition.is_empty() => None,
            Destination::User(name) => self.rooms().get(name).cloned(),
            Destination::Room(room) => Some(room.clone()),
        };
        // Random, so that replicas with the same delivery retry at different times.
        let seed = RandomState::new().hash_one(notification.key.as_str());
        let deadline = Deadline::new(started, self.limit);
        SendMachine::new(notification, self.bot.clone(), room, deadline, seed)
    }

    async fn execute(
        &self,
        command: Command,
        notification: &Notification,
        headers: &HeaderMap,
    ) -> Input {
        let text = &notification.text;
        let options = |within| CallOptions { within, headers };
        match command {
            Command::CreateRoom { within } => {
                Input::Room(self.room(&notification.destination, options(within)).await)
            }
            Command::Send { room, id, within } => {
                let call = self.client.send_message(&room, &id, text, options(within));
                Input::Sent(self.observed(Endpoint::SendMessage, call.await))
            }
            Command::Find { id, within } => {
                let call = self.client.get_message(&id, options(within));
                Input::Found(self.observed(Endpoint::GetMessage, call.await))
            }
            Command::Edit { room, id, within } => {
                let call = self
                    .client
                    .update_message(&room, &id, text, options(within));
                Input::Edited(self.observed(Endpoint::UpdateMessage, call.await))
            }
            Command::Wait(pause) => {
                time::sleep(pause).await;
                Input::Waited
            }
            // Unreachable: the caller handles `Finish`. `Waited` does not start over.
            Command::Finish(_) => Input::Waited,
        }
    }

    fn observed<T>(&self, endpoint: Endpoint, call: Timed<T>) -> Result<T, ApiError> {
        (self.observe)(endpoint, call.result.as_ref().err().copied(), call.elapsed);
        call.result
    }

    /// Creates or finds the room of a user. A configured room is never created.
    async fn room(
        &self,
        destination: &Destination,
        options: CallOptions<'_>,
    ) -> Result<RoomId, ApiError> {
        let Destination::User(name) = destination else {
            return Err(ApiError::Refused);
        };
        let call = self.client.create_room(name, options).await;
        let room = self.observed(Endpoint::CreateRoom, call);
        let mut rooms = self.rooms();
        match &room {
            Ok(room) => {
                if rooms.len() >= LIMITS.sending.max_rooms {
                    rooms.clear();
                }
                rooms.insert(name.clone(), room.clone());
            }
            Err(_) => drop(rooms.remove(name)),
        }
        room
    }

    fn rooms(&self) -> MutexGuard<'_, HashMap<Username, RoomId>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
