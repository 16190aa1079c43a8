//! How a delivery can end. Owns the words for it; how it comes to that is decided in
//! [`delivery`](super), and what the sender is told in [`outcome`](crate::outcome).

use crate::rocketchat::MessageId;
use crate::rocketchat::response::ApiError;

/// How a delivery ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SendResult {
    /// The message is stored under this id.
    Delivered {
        /// Its id.
        id: MessageId,
        /// How we know.
        known_by: ConfirmedBy,
    },
    /// The message is for those only who have another one, and that one is not there.
    Withheld,
    /// The message is not known to be stored; sending the same delivery again is safe.
    Refused(SendError),
}

/// How we know that a message is stored.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ConfirmedBy {
    /// The server said so when we sent it.
    Sent,
    /// We looked, and it was there: sent by an earlier try, delivery or replica.
    Found,
    /// An earlier delivery about the same pipeline sent it, and its text is now this one's.
    Edited,
}

impl ConfirmedBy {
    /// Every evidence, for tables and for series that must exist from the start.
    pub const ALL: [Self; 3] = [Self::Sent, Self::Found, Self::Edited];

    /// The word for logs and metrics.
    pub fn label(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Found => "found",
            Self::Edited => "edited",
        }
    }
}

/// Why a delivery was given up.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SendError {
    /// The last call failed this way.
    ApiError(ApiError),
    /// A message of somebody else has our id.
    IdTaken,
    /// There was no time for any call.
    NoTime,
}

/// No turn came up in time, so nothing was tried.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Overloaded;

/// What a delivery took beyond one call of each kind.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Attempts {
    /// Calls that were made again.
    pub retries: u64,
    /// Pauses that the chat server's rate limit asked for.
    pub rate_limit_waits: u64,
}

impl std::ops::AddAssign for Attempts {
    fn add_assign(&mut self, other: Self) {
        self.retries += other.retries;
        self.rate_limit_waits += other.rate_limit_waits;
    }
}
