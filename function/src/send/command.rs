//! The interface between [`machine`](super::machine), which decides, and its caller, which makes
//! the calls: normally [`sender`](super::sender).

use std::time::Duration;

use super::result::SendResult;
use crate::rocketchat::reachability::Unreachable;
use crate::rocketchat::response::{ApiError, StoredMessage};
use crate::rocketchat::{CallTime, MessageId, RoomId};

/// What happened since the last command.
#[derive(Clone, Debug)]
pub enum Input {
    /// Sending begins.
    Start,
    /// The pause is over.
    Waited,
    /// Too many notifications are in progress, and no permit became available in time.
    NoPermit,
    /// The result of `im.create`.
    Room(Result<RoomId, ApiError>),
    /// The result of `im.create` that another notification to the same recipient made meanwhile.
    RoomOfAnother(Result<RoomId, ApiError>),
    /// The result of `chat.sendMessage`.
    Sent(Result<(), ApiError>),
    /// The result of `chat.getMessage`.
    Found(Result<StoredMessage, ApiError>),
    /// The result of `chat.update`.
    Edited(Result<(), ApiError>),
    /// The result of `users.info` or `rooms.info`.
    Checked(Result<Option<Unreachable>, ApiError>),
}

/// What to do next.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Command {
    /// Make a call.
    Call(Call, CallTime),
    /// Wait for this long.
    Wait(Duration),
    /// Sending has ended.
    Finish(SendResult),
}

/// A call to Rocket.Chat.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Call {
    /// `im.create`; stop using a cached room.
    CreateRoom,
    /// `chat.sendMessage`.
    Send(RoomId, MessageId),
    /// `chat.getMessage`.
    Find(MessageId),
    /// `chat.update`.
    Edit(RoomId, MessageId),
    /// `users.info` of the recipient.
    CheckUser,
    /// `rooms.info`.
    CheckRoom(RoomId),
}
