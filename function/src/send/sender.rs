//! Sends notifications by executing the commands of [`machine`](super::machine), which makes all
//! decisions. Owns what all deliveries of one process share: the permits, the state of the server
//! and the cached rooms of recipients.

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use http::HeaderMap;
use tokio::sync::SemaphorePermit;
use tokio::time::{self, Instant};

use super::command::{Call, Command, Input};
use super::creations::Creations;
use super::deadline::Deadline;
use super::machine::{Account, SendMachine};
use super::permits::Permits;
use super::result::{HandOffResult, RecipientResult, SendResult};
use super::rooms::Rooms;
use super::server_state::ServerState;
use crate::notifier::notification::Notification;
use crate::rocketchat::client::{CallOptions, Client};
use crate::rocketchat::endpoint::Endpoint;
use crate::rocketchat::reachability::Unreachable;
use crate::rocketchat::response::ApiError;
use crate::rocketchat::{CallTime, Destination};

/// Called after every call to Rocket.Chat, with its error, if any, and its duration.
pub(crate) type CallObserver = Box<dyn Fn(Endpoint, Option<ApiError>, Duration) + Send + Sync>;

/// Sends notifications as one account.
pub struct Sender {
    pub(super) client: Client,
    account: Account,
    pub(super) limit: Duration,
    /// Whether a broker keeps what is not delivered in time.
    pub(super) hands_off: bool,
    permits: Permits,
    state: Mutex<ServerState>,
    pub(super) rooms: Mutex<Rooms>,
    pub(super) creations: Creations,
    /// The zero of the clock that the state machines use.
    pub(super) epoch: Instant,
    pub(super) observe: CallObserver,
}

impl fmt::Debug for Sender {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Sender")
            .field("account", &self.account)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

impl Sender {
    /// Creates a sender. `limit` is the time limit of one delivery. `hands_off` says whether a broker keeps
    /// what is not delivered in time.
    pub(crate) fn new(
        client: Client,
        account: Account,
        limit: Duration,
        hands_off: bool,
        observe: CallObserver,
    ) -> Self {
        Self {
            client,
            account,
            limit,
            hands_off,
            permits: Permits::default(),
            state: Mutex::new(ServerState::new(Duration::ZERO)),
            rooms: Mutex::default(),
            creations: Creations::default(),
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
        let start = self.since_epoch(started);
        let deadline = if self.hands_off {
            Deadline::before_hand_off(start, self.limit)
        } else {
            Deadline::new(start, self.limit)
        };
        let each = notifications
            .iter()
            .map(|notification| self.send(notification, deadline, headers));
        join_all(each).await
    }

    /// Sends a notification that a broker has kept.
    pub(crate) async fn redeliver(
        &self,
        notification: &Notification,
        started: Instant,
        headers: &HeaderMap,
    ) -> RecipientResult {
        let deadline = Deadline::of_redelivery(self.since_epoch(started), self.limit);
        self.send(notification, deadline, headers).await
    }

    /// The time on the clock of the state machines.
    fn since_epoch(&self, time: Instant) -> Duration {
        time.saturating_duration_since(self.epoch)
    }

    async fn send(
        &self,
        notification: &Notification,
        deadline: Deadline,
        headers: &HeaderMap,
    ) -> RecipientResult {
        let began = self.epoch.elapsed();
        let mut machine = self.begin(notification, deadline);
        let mut permit = None;
        let mut input = Input::Start;
        let result = loop {
            if permit.is_none() {
                permit = self.permit(&machine).await;
                if permit.is_none() {
                    input = Input::NoPermit;
                }
            }
            let command = machine.on(input, self.epoch.elapsed(), &mut lock(&self.state));
            input = match command {
                Command::Finish(result) => break result,
                Command::Wait(pause) => {
                    permit = None;
                    time::sleep(pause).await;
                    Input::Waited
                }
                Command::Call(call, within) => {
                    let options = CallOptions { within, headers };
                    match (call, &notification.destination) {
                        (Call::CreateRoom, Destination::User(name)) => {
                            self.room(name, began, options, &mut permit).await
                        }
                        (call, _) => self.call(call, notification, options).await,
                    }
                }
            };
        };
        self.forget_room(notification, &result);
        RecipientResult {
            destination: notification.destination.clone(),
            source: notification.source,
            result,
            attempts: machine.attempts,
            hand_off: HandOffResult::default(),
        }
    }

    /// Whether Rocket.Chat says that a recipient cannot receive messages, and why.
    pub(crate) async fn check(
        &self,
        recipient: &Destination,
    ) -> Result<Option<Unreachable>, ApiError> {
        let headers = HeaderMap::new();
        let options = CallOptions {
            within: CallTime {
                total: self.limit,
                response: self.limit,
            },
            headers: &headers,
        };
        self.look_up(recipient, options).await
    }

    /// A permit for calls, which is returned during pauses; `None` if there is none in time.
    async fn permit(&self, machine: &SendMachine) -> Option<SemaphorePermit<'_>> {
        let begin_in_time = |waiting| {
            let state = lock(&self.state);
            let latest = machine.latest_begin(&state);
            let is_possible = self.epoch.elapsed() + state.expected_wait(waiting) <= latest;
            is_possible.then(|| self.epoch + latest)
        };
        self.permits.get(begin_in_time).await
    }

    fn begin(&self, notification: &Notification, deadline: Deadline) -> SendMachine {
        let room = match &notification.destination {
            // In a cached room that no longer exists, every look-up would find nothing.
            Destination::User(_) if !notification.precondition.is_empty() => None,
            Destination::User(name) => lock(&self.rooms).get(name, self.epoch.elapsed()),
            Destination::Room(room) => Some(room.clone()),
        };
        // Random, so that replicas with the same delivery retry at different times.
        let seed = RandomState::new().hash_one(notification.key.as_str());
        SendMachine::new(notification, self.account.clone(), room, deadline, seed)
    }

    fn forget_room(&self, notification: &Notification, result: &SendResult) {
        if let Destination::User(name) = &notification.destination
            && result.may_be_caused_by_the_room()
        {
            lock(&self.rooms).remove(name);
        }
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
