//! A strict Rocket.Chat 8.x: it refuses what the real server refuses, answers in the same words and stores messages by id.
//! Owns the handle that a test holds; the sockets are in `connection`, the rules in `gate` and `actions`.
//! Whatever the client does against the published interface is a violation and fails the test at its end.

mod actions;
mod attachments;
mod builder;
mod chunks;
mod clock;
mod connection;
mod fault;
mod fault_injection;
mod inspect;
mod limiter;
mod mentions;
mod message;
mod middleware;
mod people;
mod reply;
mod route;
mod schema;
mod server;
mod store;
mod wire;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::task::JoinHandle;

pub use builder::Builder;
pub use fault::Fault;
pub use message::Message;
pub use route::Route;
use server::Server;

/// A running stand-in; it stops when dropped, and fails the test when something was left over.
pub struct FakeRocketChat {
    address: SocketAddr,
    server: Arc<Server>,
    task: JoinHandle<()>,
    violations_meant: AtomicBool,
}

impl FakeRocketChat {
    /// Starts on a free port of 127.0.0.1: a bot with the roles `user` and `bot`, and alice, bob and carol.
    ///
    /// # Panics
    /// When there is no free port.
    pub async fn start() -> Self {
        match Self::builder().start().await {
            Ok(started) => started,
            Err(error) => panic!("the chat stand-in cannot listen: {error}"),
        }
    }

    /// Settings first.
    pub fn builder() -> Builder {
        Builder::default()
    }

    fn new(address: SocketAddr, server: Arc<Server>, task: JoinHandle<()>) -> Self {
        Self {
            address,
            server,
            task,
            violations_meant: AtomicBool::new(false),
        }
    }

    /// Where it listens, such as `http://127.0.0.1:40123`.
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

    /// The value for `X-Auth-Token`: distinctive, so that a leak can be searched for.
    pub fn auth_token(&self) -> &str {
        &self.server.auth_token
    }

    /// Lets the next call on a route go wrong; several faults come true in the order they were given.
    pub fn misbehave(&self, route: Route, fault: Fault) {
        self.server.store().faults.queue(route, fault);
    }

    /// Lets every call on a route go wrong until [`Self::behave`]; queued faults go first.
    pub fn misbehave_always(&self, route: Route, fault: Fault) {
        self.server.store().faults.stand(route, fault);
    }

    /// Forgets all faults, queued and standing.
    pub fn behave(&self) {
        self.server.store().faults.clear();
    }

    /// The oldest message that was not taken yet.
    ///
    /// # Panics
    /// When there is none.
    pub fn take_message(&self) -> Message {
        let taken = self.server.store().take_unread();
        match taken {
            Some(message) => message,
            None => panic!("no message is waiting: {}", self.summary()),
        }
    }

    /// The oldest message that was not taken yet, as soon as there is one.
    pub async fn next_message(&self) -> Message {
        loop {
            let taken = self.server.store().take_unread();
            if let Some(message) = taken {
                return message;
            }
            self.server.arrived.notified().await;
        }
    }

    /// Every stored message, taken or not, oldest first.
    pub fn messages(&self) -> Vec<Message> {
        let store = self.server.store();
        let stored = store.messages.iter();
        stored.map(|stored| stored.message.clone()).collect()
    }

    /// Takes every message that is waiting.
    pub fn mark_all_read(&self) {
        let mut store = self.server.store();
        store
            .messages
            .iter_mut()
            .for_each(|stored| stored.read = true);
    }

    /// Deletes a message as a person would; its id is free again.
    pub fn delete_message(&self, message_id: &str) {
        let mut store = self.server.store();
        store
            .messages
            .retain(|stored| stored.message.id != message_id);
    }

    /// How many calls came in on a route, refused and failed ones included.
    pub fn calls(&self, route: Route) -> usize {
        let store = self.server.store();
        store.calls.get(&route).copied().unwrap_or_default()
    }

    /// How often a message with this id was stored; the messages of others do not count.
    pub fn inserts(&self, message_id: &str) -> usize {
        let store = self.server.store();
        store.inserts.get(message_id).copied().unwrap_or_default()
    }

    /// Says that this test means to break the interface, so that violations do not fail it.
    pub fn expect_violation(&self) {
        self.violations_meant.store(true, Ordering::Relaxed);
    }

    /// What the client did against the interface so far.
    pub fn violations(&self) -> Vec<String> {
        self.server.store().violations.clone()
    }

    /// Ends the test's use of the stand-in; dropping it does the same.
    ///
    /// # Panics
    /// When a message was not taken, or the client broke the interface unexpectedly.
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

    fn complaint(&self) -> Option<String> {
        let store = self.server.store();
        let unread = store.messages.iter().filter(|stored| !stored.read);
        let unread: Vec<_> = unread.map(|stored| &stored.message.text).collect();
        if !unread.is_empty() {
            return Some(format!(
                "messages were sent that the test did not take: {unread:?}"
            ));
        }
        let meant = self.violations_meant.load(Ordering::Relaxed);
        let broken = !meant && !store.violations.is_empty();
        broken.then(|| format!("the interface was broken: {:#?}", store.violations))
    }
}

impl Drop for FakeRocketChat {
    fn drop(&mut self) {
        self.task.abort();
        if std::thread::panicking() {
            return;
        }
        if let Some(complaint) = self.complaint() {
            panic!("{complaint}");
        }
    }
}
