//! A notification: one message to one recipient, as one value. Owns its serialized form. It is the
//! only value that passes from deciding to sending, so it can be stored or handed to another
//! process in between. Its content is decided in [`notifier`](super); it is sent by
//! [`send`](crate::send).

use std::ops::Not;

use serde::{Deserialize, Serialize};

use crate::gitlab::attributes::PipelineState;
use crate::rocketchat::{Destination, MessageKey};

/// One message to one recipient.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Notification {
    /// Version of the serialized form.
    pub(crate) version: Version,
    /// Identifies the message: the same for every attempt, resend and replica.
    pub(crate) key: MessageKey,
    /// What to do with it: the fields `action` and `revision`.
    #[serde(flatten)]
    pub(crate) action: Action,
    /// The recipient, not yet resolved to a room.
    pub(crate) destination: Destination,
    /// Who named the recipient.
    pub(crate) source: RecipientSource,
    /// The text in Rocket.Chat's markup, at most 5000 UTF-16 units.
    pub text: String,
    /// Messages of which one must exist already; if empty, it is sent unconditionally.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) precondition: Vec<MessageKey>,
    /// Scheme, host and port of the GitLab instance, part of the message id; empty if unknown.
    pub(crate) origin: String,
    /// Whether the text says that it is late.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub(crate) says_late: bool,
    /// Whether a broker may store it. One that comes back from the broker is not handed off again.
    #[serde(skip)]
    pub(crate) may_be_handed_off: bool,
}

/// Who named a recipient.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RecipientSource {
    /// The event, in a role that a rule notifies. Nothing in the configuration is wrong if the
    /// recipient cannot be reached.
    Role,
    /// The configuration: `ROCKETCHAT_RECIPIENT`, or a user or room in `ROUTES`.
    Configuration,
}

/// What to do with a message.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub(crate) enum Action {
    /// Store it, once.
    Send,
    /// Store it, or replace the text of the stored message if that has an earlier revision.
    Edit {
        /// Decides which of two texts is the later one.
        revision: PipelineState,
    },
}

/// The version of the serialized form; 1 is the only one.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "u8", into = "u8")]
pub(crate) struct Version;

const VERSION: u8 = 1;

impl From<Version> for u8 {
    fn from(_: Version) -> Self {
        VERSION
    }
}

impl TryFrom<u8> for Version {
    type Error = String;

    fn try_from(found: u8) -> Result<Self, String> {
        if found == VERSION {
            return Ok(Self);
        }
        Err(format!(
            "expected a notification of version {VERSION}, found {found}; a newer webhook-app wrote it"
        ))
    }
}

impl Notification {
    /// A notification to a recipient that the configuration names, sent unconditionally and not
    /// edited.
    pub fn new(key: MessageKey, destination: Destination, text: String, origin: String) -> Self {
        Self {
            version: Version,
            key,
            action: Action::Send,
            destination,
            source: RecipientSource::Configuration,
            text,
            precondition: Vec::new(),
            origin,
            says_late: false,
            may_be_handed_off: false,
        }
    }

    /// The same notification, with the source of its recipient.
    #[must_use]
    pub fn from(self, source: RecipientSource) -> Self {
        Self { source, ..self }
    }

    /// The same notification, which a broker may store or not.
    #[must_use]
    pub fn handed_off_if(self, may_be_handed_off: bool) -> Self {
        Self {
            may_be_handed_off,
            ..self
        }
    }

    /// The same notification, edited as its pipeline proceeds.
    #[must_use]
    pub fn edited(self, revision: PipelineState) -> Self {
        Self {
            action: Action::Edit { revision },
            ..self
        }
    }

    /// The same notification, only for recipients who have one of these messages from this account.
    #[must_use]
    pub fn after_one_of(self, precondition: Vec<MessageKey>) -> Self {
        Self {
            precondition,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::rocketchat::Username;

    fn notification() -> Notification {
        let alice = Destination::User(Username::parse("alice").expect("is a name"));
        let key = |name| MessageKey::derive(&[name]);
        let state = PipelineState {
            pipeline: 31,
            finished_at: Some(7),
            undated: None,
        };
        Notification::new(key("a"), alice, "text".to_owned(), String::new())
            .edited(state)
            .after_one_of(vec![key("b")])
    }

    #[test]
    fn a_notification_survives_a_round_trip_through_json() {
        let written = serde_json::to_value(notification()).expect("can be written");
        assert_eq!(written["version"], 1);
        assert_eq!(written["action"], "edit");
        assert_eq!(written["revision"]["pipeline"], 31);
        assert_eq!(written["destination"], json!({ "user": "alice" }));
        let read: Notification = serde_json::from_value(written).expect("can be read");
        assert_eq!(read, notification());
    }

    #[test]
    fn what_this_version_does_not_know_is_rejected() {
        let changed = |name: &str, value: Value| {
            let mut written = serde_json::to_value(notification()).expect("can be written");
            written[name] = value;
            serde_json::from_value::<Notification>(written)
        };
        for (name, value) in [
            ("version", json!(2)),
            ("action", json!("reply")),
            ("destination", json!({ "user": "#general" })),
            ("destination", json!({ "room": "" })),
            ("key", json!({ "delivery": "" })),
            ("key", json!({ "content": "white space" })),
            ("key", json!("key")),
            ("source", json!("somebody")),
            ("revision", Value::Null),
        ] {
            assert!(changed(name, value.clone()).is_err(), "{name}: {value}");
        }
    }
}
