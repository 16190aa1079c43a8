//! Rocket.Chat: its users, rooms and accounts. The ids of messages are derived in [`message_id`],
//! calls are made by [`client`], and what a response means is decided in [`response`].

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

pub mod message_id;
pub(crate) mod endpoint;
mod request;
pub mod response;
pub(crate) mod api_error;
pub mod reachability;
pub(crate) mod room_lookup;
pub(crate) mod server_headers;
pub(crate) mod client;
pub(crate) mod administration;
mod exchange;
mod tunnel;
mod connecting;
pub mod markup;

pub use crate::connect_cause::ConnectCause;
pub use connecting::CallTime;
pub use message_id::{MessageId, MessageIds, MessageKey};

/// A username that can receive direct messages.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Username(Box<str>);

impl Username {
    /// Parses a name of up to 255 bytes, with or without a leading `@`.
    ///
    /// The server decides which names exist. By default they have letters of ASCII, digits, `-`, `_`
    /// and `.`, but an administrator can allow others (`UTF8_User_Names_Validation`). Therefore only
    /// what is a mistake in a setting is rejected: lists, channels, rooms, addresses of pages, and white
    /// space around a name or invisible characters in it.
    ///
    /// The `@` of a Matrix ID such as `@kim:example.org` is part of the name, as it is for the server
    /// (read at version 8).
    pub fn parse(text: &str) -> Result<Self, UsernameError> {
        let bare = text.strip_prefix('@').unwrap_or(text);
        let name = if bare.contains(':') { text } else { bare };
        let is_short = (1..=255).contains(&name.len()) && !bare.is_empty();
        let is_trimmed = bare.trim() == bare;
        let is_other = bare.starts_with(['@', ':']) || bare.starts_with("room:");
        if is_short && is_trimmed && !is_other && bare.chars().all(is_in_usernames) {
            return Ok(Self(name.into()));
        }
        Err(UsernameError)
    }

    /// The name as the server writes it: without `@`, unless it is a Matrix ID.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the server means this user by `name`. Usernames differ in more than case.
    pub(crate) fn matches(&self, name: &str) -> bool {
        name.eq_ignore_ascii_case(&self.0) || name.to_lowercase() == self.0.to_lowercase()
    }
}

/// Whether a name may contain the character, with the settings of some server.
fn is_in_usernames(char: char) -> bool {
    let is_joiner = matches!(char, '\u{200c}' | '\u{200d}');
    let is_space = char.is_whitespace() && char != ' ';
    let is_hidden = char.is_control() || (markup::is_invisible(char) && !is_joiner);
    !is_space && !is_hidden && !"#,;/\\<>\"`".contains(char)
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
    "expected one user name, such as alice; not a channel, a room, a list or an address, and without spaces around it"
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
            Self::User(name) if name.as_str().starts_with('@') => name.as_str().to_owned(),
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
    fn every_name_that_a_server_may_allow_is_a_username() {
        for (text, name) in [
            ("@alice.b-c_1", "alice.b-c_1"),
            ("alice", "alice"),
            ("jörg.müller", "jörg.müller"),
            ("@山田", "山田"),
            ("क्षमा", "क्षमा"),
            ("می\u{200c}نا", "می\u{200c}نا"),
            ("alice@example.org", "alice@example.org"),
            ("@alice@example.org", "alice@example.org"),
            ("Ada Example", "Ada Example"),
            ("o'neil+test", "o'neil+test"),
            ("kim:example.org", "kim:example.org"),
            ("@kim:example.org", "@kim:example.org"),
            ("@kim:example.org:8448", "@kim:example.org:8448"),
        ] {
            let parsed = Username::parse(text).map(|name| name.as_str().to_owned());
            assert_eq!(parsed.as_deref(), Ok(name), "{text}");
            let again = Username::parse(name).map(|name| name.as_str().to_owned());
            assert_eq!(again, parsed, "{text} is written and read again");
        }
        let matrix = Username::parse("@kim:example.org").expect("is a name");
        assert_eq!(Destination::User(matrix).label(), "@kim:example.org");
    }

    #[test]
    fn a_mistake_in_a_setting_is_no_username() {
        for refused in [
            "",
            "@",
            "#general",
            "@#general",
            "@@alice",
            "@@kim:example.org",
            "room:GENERAL",
            "@room:GENERAL",
            "alice,bob",
            "alice;bob",
            "alice, bob",
            " alice",
            "@ alice",
            "alice ",
            "alice\n",
            "alice\tb",
            "\"alice\"",
            "a/b",
            "https://chat.example.org/direct/alice",
            "a\\b",
            "<alice>",
            "a\u{200b}b",
            "a\u{202e}b",
            "\u{feff}alice",
            ":example.org",
            "@:example.org",
        ] {
            assert_eq!(Username::parse(refused), Err(UsernameError), "{refused:?}");
        }
        assert!(Username::parse(&"a".repeat(255)).is_ok());
        assert_eq!(Username::parse(&"a".repeat(256)), Err(UsernameError));
    }

    #[test]
    fn the_case_of_a_username_does_not_matter() {
        let name = Username::parse("jörg").expect("is a name");
        assert!(name.matches("JÖRG") && name.matches("Jörg"));
        assert!(!name.matches("jorg") && !name.matches("jörg2"));
    }
}
