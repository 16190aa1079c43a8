//! How a call can go wrong, and which calls shall.
//! Acting it out is the business of `connection` (on the wire) and of `send_message` (in the store).

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use super::Route;

/// What happens to a call instead of the normal course.
///
/// "Carried out" means that the request took effect, for instance that the message is stored, whatever the client gets to see.
#[derive(Clone, Debug)]
pub enum Fault {
    /// This status with the body that Rocket.Chat, or the proxy in front of it (408, 413, 425, 429, 502, 503, 504), gives; not carried out.
    Status(u16),
    /// Exactly this answer; not carried out.
    Answer {
        /// The status code.
        status: u16,
        /// The value of `Content-Type`.
        content_type: &'static str,
        /// The body.
        body: String,
    },
    /// 429 as Rocket.Chat's own limiter answers: `X-RateLimit-*` headers, the reset in milliseconds since 1970, no `Retry-After`; not carried out.
    RateLimited {
        /// How far away the announced reset is.
        reset_in: Duration,
    },
    /// 302 to this address; not carried out.
    Redirect(String),
    /// A TCP reset after that many bytes of the answer, or at its end when it is shorter.
    ResetAfter {
        /// How many bytes of the answer still get out, its head included.
        bytes: usize,
        /// Whether the call is carried out first.
        insert: bool,
    },
    /// The connection is closed properly, without an answer.
    HangUp {
        /// Whether the call is carried out first.
        insert: bool,
    },
    /// Carried out; then half of the promised body, and the server closes only its sending side.
    HalfClose,
    /// Carried out and answered in full; then the connection that was announced as kept is closed.
    CloseAfterAnswer,
    /// A normal answer, late. The call is carried out even when the client has given up by then.
    Slow {
        /// How late.
        delay: Duration,
        /// Whether the call is carried out before the delay instead of after it.
        insert_first: bool,
    },
    /// 200 with `{"success":false}`; not carried out.
    SuccessFalse,
    /// Carried out, then answered with this status.
    InsertThenStatus(u16),
    /// 200 with an HTML page, as a starting server or a proxy gives; not carried out.
    NotJson,
    /// Carried out; a complete HTTP answer whose JSON stops in the middle.
    Truncated,
    /// Carried out; the normal answer with 64 MiB of padding inside, of no announced length.
    Huge,
    /// Carried out; the normal answer with a byte that is not UTF-8.
    NonUtf8,
    /// `chat.sendMessage` only: another replica stores the same message between our look-up and our insert, so that this call loses with an `E11000` text.
    LosesRace,
    /// `chat.sendMessage` only, to be queued twice: the two calls meet between look-up and insert, and one of them loses.
    Race,
    /// `chat.sendMessage` only: somebody else has taken the id for another message.
    TakenBy {
        /// The username of the other.
        user: &'static str,
        /// Whether it is in our room, where we can read it, or in one we cannot enter.
        same_room: bool,
    },
    /// `chat.sendMessage` only: a replay is answered with this text instead of the usual one. A first call is not affected.
    DuplicateText(String),
}

/// The faults that wait for their call.
#[derive(Default)]
pub(super) struct Faults {
    queued: HashMap<Route, VecDeque<Fault>>,
    standing: HashMap<Route, Fault>,
}

impl Faults {
    pub(super) fn queue(&mut self, route: Route, fault: Fault) {
        self.queued.entry(route).or_default().push_back(fault);
    }

    pub(super) fn stand(&mut self, route: Route, fault: Fault) {
        self.standing.insert(route, fault);
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The fault for the call that has just come in; queued ones go first.
    pub(super) fn next(&mut self, route: Route) -> Option<Fault> {
        let queued = self.queued.get_mut(&route).and_then(VecDeque::pop_front);
        queued.or_else(|| self.standing.get(&route).cloned())
    }
}
