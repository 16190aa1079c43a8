//! The faults that a test can inject, and the queue that decides which call gets which fault.
//! `fault_injection` applies them; `send_message` handles those that concern the store.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use super::Route;

/// What goes wrong in a call.
///
/// "Executed" means that the call took effect, for example that the message is stored, whatever response the client gets.
#[derive(Clone, Debug)]
pub enum Fault {
    /// This status with the body that Rocket.Chat, or the proxy in front of it (408, 413, 425, 429, 502, 503, 504), sends; not executed.
    Status(u16),
    /// Exactly this response; not executed.
    Response {
        /// The status code.
        status: u16,
        /// The value of `Content-Type`.
        content_type: &'static str,
        /// The body.
        body: String,
    },
    /// 429 as sent by Rocket.Chat's rate limiter: `X-RateLimit-*` headers, the reset in Unix milliseconds, no `Retry-After`; not executed.
    RateLimited {
        /// Time until the announced reset.
        reset_in: Duration,
    },
    /// 302 to this URL; not executed.
    Redirect(String),
    /// A TCP reset after this many bytes of the response, or at its end if it is shorter.
    ResetAfter {
        /// How many bytes of the response are sent, including its head.
        bytes: usize,
        /// Whether the call is executed first.
        insert: bool,
    },
    /// The connection is closed without a response and without a reset.
    HangUp {
        /// Whether the call is executed first.
        insert: bool,
    },
    /// Executed; then half of the announced body is sent, and the server closes only its sending side.
    HalfClose,
    /// Executed, with a complete response; then the keep-alive connection is closed.
    CloseAfterResponse,
    /// A normal response, late. The call is executed even if the client has timed out by then.
    Slow {
        /// The delay.
        delay: Duration,
        /// Whether the call is executed before the delay instead of after it.
        insert_first: bool,
    },
    /// 200 with `{"success":false}`; not executed.
    SuccessFalse,
    /// Executed, then answered with this status.
    InsertThenStatus(u16),
    /// 200 with an HTML page, as a starting server or a proxy sends; not executed.
    NotJson,
    /// Executed; the normal response with this additional header, or with this value of `date`.
    Header(&'static str, String),
    /// Executed; a complete HTTP response with truncated JSON.
    Truncated,
    /// Executed; the normal response with 64 MiB of padding and without `Content-Length`.
    Huge,
    /// Executed; the normal response with a byte that is not UTF-8.
    NonUtf8,
    /// `chat.sendMessage` only: another replica stores the same message between look-up and insert, so that this call fails with an `E11000` text.
    LosesRace,
    /// `chat.sendMessage` only, to be queued twice: both calls wait for each other between look-up and insert, and one of them fails.
    Race,
    /// `chat.sendMessage` only: another user has stored a message with this id.
    TakenBy {
        /// The username of the other user.
        user: &'static str,
        /// Whether it is in the same room, where the bot can read it, or in a room without the bot.
        same_room: bool,
    },
    /// `chat.sendMessage` only: a duplicate is rejected with this text instead of the usual one. A first call is not affected.
    DuplicateText(String),
}

/// Injected faults by route.
#[derive(Default)]
pub(super) struct Faults {
    queued: HashMap<Route, VecDeque<Fault>>,
    always: HashMap<Route, Fault>,
}

impl Faults {
    pub(super) fn queue(&mut self, route: Route, fault: Fault) {
        self.queued.entry(route).or_default().push_back(fault);
    }

    pub(super) fn set_always(&mut self, route: Route, fault: Fault) {
        self.always.insert(route, fault);
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The fault for the current call; queued faults come first.
    pub(super) fn next(&mut self, route: Route) -> Option<Fault> {
        let queued = self.queued.get_mut(&route).and_then(VecDeque::pop_front);
        queued.or_else(|| self.always.get(&route).cloned())
    }
}
