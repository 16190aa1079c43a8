//! The ids that this program gives messages. Owns how they are derived, so that every attempt,
//! resend and replica gives one message the same id, and that other users cannot compute it. Which
//! key a message has is decided in [`notifier`](crate::notifier).

use std::fmt;

use ring::hmac;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::RoomId;
use crate::derived_key::derived_key;
use crate::digest::{hex, hex_digest};
use crate::gitlab::idempotency_key::IdempotencyKey;

/// Hexadecimal digits of an id, after `gl`.
const DIGITS: usize = 32;

/// The purpose of the keys that ids are derived with.
const LABEL: &str = "message id";

/// Identifies a message before its room is known.
///
/// Not the [`IdempotencyKey`] itself: several deliveries can cause one message, and one delivery
/// can cause several.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageKey {
    /// Of the message about one delivery, whose key is an unguessable UUID of GitLab.
    Delivery(IdempotencyKey),
    /// Of the message about a pipeline, a failure, a fix, a CloudEvent or the content of an event,
    /// which other users may know.
    Content(IdempotencyKey),
}

impl MessageKey {
    /// A key from a digest of `fields`, which identify what the message is about.
    pub fn derive(fields: &[&str]) -> Self {
        Self::Content(IdempotencyKey::from_content(fields))
    }

    /// The key of a second message about the same subject, if the first cannot show its new state.
    pub(crate) fn with_state(&self, state: &str) -> Self {
        Self::derive(&[self.as_str(), state])
    }

    /// The key as text of 1 to 255 visible ASCII characters.
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Delivery(key) | Self::Content(key) => key.as_str(),
        }
    }
}

/// The id of a message. Rocket.Chat stores one message per id, so resends, retries and other
/// replicas produce the same message.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct MessageId(String);

impl MessageId {
    /// `gl` and 32 hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn of(digest: &str) -> Self {
        Self(format!("gl{}", &digest[..DIGITS]))
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Derives ids. Its keys follow from `MESSAGE_ID_SECRET`, or else from the access token.
#[derive(Clone)]
pub struct MessageIds {
    current: hmac::Key,
    /// Gave the ids of earlier messages.
    former: Option<hmac::Key>,
}

impl fmt::Debug for MessageIds {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("MessageIds").finish_non_exhaustive()
    }
}

impl MessageIds {
    /// The number of secrets: the one that gives ids, and the one before it.
    pub const SECRETS: usize = 2;

    /// Ids from `current`, and look-ups also of those that `former` gave.
    pub fn new(current: &SecretString, former: Option<&SecretString>) -> Self {
        Self {
            current: derived_key(current, LABEL),
            former: former.map(|secret| derived_key(secret, LABEL)),
        }
    }

    /// The id of a message in a room, derived without clock or randomness.
    ///
    /// `origin` is scheme, host and port of the GitLab instance, empty if unknown. `generation`
    /// counts from 0 and is higher if a message of another user has the id before.
    pub fn id(&self, origin: &str, key: &MessageKey, room: &RoomId, generation: u8) -> MessageId {
        match key {
            MessageKey::Content(_) => keyed(&self.current, origin, key, room, generation),
            MessageKey::Delivery(_) if generation == 0 => Self::v1(origin, key, room),
            MessageKey::Delivery(_) => {
                let generation = generation.to_string();
                let fields = ["v1", origin, key.as_str(), room.as_str(), &generation];
                MessageId::of(&hex_digest(&fields))
            }
        }
    }

    /// The ids that the message may have instead, because it was sent before the secret was
    /// changed, or by a version that did not use a secret.
    pub fn former(&self, origin: &str, key: &MessageKey, room: &RoomId) -> Vec<MessageId> {
        match key {
            MessageKey::Delivery(_) => Vec::new(),
            MessageKey::Content(_) => {
                let secret = self.former.as_ref();
                let by_secret = secret.map(|secret| keyed(secret, origin, key, room, 0));
                let without_secret = Self::v1(origin, key, room);
                by_secret.into_iter().chain([without_secret]).collect()
            }
        }
    }

