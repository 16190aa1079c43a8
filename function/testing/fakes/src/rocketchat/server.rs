//! The server: its settings, its store, and the path of a call from `middleware` to its handler.
//! Sockets are in `connection`; the handle for tests is in the parent module.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::sync::{Barrier, Notify};

use super::Route;
use super::absence::Absence;
use super::handlers::{self, Collision};
use super::middleware::{self, Call, Caller};
use super::people::User;
use super::reply::Reply;
use super::store::Store;

#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a setting of the server that is on or off"
)]
pub(super) struct Server {
    pub(super) bot: User,
    pub(super) auth_token: String,
    pub(super) max_message_size: usize,
    pub(super) drops_unknown_users: bool,
    pub(super) racing_room_creation: bool,
    /// `Message_AllowEditing`.
    pub(super) editing_allowed: bool,
    /// Whether tokens outlive a change of the password.
    pub(super) keeps_tokens: bool,
    /// How many tokens were issued.
    pub(super) tokens: AtomicUsize,
    pub(super) store: Mutex<Store>,
    pub(super) absence: Absence,
    /// Notified when a message is stored.
    pub(super) message_stored: Notify,
    /// Where two racing sends wait for each other.
    pub(super) race_barrier: Barrier,
}

impl Server {
    pub(super) fn store(&self) -> MutexGuard<'_, Store> {
        // A test that panicked while it held the lock has only read.
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn violation(&self, text: impl Into<String>) {
        self.store().violation(text);
    }

    /// A new token: a unique text, so that tests can search for leaks of it.
    pub(super) fn new_token(&self) -> String {
        let number = self.tokens.fetch_add(1, Ordering::Relaxed);
        format!("canary-issued-{number}-Zr8Qw3Ty6Ui1Op4As9Df2Gh7Jk5Lx0Cv-never-shown")
    }

    /// Checks and handles a call of a route.
    pub(super) async fn handle(
        &self,
        route: Route,
        call: &Call,
        collision: Option<Collision>,
    ) -> Reply {
        let checked = match middleware::check(self, route, call) {
            Ok(checked) => checked,
            Err(rejection) => return rejection,
        };
        let parameters = &checked.parameters;
        let result = match &checked.caller {
            Some(caller) => self.execute(route, caller, parameters, collision).await,
            None if route == Route::Info => Ok(handlers::info()),
            None => handlers::log_in(self, parameters),
        };
        let mut reply = result.unwrap_or_else(|rejection| rejection);
        reply.headers.extend(checked.limits.into_iter().flatten());
        reply
    }

    /// Executes a call of an account.
    async fn execute(
        &self,
        route: Route,
        caller: &Caller,
        parameters: &Value,
        collision: Option<Collision>,
    ) -> Result<Reply, Reply> {
        let user = &caller.user;
        match route {
            Route::Me => Ok(handlers::me(user)),
            Route::UserInfo => handlers::user_info(self, user, parameters),
            Route::RoomInfo => handlers::room_info(self, user, parameters),
            Route::CreateDirectMessage => {
                handlers::create_direct_message(self, user, parameters).await
            }
            Route::SendMessage => handlers::send_message(self, user, parameters, collision).await,
            Route::PostMessage => handlers::post_message(self, user, parameters),
            Route::GetMessage => handlers::get_message(self, user, parameters),
            Route::UpdateMessage => handlers::update_message(self, user, parameters),
            Route::LogOut => Ok(handlers::log_out(self, &caller.session)),
            Route::CreateUser => handlers::create_user(self, user, parameters),
            Route::UpdateUser => handlers::update_user(self, user, parameters),
            Route::ListAccessTokens => handlers::access_tokens(self, user),
            Route::GenerateAccessToken => handlers::generate_access_token(self, user, parameters),
            Route::RegenerateAccessToken => {
                handlers::regenerate_access_token(self, user, parameters)
            }
            // They need no account.
            Route::Info | Route::LogIn => Err(Reply::unknown_route()),
        }
    }

    /// Rejects a call that matches no route.
    pub(super) fn not_found(&self, call: &Call) -> Reply {
        self.violation(format!("{} {} is not a route", call.method, call.path));
        if call.path.starts_with("/api/") {
            Reply::unknown_route()
        } else {
            Reply::html_page()
        }
    }
}
