//! The routes of Rocket.Chat's REST interface that the stand-in serves.

use serde::Serialize;

/// A served route; `im.create` and `dm.create` are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub enum Route {
    /// `GET /api/v1/me`: who am I.
    Me,
    /// `GET /api/v1/users.info`: who is that.
    UserInfo,
    /// `POST /api/v1/im.create` or `dm.create`: open a room for direct messages, or find it.
    CreateDirectMessage,
    /// `POST /api/v1/chat.sendMessage`: send with an id of our own.
    SendMessage,
    /// `GET /api/v1/chat.getMessage`: read one message.
    GetMessage,
    /// `POST /api/v1/chat.update`: change the text.
    UpdateMessage,
}

impl Route {
    /// Every route.
    pub const ALL: [Self; 6] = [
        Self::Me,
        Self::UserInfo,
        Self::CreateDirectMessage,
        Self::SendMessage,
        Self::GetMessage,
        Self::UpdateMessage,
    ];

    /// The method it answers to.
    pub fn method(self) -> &'static str {
        match self {
            Self::Me | Self::UserInfo | Self::GetMessage => "GET",
            Self::CreateDirectMessage | Self::SendMessage | Self::UpdateMessage => "POST",
        }
    }

    /// Its path.
    pub fn path(self) -> &'static str {
        match self {
            Self::Me => "/api/v1/me",
            Self::UserInfo => "/api/v1/users.info",
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
