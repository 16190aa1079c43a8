//! The interface between [`machine`](super::machine), which decides, and its caller, which makes
//! the calls: normally [`sender`](super::sender).

use std::time::Duration;

use super::result::SendResult;
use crate::rocketchat::response::{ApiError, StoredMessage};
use crate::rocketchat::{MessageId, RoomId};

/// What happened since the last command.
#[derive(Clone, Debug)]
pub enum Input {
    /// Sending begins.
    Start,
    /// The pause is over.
    Waited,
    /// The result of `im.create`.
    Room(Result<RoomId, ApiError>),
    /// The result of `chat.sendMessage`.
    Sent(Result<(), ApiError>),
    /// The result of `chat.getMessage`.
    Found(Result<StoredMessage, ApiError>),
    /// The result of `chat.update`.
    Edited(Result<(), ApiError>),
}

/// What to do next.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Command {
    /// Call `im.create` and stop using a cached room.
    CreateRoom {
        /// Time limit of the call.
        within: Duration,
    },
    /// Call `chat.sendMessage`.
    Send {
        /// The room.
        room: RoomId,
        /// The id of the message.
        id: MessageId,
        /// Time limit of the call.
        within: Duration,
    },
    /// Call `chat.getMessage`.
    Find {
        /// The id of the message.
        id: MessageId,
        /// Time limit of the call.
        within: Duration,
    },
    /// Call `chat.update`.
    Edit {
        /// The room.
        room: RoomId,
        /// The id of the message.
        id: MessageId,
        /// Time limit of the call.
        within: Duration,
    },
    /// Wait for this long.
    Wait(Duration),
    /// Sending has ended.
    Finish(SendResult),
}
