//! A strict fake of Rocket.Chat 8.x: it rejects what the real server rejects, with the same error texts, and stores messages by id.
//! Owns the handle that tests use; sockets are in `connection`, validation and behaviour in `middleware` and `handlers`.
//! Each request that violates the published API is recorded as a violation and fails the test when the handle is dropped.

mod absence;
mod administration;
mod attachments;
mod builder;
mod chunks;
mod connection;
mod fault;
mod fault_injection;
mod handlers;
mod inspect;
mod limiter;
mod mentions;
mod message;
mod middleware;
mod people;
mod reply;
mod room;
mod route;
mod schema;
mod server;
mod store;
mod wire;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::task::JoinHandle;

pub use absence::Away;
pub use administration::Kept;
pub use builder::Builder;
pub use fault::Fault;
pub use message::Message;
pub use route::Route;
use server::Server;

/// A running fake server. Dropping it stops it, and panics if a message is unread or the client violated the API.
pub struct FakeRocketChat {
    address: SocketAddr,
    server: Arc<Server>,
    task: JoinHandle<()>,
    violations_expected: AtomicBool,
}

impl FakeRocketChat {
    /// Starts on a free port of 127.0.0.1: a bot with the roles `user` and `bot`, and alice, bob and carol.
    ///
    /// # Panics
    /// If no port is free.
    pub async fn start() -> Self {
        match Self::builder().start().await {
            Ok(started) => started,
            Err(error) => panic!("the fake Rocket.Chat cannot listen: {error}"),
        }
    }

    /// Settings to change before it starts.
    pub fn builder() -> Builder {
        Builder::default()
    }

    fn new(address: SocketAddr, server: Arc<Server>, task: JoinHandle<()>) -> Self {
        Self {
            address,
            server,
            task,
            violations_expected: AtomicBool::new(false),
        }
    }

    /// Its base URL, such as `http://127.0.0.1:40123`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The value for `X-User-Id`.
    pub fn user_id(&self) -> &str {
        &self.server.bot.id
    }

    /// The bot's username.
    pub fn username(&self) -> &str {
        &self.server.bot.username
    }

    /// The value for `X-Auth-Token`: a unique text, so that tests can search for leaks of it.
    pub fn auth_token(&self) -> &str {
        &self.server.auth_token
    }

    /// Injects a fault into the next call of a route; several faults are applied in the order in which they were injected.
    pub fn inject_fault(&self, route: Route, fault: Fault) {
        self.server.store().faults.queue(route, fault);
    }

    /// Injects a fault into every call of a route until [`Self::clear_faults`]; queued faults come first.
    pub fn inject_fault_always(&self, route: Route, fault: Fault) {
        self.server.store().faults.set_always(route, fault);
    }

    /// Removes all injected faults.
    pub fn clear_faults(&self) {
        self.server.store().faults.clear();
    }

    /// Is away for a time and then comes back by itself; returns as soon as it is away.
    ///
    /// Absences do not overlap: one that is ordered during another begins after it.
    pub async fn away(&self, lasting: Duration, how: Away) {
        self.server.absence.order(lasting, how).await;
    }

    /// Takes the oldest unread message and marks it as read.
    ///
    /// # Panics
    /// If there is none.
    pub fn take_message(&self) -> Message {
        let taken = self.server.store().take_unread();
        match taken {
            Some(message) => message,
            None => panic!("no unread message: {}", self.summary()),
        }
    }

    /// Waits for an unread message, takes the oldest and marks it as read.
    pub async fn next_message(&self) -> Message {
        loop {
            let taken = self.server.store().take_unread();
            if let Some(message) = taken {
                return message;
            }
            self.server.message_stored.notified().await;
        }
    }

    /// All stored messages that are not deleted, read or unread, oldest first.
    pub fn messages(&self) -> Vec<Message> {
        let store = self.server.store();
        let stored = store.messages.iter();
        let stored = stored.filter(|stored| stored.deleted.is_none());
        stored.map(|stored| stored.message.clone()).collect()
    }

    /// Marks all messages as read.
    pub fn mark_all_read(&self) {
        let mut store = self.server.store();
        store
            .messages
            .iter_mut()
            .for_each(|stored| stored.read = true);
    }

    /// How many calls a route has received, including rejected and failed ones.
    pub fn calls(&self, route: Route) -> usize {
        let store = self.server.store();
        store.calls.get(&route).copied().unwrap_or_default()
    }

    /// How often a message with this id was stored, not counting those of other users.
    pub fn inserts(&self, message_id: &str) -> usize {
        let store = self.server.store();
        store.inserts.get(message_id).copied().unwrap_or_default()
    }

    /// Declares that this test violates the API on purpose, so that violations do not fail it.
    pub fn expect_violation(&self) {
        self.violations_expected.store(true, Ordering::Relaxed);
    }

    /// API violations of the client so far.
    pub fn violations(&self) -> Vec<String> {
        self.server.store().violations.clone()
    }

    /// Stops the server and makes the final checks; dropping it does the same.
    ///
    /// # Panics
    /// If a message is unread, or if the client violated the API unexpectedly.
    pub fn finish(self) {
        drop(self);
    }

    fn summary(&self) -> String {
        let store = self.server.store();
        let calls: Vec<_> = Route::ALL
            .into_iter()
            .filter_map(|route| Some((route.path(), *store.calls.get(&route)?)))
            .collect();
        let stored = store.messages.len();
        format!(
            "{stored} stored, calls {calls:?}, violations {:?}",
            store.violations
        )
    }

    fn failure(&self) -> Option<String> {
        let store = self.server.store();
        let unread = store.messages.iter().filter(|stored| !stored.read);
        let unread: Vec<_> = unread.map(|stored| &stored.message.text).collect();
        if !unread.is_empty() {
            return Some(format!("the test did not read these messages: {unread:?}"));
        }
        let expected = self.violations_expected.load(Ordering::Relaxed);
        let unexpected = !expected && !store.violations.is_empty();
        unexpected.then(|| format!("the client violated the API: {:#?}", store.violations))
    }
}

impl Drop for FakeRocketChat {
    fn drop(&mut self) {
        self.task.abort();
        if std::thread::panicking() {
            return;
        }
        if let Some(failure) = self.failure() {
            panic!("{failure}");
        }
    }
}
