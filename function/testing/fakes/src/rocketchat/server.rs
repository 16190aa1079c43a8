//! The server behind the sockets: its settings, its memory, and the way of a call through it.
//! Sockets belong to `connection`, the handle that tests hold to the parent module.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Barrier, Notify};

use super::Route;
use super::actions::{self, Collision};
use super::middleware::{self, Call};
use super::people::User;
use super::reply::Reply;
use super::store::Store;

pub(super) struct Server {
    pub(super) bot: User,
    pub(super) auth_token: String,
    pub(super) max_message_size: usize,
    pub(super) drops_unknown_users: bool,
    pub(super) store: Mutex<Store>,
    /// Told of every stored message.
    pub(super) arrived: Notify,
    /// Where two racing sends meet.
    pub(super) meeting: Barrier,
}

impl Server {
    pub(super) fn store(&self) -> MutexGuard<'_, Store> {
        // A test that panicked while it looked has changed nothing.
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn violation(&self, text: impl Into<String>) {
        self.store().violation(text);
    }

    /// A call to a route, from the gate to the answer.
    pub(super) async fn carry_out(
        &self,
        route: Route,
        call: &Call,
        collision: Option<Collision>,
    ) -> Reply {
        let admitted = match middleware::admit(self, route, call) {
            Ok(admitted) => admitted,
            Err(refusal) => return refusal,
        };
        let (user, parameters) = (&admitted.user, &admitted.parameters);
        let done = match route {
            Route::Me => Ok(actions::me(user)),
            Route::UserInfo => actions::user_info(self, parameters),
            Route::CreateDirectMessage => actions::create_direct_message(self, user, parameters),
            Route::SendMessage => actions::send_message(self, user, parameters, collision).await,
            Route::GetMessage => actions::get_message(self, user, parameters),
            Route::UpdateMessage => actions::update_message(self, user, parameters),
        };
        let mut reply = done.unwrap_or_else(|refusal| refusal);
        reply.headers.extend(admitted.limits.into_iter().flatten());
        reply
    }

    /// A call that no route takes.
    pub(super) fn lost(&self, call: &Call) -> Reply {
        self.violation(format!("{} {} is no route", call.method, call.path));
        if call.path.starts_with("/api/") {
            Reply::route_unknown()
        } else {
            Reply::start_page()
        }
    }
}
