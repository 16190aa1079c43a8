//! Settings of the fake Rocket.Chat, and starting it.

use std::io;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};

use tokio::net::TcpListener;
use tokio::sync::{Barrier, Notify};

use super::absence::Absence;
use super::people::User;
use super::server::Server;
use super::sessions::{Session, Sessions};
use super::store::Store;
use super::{FakeRocketChat, connection};

/// The access token of the bot: a unique text, so that tests can search logs and responses for leaks of it.
const AUTH_TOKEN: &str = "canary-Tq7vXw2Lr9Ns4Kd8Hb3Zc6Yp1Mf5Jg0Ae-never-shown";

/// The bot's username.
const BOT: &str = "gitlab-bot";

/// Settings of a [`FakeRocketChat`].
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a setting of the server that is on or off"
)]
pub struct Builder {
    roles: Vec<String>,
    users: Vec<String>,
    deactivated: Vec<String>,
    max_message_size: usize,
    drops_unknown_users: bool,
    racing_room_creation: bool,
    editing_allowed: bool,
    keeps_tokens: bool,
    inspectable: bool,
    address: String,
}

impl Default for Builder {
    fn default() -> Self {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Self {
            roles: owned(&["user", "bot"]),
            users: owned(&["alice", "bob", "carol"]),
            deactivated: Vec::new(),
            max_message_size: 5000,
            drops_unknown_users: false,
            racing_room_creation: false,
            editing_allowed: true,
            keeps_tokens: false,
            inspectable: false,
            address: "127.0.0.1:0".to_owned(),
        }
    }
}

impl Builder {
    /// The roles of the bot. Without `bot` it is rate limited; without `user` it cannot use `@all` and `@here`.
    #[must_use]
    pub fn roles(mut self, roles: &[&str]) -> Self {
        self.roles = roles.iter().map(|&role| role.to_owned()).collect();
        self
    }

    /// The usernames of the other accounts.
    #[must_use]
    pub fn users(mut self, users: &[&str]) -> Self {
        self.users = users.iter().map(|&user| user.to_owned()).collect();
        self
    }

    /// Usernames of further accounts, which had direct messages with the bot before an administrator deactivated them.
    #[must_use]
    pub fn deactivated(mut self, users: &[&str]) -> Self {
        self.deactivated = users.iter().map(|&user| user.to_owned()).collect();
        self
    }

    /// `Message_MaxAllowedSize`, in UTF-16 code units; default 5000.
    #[must_use]
    pub fn max_message_size(mut self, units: usize) -> Self {
        self.max_message_size = units;
        self
    }

    /// Ignores unknown users in `im.create` instead of rejecting the call.
    ///
    /// Some servers do so: the response is then a success with a room that lacks the recipient.
    #[must_use]
    pub fn drops_unknown_users(mut self) -> Self {
        self.drops_unknown_users = true;
        self
    }

    /// Takes 50 ms between the look-up and the insert of a new room, as a server with a slow database does.
    ///
    /// Of simultaneous first calls of `im.create` for one room, all but one then fail with an `E11000` text.
    #[must_use]
    pub fn racing_room_creation(mut self) -> Self {
        self.racing_room_creation = true;
        self
    }

    /// Turns `Message_AllowEditing` off: `chat.update` is then rejected.
    #[must_use]
    pub fn editing_forbidden(mut self) -> Self {
        self.editing_allowed = false;
        self
    }

    /// Keeps the tokens of an account when an administrator changes its password. By default they end with it.
    #[must_use]
    pub fn keeps_tokens(mut self) -> Self {
        self.keeps_tokens = true;
        self
    }

    /// Serves the inspection API under `/inspect/`, for tests in another process.
    #[must_use]
    pub fn inspectable(mut self) -> Self {
        self.inspectable = true;
        self
    }

    /// The address to listen on, such as `0.0.0.0:3000`; default a free port of 127.0.0.1.
    #[must_use]
    pub fn bind(mut self, address: &str) -> Self {
        address.clone_into(&mut self.address);
        self
    }

    /// Listens and serves on the current runtime; fails if it cannot bind the address.
    pub async fn start(self) -> io::Result<FakeRocketChat> {
        let listener = TcpListener::bind(&self.address).await?;
        let address = listener.local_addr()?;
        let roles: Vec<&str> = self.roles.iter().map(String::as_str).collect();
        let bot = User::new(BOT, &roles);
        let people = self
            .users
            .iter()
            .chain(&self.deactivated)
            .map(|name| User::new(name, &["user"]));
        let mut sessions = Sessions::default();
        sessions.add(Session::personal(&bot.id, AUTH_TOKEN, "webhook-app", true));
        let store = Store {
            sessions,
            users: std::iter::once(bot.clone()).chain(people).collect(),
            ..Store::default()
        };
        let (absence, orders) = Absence::new();
        let server = Arc::new(Server {
            bot,
            auth_token: AUTH_TOKEN.to_owned(),
            max_message_size: self.max_message_size,
            drops_unknown_users: self.drops_unknown_users,
            racing_room_creation: self.racing_room_creation,
            editing_allowed: self.editing_allowed,
            keeps_tokens: self.keeps_tokens,
            tokens: AtomicUsize::new(0),
            store: Mutex::new(store),
            absence,
            message_stored: Notify::new(),
            race_barrier: Barrier::new(2),
        });
        #[expect(
            clippy::disallowed_methods,
            reason = "the server runs in the background of a test, and its handle aborts the task"
        )]
        let task = tokio::spawn(connection::accept(
            listener,
            Arc::clone(&server),
            self.inspectable,
            orders,
        ));
        let chat = FakeRocketChat::new(address, server, task);
        for username in &self.deactivated {
            chat.direct_room(&[BOT, username]);
            chat.deactivate_user(username);
        }
        Ok(chat)
    }
}
