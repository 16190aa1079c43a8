//! The routes of Rocket.Chat's REST API that the fake serves.

use serde::Serialize;

/// A route; `im.create` and `dm.create` are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub enum Route {
    /// `GET /api/v1/me`: the own account.
    Me,
    /// `GET /api/v1/users.info`: another account.
    UserInfo,
    /// `GET /api/v1/rooms.info`: a room, with its read-only and encrypted states.
    RoomInfo,
    /// `POST /api/v1/im.create` or `dm.create`: create a direct-message room, or return the existing one.
    CreateDirectMessage,
    /// `POST /api/v1/chat.sendMessage`: send a message under an id that the client chose.
    SendMessage,
    /// `GET /api/v1/chat.getMessage`: return one message.
    GetMessage,
    /// `POST /api/v1/chat.update`: change the text of a message.
    UpdateMessage,
}

impl Route {
    /// Every route.
    pub const ALL: [Self; 7] = [
        Self::Me,
        Self::UserInfo,
        Self::RoomInfo,
        Self::CreateDirectMessage,
        Self::SendMessage,
        Self::GetMessage,
        Self::UpdateMessage,
    ];

    /// Its HTTP method.
    pub fn method(self) -> &'static str {
        match self {
            Self::Me | Self::UserInfo | Self::RoomInfo | Self::GetMessage => "GET",
            Self::CreateDirectMessage | Self::SendMessage | Self::UpdateMessage => "POST",
        }
    }

    /// Its path.
    pub fn path(self) -> &'static str {
        match self {
            Self::Me => "/api/v1/me",
            Self::UserInfo => "/api/v1/users.info",
            Self::RoomInfo => "/api/v1/rooms.info",
            Self::CreateDirectMessage => "/api/v1/im.create",
            Self::SendMessage => "/api/v1/chat.sendMessage",
            Self::GetMessage => "/api/v1/chat.getMessage",
            Self::UpdateMessage => "/api/v1/chat.update",
        }
    }

    pub(super) fn find(method: &str, path: &str) -> Option<Self> {
        let path = if path == "/api/v1/dm.create" {
            Self::CreateDirectMessage.path()
        } else {
            path
        };
        let mut routes = Self::ALL.into_iter();
        routes.find(|route| route.path() == path && route.method() == method)
    }
}
