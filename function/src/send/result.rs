//! The result of sending one notification. How it comes about is decided in
//! [`machine`](super::machine); which status and reason the webhook is answered with, in
//! [`outcome`](crate::outcome).

use crate::notifier::notification::RecipientSource;
use crate::rocketchat::reachability::Unreachable;
use crate::rocketchat::response::ApiError;
use crate::rocketchat::{Destination, MessageId};

/// The result for one recipient.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RecipientResult {
    /// The recipient.
    pub destination: Destination,
    /// Who named the recipient.
    pub source: RecipientSource,
    /// How it ended.
    pub result: SendResult,
    /// Retries and rate limit waits.
    pub attempts: Attempts,
    /// Whether a broker keeps it instead.
    pub hand_off: HandOffResult,
}

/// Whether a broker keeps a notification that was not delivered.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum HandOffResult {
    /// The broker was not asked.
    #[default]
    None,
    /// The broker has stored it.
    Accepted,
    /// The broker has not confirmed that it stored it.
    Failed(SinkError),
}

/// Why a broker has not confirmed a notification.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SinkError {
    /// The deadline left no time for a call.
    NoTime,
    /// It did not respond.
    Unreachable,
    /// It asked to try again: a 5xx or 429.
    Unavailable,
    /// Any other response.
    Refused,
}

impl SinkError {
    /// Every variant, for metric series that are created at startup.
    pub(crate) const ALL: [Self; 4] = [
        Self::NoTime,
        Self::Unreachable,
        Self::Unavailable,
        Self::Refused,
    ];

    /// The label in logs and metrics.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::NoTime => "no_time",
            Self::Unreachable => "unreachable",
            Self::Unavailable => "unavailable",
            Self::Refused => "refused",
        }
    }
}

/// How sending ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SendResult {
    /// The message is stored under this id.
    Delivered {
        /// Its id.
        id: MessageId,
        /// How this was confirmed.
        confirmed_by: ConfirmedBy,
    },
    /// Not sent, because no message of the precondition exists.
    Withheld,
    /// The message may or may not be stored; sending the same notification again is safe.
    Failed(SendError),
    /// Rocket.Chat says that the recipient cannot receive messages.
    Unreachable(Unreachable),
    /// No permit became available in time, so no call was made.
    Overloaded,
}

impl SendResult {
    /// Whether sending the same notification later may succeed without a change to it or to its recipient.
    pub fn may_succeed_later(&self) -> bool {
        match self {
            Self::Delivered { .. }
            | Self::Withheld
            | Self::Unreachable(_)
            | Self::Failed(SendError::IdTaken | SendError::Api(ApiError::TooLong)) => false,
            Self::Failed(_) | Self::Overloaded => true,
        }
    }

    /// Whether the room may no longer be that of the recipient. A failure of the server is no hint.
    pub(super) fn may_be_caused_by_the_room(&self) -> bool {
        match self {
            Self::Delivered { .. }
            | Self::Withheld
            | Self::Overloaded
            | Self::Failed(SendError::NoTime) => false,
            Self::Failed(SendError::Api(error)) => error.server_is_up() != Some(false),
            Self::Failed(SendError::IdTaken) | Self::Unreachable(_) => true,
        }
    }
}

impl From<ApiError> for SendResult {
    fn from(error: ApiError) -> Self {
        match error {
            ApiError::Unreachable(cause) => Self::Unreachable(cause),
            error => Self::Failed(SendError::Api(error)),
        }
    }
}

/// How it was confirmed that a message is stored.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ConfirmedBy {
    /// The response to `chat.sendMessage` confirmed it.
    Sent,
    /// A look-up found it: an earlier attempt, resend or replica stored it.
    Found,
    /// A look-up found it, and somebody has deleted it since.
    FoundDeleted,
    /// An earlier delivery about the same pipeline stored it, and its text was replaced.
    Edited,
}

impl ConfirmedBy {
    /// Every variant, for documentation tables and for metric series that are created at startup.
    pub const ALL: [Self; 4] = [Self::Sent, Self::Found, Self::FoundDeleted, Self::Edited];

    /// Whether an earlier attempt or delivery has stored the message, or another replica.
    pub(crate) fn is_found(self) -> bool {
        matches!(self, Self::Found | Self::FoundDeleted)
    }

    /// The label in logs and metrics.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Found => "found",
            Self::FoundDeleted => "found_deleted",
            Self::Edited => "edited",
        }
    }
}

/// Why sending failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SendError {
    /// The error of the decisive call.
    Api(ApiError),
    /// All ids of the message belong to messages of other accounts or in other rooms.
    IdTaken,
    /// The deadline left no time for a call.
    NoTime,
}

/// Retries and rate limit waits of one or several notifications.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Attempts {
    /// Calls that were retried.
    pub retries: u64,
    /// Calls that waited for Rocket.Chat's rate limit.
    pub rate_limit_waits: u64,
}

impl std::ops::AddAssign for Attempts {
    fn add_assign(&mut self, other: Self) {
        self.retries += other.retries;
        self.rate_limit_waits += other.rate_limit_waits;
    }
}
