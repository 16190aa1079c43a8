//! The server: its settings, its store, and the path of a call from `middleware` to its handler.
//! Sockets are in `connection`; the handle for tests is in the parent module.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Barrier, Notify};

use super::Route;
use super::absence::Absence;
use super::handlers::{self, Collision};
use super::middleware::{self, Call};
use super::people::User;
use super::reply::Reply;
use super::store::Store;

pub(super) struct Server {
    pub(super) bot: User,
    pub(super) auth_token: String,
    pub(super) max_message_size: usize,
    pub(super) drops_unknown_users: bool,
    pub(super) racing_room_creation: bool,
    /// `Message_AllowEditing`.
    pub(super) editing_allowed: bool,
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
        let (user, parameters) = (&checked.user, &checked.parameters);
        let result = match route {
            Route::Me => Ok(handlers::me(user)),
            Route::UserInfo => handlers::user_info(self, user, parameters),
            Route::RoomInfo => handlers::room_info(self, user, parameters),
            Route::CreateDirectMessage => {
                handlers::create_direct_message(self, user, parameters).await
            }
            Route::SendMessage => handlers::send_message(self, user, parameters, collision).await,
            Route::GetMessage => handlers::get_message(self, user, parameters),
            Route::UpdateMessage => handlers::update_message(self, user, parameters),
        };
        let mut reply = result.unwrap_or_else(|rejection| rejection);
        reply.headers.extend(checked.limits.into_iter().flatten());
        reply
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