    /// Scheme v1, which everybody can compute who knows the key and the room.
    fn v1(origin: &str, key: &MessageKey, room: &RoomId) -> MessageId {
        MessageId::of(&hex_digest(&["v1", origin, key.as_str(), room.as_str()]))
    }
}

/// Scheme v2, for keys that other users may know.
fn keyed(
    secret: &hmac::Key,
    origin: &str,
    key: &MessageKey,
    room: &RoomId,
    generation: u8,
) -> MessageId {
    let generation = generation.to_string();
    let digest = hex_digest(&["v2", origin, key.as_str(), room.as_str(), &generation]);
    MessageId::of(&hex(hmac::sign(secret, digest.as_bytes()).as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORIGIN: &str = "https://gitlab.example.com";

    fn room(name: &str) -> RoomId {
        RoomId::parse(name).expect("is a room")
    }

    fn delivery(name: &str) -> MessageKey {
        MessageKey::Delivery(IdempotencyKey::parse(name.as_bytes()).expect("is a key"))
    }

    #[test]
    fn the_id_of_a_delivery_depends_on_the_delivery_and_the_room_and_on_nothing_else() {
        let ids = MessageIds::new(&"secret".into(), None);
        let id = |origin, name: &str, place| ids.id(origin, &delivery(name), &room(place), 0);
        let one = id(ORIGIN, "key-1", "room-1");
        insta::assert_snapshot!(one, @"gl810cb5dd78fa9c75b0a465c98ff5242d");
        assert_eq!(one, id(ORIGIN, "key-1", "room-1"));
        assert_ne!(one, id(ORIGIN, "key-2", "room-1"));
        assert_ne!(one, id(ORIGIN, "key-1", "room-2"));
        assert_ne!(one, id("https://gitlab.example.org", "key-1", "room-1"));
        assert_ne!(id("a", "bc", "d"), id("ab", "c", "d"));
        let other = MessageIds::new(&"other secret".into(), None);
        assert_eq!(
            one,
            other.id(ORIGIN, &delivery("key-1"), &room("room-1"), 0)
        );
        assert!(
            ids.former(ORIGIN, &delivery("key-1"), &room("room-1"))
                .is_empty()
        );
    }

    #[test]
    fn the_id_of_content_depends_on_the_secret_too() {
        let (first, second) = ("first".into(), "second".into());
        let [before, after] = [&first, &second].map(|secret| MessageIds::new(secret, None));
        let (key, room) = (MessageKey::derive(&["live pipeline", "31"]), room("room"));
        let id = |ids: &MessageIds, generation| ids.id(ORIGIN, &key, &room, generation);
        insta::assert_snapshot!(id(&before, 0), @"glf69c71f7c26f2c4746a374a2b219ba39");
        assert_ne!(id(&before, 0), id(&after, 0));
        let both = MessageIds::new(&second, Some(&first));
        assert_eq!(id(&both, 0), id(&after, 0));
        let former = both.former(ORIGIN, &key, &room);
        assert_eq!(former.first(), Some(&id(&before, 0)));
        assert_eq!(former.last(), Some(&MessageIds::v1(ORIGIN, &key, &room)));
    }

    #[test]
    fn every_generation_has_another_id() {
        let ids = MessageIds::new(&"secret".into(), None);
        for key in [delivery("key"), MessageKey::derive(&["key"])] {
            let all: std::collections::HashSet<_> = (0..3)
                .map(|generation| ids.id(ORIGIN, &key, &room("room"), generation))
                .collect();
            assert_eq!(all.len(), 3, "{key:?}");
        }
    }

    #[test]
    fn the_secret_is_not_printed() {
        let ids = MessageIds::new(&"canary".into(), None);
        assert_eq!(format!("{ids:?}"), "MessageIds { .. }");
    }
}
