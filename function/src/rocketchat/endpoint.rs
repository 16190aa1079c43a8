//! The calls of Rocket.Chat's API that we make. Owns their paths, which are also their names in
//! metrics. What is sent and what comes back is [`client`](super::client)'s and
//! [`response`](super::response)'s business.

/// One call of the API.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Endpoint {
    /// Makes or finds a room of direct messages.
    CreateRoom,
    /// Stores a message.
    SendMessage,
    /// Looks for a message.
    GetMessage,
    /// Changes the text of a message.
    UpdateMessage,
    /// Our own account.
    Me,
    /// Somebody's account.
    UserInfo,
}

impl Endpoint {
    /// The calls that bring a message; the others are made by `webhook-app check` alone.
    pub(crate) const DELIVERING: [Self; 4] = [
        Self::CreateRoom,
        Self::SendMessage,
        Self::GetMessage,
        Self::UpdateMessage,
    ];

    /// The path below the address of the server.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::CreateRoom => "/api/v1/im.create",
            Self::SendMessage => "/api/v1/chat.sendMessage",
            Self::GetMessage => "/api/v1/chat.getMessage",
            Self::UpdateMessage => "/api/v1/chat.update",
            Self::Me => "/api/v1/me",
            Self::UserInfo => "/api/v1/users.info",
        }
    }

    /// The method.
    pub(crate) fn method(self) -> &'static str {
        match self {
            Self::CreateRoom | Self::SendMessage | Self::UpdateMessage => "POST",
            Self::GetMessage | Self::Me | Self::UserInfo => "GET",
        }
    }
}
