//! How sending to one recipient can end. Owns the words for it; how it comes to that is decided in
//! [`machine`](super::machine), and what the webhook's sender is answered in [`outcome`](crate::outcome).

use crate::rocketchat::response::ApiError;
use crate::rocketchat::{Destination, MessageId};

/// What became of one notification.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RecipientResult {
    /// The recipient.
    pub destination: Destination,
    /// How it ended.
    pub result: SendResult,
    /// What it took beyond one call of each kind.
    pub attempts: Attempts,
}

/// How sending ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SendResult {
    /// The message is stored under this id.
    Delivered {
        /// Its id.
        id: MessageId,
        /// How that is known.
        confirmed_by: ConfirmedBy,
    },
    /// The message is for those only who have another one, and that one does not exist.
    Withheld,
    /// The message is not known to be stored; sending the same notification again is safe.
    Failed(SendError),
    /// No permit became free in time, so nothing was tried.
    Overloaded,
}

/// How it is known that a message is stored.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ConfirmedBy {
    /// The server confirmed it when it was sent.
    Sent,
    /// A look-up found it: stored by an earlier try, delivery or replica.
    Found,
    /// An earlier delivery about the same pipeline stored it, and its text is now this one's.
    Edited,
}

impl ConfirmedBy {
    /// Every variant, for tables and for series that must exist from the start.
    pub const ALL: [Self; 3] = [Self::Sent, Self::Found, Self::Edited];

    /// The label for logs and metrics.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Found => "found",
            Self::Edited => "edited",
        }
    }
}

/// Why sending was given up.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SendError {
    /// The last call failed this way.
    Api(ApiError),
    /// A message of another account or room has the id.
    IdTaken,
    /// There was no time for any call.
    NoTime,
}

/// What sending took beyond one call of each kind.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Attempts {
    /// Calls that were retried.
    pub retries: u64,
    /// Pauses that Rocket.Chat's rate limit asked for.
    pub rate_limit_waits: u64,
}

impl std::ops::AddAssign for Attempts {
    fn add_assign(&mut self, other: Self) {
        self.retries += other.retries;
        self.rate_limit_waits += other.rate_limit_waits;
    }
}
