//! Rocket.Chat: its identifiers, and the id that makes a message unique. Calls are made by
//! [`client`]; what a response means is decided in [`response`].

use std::fmt;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::digest::hex_digest;
use crate::gitlab::idempotency_key::IdempotencyKey;

pub(crate) mod endpoint;
mod request;
pub mod response;
pub(crate) mod client;
pub mod markup;

/// A username that can receive direct messages.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
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
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
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
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
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

/// Identifies a message before its room is known: by the delivery that it reports, or by the
/// pipeline, failure or fix that several deliveries report.
///
/// Not the [`IdempotencyKey`] itself: several deliveries can cause one message, and one delivery
/// can cause several.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct MessageKey(IdempotencyKey);

impl MessageKey {
    /// A key from a digest of `fields`, which identify what the message is about.
    pub fn derive(fields: &[&str]) -> Self {
        Self(IdempotencyKey::from_content(fields))
    }

    /// The key as text of 1 to 255 visible ASCII characters.
    pub(crate) fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl From<&IdempotencyKey> for MessageKey {
    fn from(delivery: &IdempotencyKey) -> Self {
        Self(delivery.clone())
    }
}

impl TryFrom<String> for MessageKey {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        let key = IdempotencyKey::parse(text.as_bytes());
        let key = key.ok_or("expected a message key of 1 to 255 visible ASCII characters")?;
        Ok(Self(key))
    }
}

impl From<MessageKey> for String {
    fn from(key: MessageKey) -> Self {
        key.as_str().to_owned()
    }
}

/// The id that this program gives a message. Rocket.Chat stores one message per id, so resends,
/// retries and other replicas produce the same message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MessageId(String);

impl MessageId {
    /// Derives the id from the key and the room, without clock or randomness.
    ///
    /// `origin` is scheme, host and port of the GitLab instance, empty if unknown. The key of a
    /// delivery is an unguessable UUID, so other users cannot take the id first.
    pub fn derive(origin: &str, key: &MessageKey, room: &RoomId) -> Self {
        let digest = hex_digest(&["v1", origin, key.as_str(), room.as_str()]);
        Self(format!("gl{}", &digest[..32]))
    }

    /// `gl` and 32 hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
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
    fn the_id_depends_on_the_delivery_and_the_room_and_on_nothing_else() {
        let id = |instance, key: &str, room| {
            let key = IdempotencyKey::parse(key.as_bytes()).expect("is a key");
            let key = MessageKey::from(&key);
            MessageId::derive(instance, &key, &RoomId::parse(room).expect("is a room"))
        };
        let one = id("https://gitlab.example.com", "key-1", "room-1");
        insta::assert_snapshot!(one, @"gl810cb5dd78fa9c75b0a465c98ff5242d");
        assert_eq!(one, id("https://gitlab.example.com", "key-1", "room-1"));
        assert_ne!(one, id("https://gitlab.example.com", "key-2", "room-1"));
        assert_ne!(one, id("https://gitlab.example.com", "key-1", "room-2"));
        assert_ne!(one, id("https://gitlab.example.org", "key-1", "room-1"));
        assert_ne!(id("a", "bc", "d"), id("ab", "c", "d"));
    }

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
