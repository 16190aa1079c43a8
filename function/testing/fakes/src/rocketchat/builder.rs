//! The settings of the stand-in before it starts.

use std::io;
use std::sync::{Arc, Mutex};

use tokio::net::TcpListener;
use tokio::sync::{Barrier, Notify};

use super::people::User;
use super::server::Server;
use super::store::Store;
use super::{FakeRocketChat, connection};

/// The access token of the bot: distinctive, so that a leak into a log or an answer is found by searching for it.
const AUTH_TOKEN: &str = "canary-Tq7vXw2Lr9Ns4Kd8Hb3Zc6Yp1Mf5Jg0Ae-never-shown";

/// The bot's username.
const BOT: &str = "gitlab-bot";

/// Settings of a [`FakeRocketChat`]; every method takes and returns it.
#[derive(Clone, Debug)]
pub struct Builder {
    roles: Vec<String>,
    users: Vec<String>,
    max_message_size: usize,
    drops_unknown_users: bool,
    readable: bool,
    address: String,
}

impl Default for Builder {
    fn default() -> Self {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Self {
            roles: owned(&["user", "bot"]),
            users: owned(&["alice", "bob", "carol"]),
            max_message_size: 5000,
            drops_unknown_users: false,
            readable: false,
            address: "127.0.0.1:0".to_owned(),
        }
    }
}

impl Builder {
    /// The roles of the bot; without `bot` it is rate limited, without `user` it cannot notify everybody.
    #[must_use]
    pub fn roles(mut self, roles: &[&str]) -> Self {
        self.roles = roles.iter().map(|&role| role.to_owned()).collect();
        self
    }

    /// The people beside the bot.
    #[must_use]
    pub fn users(mut self, users: &[&str]) -> Self {
        self.users = users.iter().map(|&user| user.to_owned()).collect();
        self
    }

    /// `Message_MaxAllowedSize`, in UTF-16 code units; 5000 unless set.
    #[must_use]
    pub fn max_message_size(mut self, units: usize) -> Self {
        self.max_message_size = units;
        self
    }

    /// Leaves unknown people out of a new room instead of refusing it.
    ///
    /// Some servers do: the answer to `im.create` is then a success and names a room without the recipient.
    #[must_use]
    pub fn drops_unknown_users(mut self) -> Self {
        self.drops_unknown_users = true;
        self
    }

    /// Serves what was stored under `/inspect/`, for tests that hold no handle.
    #[must_use]
    pub fn readable(mut self) -> Self {
        self.readable = true;
        self
    }

    /// The address to listen on, such as `0.0.0.0:3000`; a free port of 127.0.0.1 unless set.
    #[must_use]
    pub fn bind(mut self, address: &str) -> Self {
        address.clone_into(&mut self.address);
        self
    }

    /// Listens and serves on the current runtime; fails when the address cannot be had.
    pub async fn start(self) -> io::Result<FakeRocketChat> {
        let listener = TcpListener::bind(&self.address).await?;
        let address = listener.local_addr()?;
        let roles: Vec<&str> = self.roles.iter().map(String::as_str).collect();
        let bot = User::new(BOT, &roles);
        let people = self.users.iter().map(|name| User::new(name, &["user"]));
        let store = Store {
            users: std::iter::once(bot.clone()).chain(people).collect(),
            ..Store::default()
        };
        let server = Arc::new(Server {
            bot,
            auth_token: AUTH_TOKEN.to_owned(),
            max_message_size: self.max_message_size,
            drops_unknown_users: self.drops_unknown_users,
            store: Mutex::new(store),
            arrived: Notify::new(),
            meeting: Barrier::new(2),
        });
        #[expect(
            clippy::disallowed_methods,
            reason = "the stand-in serves beside the test, and its handle ends the task"
        )]
        let task = tokio::spawn(connection::accept(
            listener,
            Arc::clone(&server),
            self.readable,
        ));
        Ok(FakeRocketChat::new(address, server, task))
    }
}
