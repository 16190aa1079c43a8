//! What a delivery is told and what it asks for. Owns the words between the machine, which is
//! [`delivery`](super), and whoever makes its calls, which is [`sender`](crate::send::sender).

use std::time::Duration;

use super::result::SendResult;
use crate::rocketchat::response::{ApiError, StoredMessage};
use crate::rocketchat::{MessageId, RoomId};

/// What happened.
#[derive(Clone, Debug)]
pub enum Input {
    /// The delivery begins.
    Start,
    /// The pause is over.
    Waited,
    /// `im.create` answered.
    Room(Result<RoomId, ApiError>),
    /// `chat.sendMessage` answered.
    Sent(Result<(), ApiError>),
    /// `chat.getMessage` answered.
    Found(Result<StoredMessage, ApiError>),
    /// `chat.update` answered.
    Edited(Result<(), ApiError>),
}

/// What to do next.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Command {
    /// Call `im.create`; a room that was remembered is not to be used again.
    CreateRoom {
        /// Time limit of the call.
        within: Duration,
    },
    /// Call `chat.sendMessage`.
    Send {
        /// Where to.
        room: RoomId,
        /// Under which id.
        id: MessageId,
        /// Time limit of the call.
        within: Duration,
    },
    /// Call `chat.getMessage`.
    Find {
        /// Which message.
        id: MessageId,
        /// Time limit of the call.
        within: Duration,
    },
    /// Call `chat.update`.
    Edit {
        /// Where it stands.
        room: RoomId,
        /// Which message.
        id: MessageId,
        /// Time limit of the call.
        within: Duration,
    },
    /// Do nothing for a while.
    Wait(Duration),
    /// The end.
    Finish(SendResult),
}
