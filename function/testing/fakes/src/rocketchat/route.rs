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
    /// `POST /api/v1/chat.postMessage`: post to a channel by its name, as Alertmanager does.
    PostMessage,
    /// `GET /api/v1/chat.getMessage`: return one message.
    GetMessage,
    /// `POST /api/v1/chat.update`: change the text of a message.
    UpdateMessage,
    /// `GET /api/info`: the version; needs no account.
    Info,
    /// `POST /api/v1/login`: sign in with a password.
    LogIn,
    /// `POST /api/v1/logout`: end the session of the token.
    LogOut,
    /// `POST /api/v1/users.create`: create an account.
    CreateUser,
    /// `POST /api/v1/users.update`: change another account.
    UpdateUser,
    /// `GET /api/v1/users.getPersonalAccessTokens`: the names of the own tokens.
    ListAccessTokens,
    /// `POST /api/v1/users.generatePersonalAccessToken`: create a token of the own account.
    GenerateAccessToken,
    /// `POST /api/v1/users.regeneratePersonalAccessToken`: replace a token of the own account.
    RegenerateAccessToken,
}

impl Route {
    /// Every route.
    pub const ALL: [Self; 16] = [
        Self::Me,
        Self::UserInfo,
        Self::RoomInfo,
        Self::CreateDirectMessage,
        Self::SendMessage,
        Self::PostMessage,
        Self::GetMessage,
        Self::UpdateMessage,
        Self::Info,
        Self::LogIn,
        Self::LogOut,
        Self::CreateUser,
        Self::UpdateUser,
        Self::ListAccessTokens,
        Self::GenerateAccessToken,
        Self::RegenerateAccessToken,
    ];

    /// Its HTTP method.
    pub fn method(self) -> &'static str {
        match self {
            Self::Me
            | Self::UserInfo
            | Self::RoomInfo
            | Self::GetMessage
            | Self::Info
            | Self::ListAccessTokens => "GET",
            Self::CreateDirectMessage
            | Self::SendMessage
            | Self::PostMessage
            | Self::UpdateMessage
            | Self::LogIn
            | Self::LogOut
            | Self::CreateUser
            | Self::UpdateUser
            | Self::GenerateAccessToken
            | Self::RegenerateAccessToken => "POST",
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
            Self::PostMessage => "/api/v1/chat.postMessage",
            Self::GetMessage => "/api/v1/chat.getMessage",
            Self::UpdateMessage => "/api/v1/chat.update",
            Self::Info => "/api/info",
            Self::LogIn => "/api/v1/login",
            Self::LogOut => "/api/v1/logout",
            Self::CreateUser => "/api/v1/users.create",
            Self::UpdateUser => "/api/v1/users.update",
            Self::ListAccessTokens => "/api/v1/users.getPersonalAccessTokens",
            Self::GenerateAccessToken => "/api/v1/users.generatePersonalAccessToken",
            Self::RegenerateAccessToken => "/api/v1/users.regeneratePersonalAccessToken",
        }
    }

    /// Whether it needs a token.
    pub fn needs_account(self) -> bool {
        !matches!(self, Self::Info | Self::LogIn)
    }

    /// Whether it needs a second factor (`twoFactorRequired`).
    pub(super) fn needs_second_factor(self) -> bool {
        matches!(
            self,
            Self::UpdateUser | Self::GenerateAccessToken | Self::RegenerateAccessToken
        )
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
