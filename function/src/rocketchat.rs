//! Rocket.Chat: its users, rooms and accounts. The ids of messages are derived in [`message_id`],
//! calls are made by [`client`], and what a response means is decided in [`response`].

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

pub mod message_id;
pub(crate) mod endpoint;
mod request;
pub mod response;
pub(crate) mod api_error;
mod connect_cause;
pub mod reachability;
pub(crate) mod room_lookup;
pub(crate) mod server_headers;
pub(crate) mod client;
mod exchange;
mod connecting;
pub mod markup;

pub use connect_cause::ConnectCause;
pub use connecting::CallTime;
pub use message_id::{MessageId, MessageIds, MessageKey};

/// A username that can receive direct messages.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Username(Box<str>);

impl Username {
    /// Parses 1 to 255 ASCII letters, digits, `-`, `_` and `.`, with or without a leading `@`.
    /// These are the names that Rocket.Chat allows by default (`UTF8_User_Names_Validation`, read
    /// at version 8).
    pub fn parse(text: &str) -> Result<Self, UsernameError> {
        let name = text.strip_prefix('@').unwrap_or(text);
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if (1..=255).contains(&name.len()) && name.bytes().all(allowed) {
            return Ok(Self(name.into()));
        }
        Err(UsernameError)
    }

    /// The name without `@`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Username {
    type Error = UsernameError;

    fn try_from(text: String) -> Result<Self, UsernameError> {
        Self::parse(&text)
    }
}

impl From<Username> for String {
    fn from(name: Username) -> Self {
        name.0.into()
    }
}

/// The text is not a username.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "expected one user name of letters, digits, '-', '_' and '.', such as alice; not a channel, a list or a full name"
)]
pub struct UsernameError;

/// The id of a room, usually the direct message room of the bot and one user.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct RoomId(Box<str>);

/// The id of a user, as opposed to the username.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UserId(Box<str>);

macro_rules! opaque_id {
    ($($type:ident)+) => {$(
        impl $type {
            /// Parses 1 to 255 visible ASCII characters; the server chooses ids.
            pub fn parse(text: &str) -> Option<Self> {
                let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
                ((1..=255).contains(&text.len()) && visible).then(|| Self(text.into()))
            }

            /// The id as the server wrote it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    )+};
}

opaque_id! { RoomId UserId }

impl TryFrom<String> for RoomId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        Self::parse(&text).ok_or("expected a room id of 1 to 255 visible ASCII characters")
    }
}

impl From<RoomId> for String {
    fn from(id: RoomId) -> Self {
        id.0.into()
    }
}

/// Where a message is sent.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Destination {
    /// A user, by direct message.
    User(Username),
    /// A room that the account is a member of.
    Room(RoomId),
}

impl Destination {
    /// The form that rules use: `@alice`, or `room:` and the id.
    pub(crate) fn label(&self) -> String {
        match self {
            Self::User(name) => format!("@{}", name.as_str()),
            Self::Room(id) => format!("room:{}", id.as_str()),
        }
    }
}

/// The account that sends messages: the bot's user id and personal access token.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Sent as `X-User-Id`.
    pub(crate) user_id: UserId,
    /// Sent as `X-Auth-Token`.
    pub(crate) auth_token: SecretString,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_valid_username_is_a_recipient() {
        assert_eq!(
            Username::parse("@alice.b-c_1").map(|name| name.as_str().to_owned()),
            Ok("alice.b-c_1".to_owned())
        );
        for refused in [
            "",
            "@",
            "#general",
            "alice,bob",
            "alice bob",
            "älice",
            "a/b",
        ] {
            assert_eq!(Username::parse(refused), Err(UsernameError), "{refused}");
        }
    }
}
