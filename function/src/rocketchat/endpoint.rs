//! The endpoints of Rocket.Chat's API that this program calls. Owns their paths, which are also
//! their labels in metrics. Requests are written in `request`, responses are interpreted in
//! [`response`](super::response).

/// An endpoint of the API.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Endpoint {
    /// Creates or finds a direct message room.
    CreateRoom,
    /// Stores a message.
    SendMessage,
    /// Looks up a message.
    GetMessage,
    /// Replaces the text of a message.
    UpdateMessage,
    /// Returns the account of the bot.
    Me,
    /// Returns the account of any user.
    UserInfo,
    /// Returns a room.
    RoomInfo,
}

impl Endpoint {
    /// The endpoints that webhooks use; the other one is used only by `webhook-app check`.
    pub(crate) const DELIVERING: [Self; 6] = [
        Self::CreateRoom,
        Self::SendMessage,
        Self::GetMessage,
        Self::UpdateMessage,
        Self::UserInfo,
        Self::RoomInfo,
    ];

    /// The path below the URL of the server.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::CreateRoom => "/api/v1/im.create",
            Self::SendMessage => "/api/v1/chat.sendMessage",
            Self::GetMessage => "/api/v1/chat.getMessage",
            Self::UpdateMessage => "/api/v1/chat.update",
            Self::Me => "/api/v1/me",
            Self::UserInfo => "/api/v1/users.info",
            Self::RoomInfo => "/api/v1/rooms.info",
        }
    }

    /// The HTTP method.
    pub(crate) fn method(self) -> &'static str {
        match self {
            Self::CreateRoom | Self::SendMessage | Self::UpdateMessage => "POST",
            Self::GetMessage | Self::Me | Self::UserInfo | Self::RoomInfo => "GET",
        }
    }
}
