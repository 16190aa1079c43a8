//! Notifications that the broker could not deliver and puts aside. Owns what is stored about one, and how it is
//! shown. A process with `DEAD_LETTERS_FOLDER` receives and stores them; the command `dead-letters` lists them
//! and sends them to the broker again. Files are in [`folder`].

use std::time::SystemTime;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

mod folder;

pub use folder::Folder;

use crate::gitlab::header::only;
use crate::notifier::notification::Notification;
use crate::rocketchat::{Destination, MessageKey};

/// The status with which the receiver refused the event, as Knative's dispatchers add it.
const ERROR_CODE: HeaderName = HeaderName::from_static("ce-knativeerrorcode");

/// The ID of the event.
const ID: HeaderName = HeaderName::from_static("ce-id");

/// What a CloudEvent in binary content mode consists of: its attributes and their media type.
const EVENT_HEADERS: [&str; 2] = ["ce-", "content-type"];

/// Where dead letters are stored, and who is notified.
#[derive(Clone, Debug)]
pub struct DeadLetters {
    /// The folder.
    pub(crate) folder: Folder,
    /// The user or room of the operators, if there is one.
    pub(crate) report_to: Option<Destination>,
}

/// An event that the broker has put aside.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct DeadLetter {
    /// The ID of the event, a digest.
    pub(crate) id: String,
    /// When it was put aside, in RFC 3339.
    pub(crate) stored_at: String,
    /// The recipient, as rules name it.
    pub(crate) recipient: String,
    /// The status with which it was refused; `None` if the receiver did not respond, or the broker does not say.
    pub(crate) status: Option<u16>,
    /// The headers with which it is sent again.
    headers: Vec<(String, String)>,
    /// The content.
    data: String,
}

impl DeadLetter {
    /// An event with a valid signature; `None` if its ID or its content is not as this program writes it.
    pub(crate) fn new(
        headers: &HeaderMap,
        data: &[u8],
        notification: &Notification,
        now: SystemTime,
    ) -> Option<Self> {
        let text = |name: &HeaderName| only(headers, name).and_then(|value| value.to_str().ok());
        let id = text(&ID)?;
        let is_digest = id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        let kept = headers.iter().filter(|(name, _)| {
            let name = name.as_str();
            let is_of_event = EVENT_HEADERS.iter().any(|prefix| name.starts_with(prefix));
            // The broker adds these again.
            is_of_event && !name.starts_with("ce-knativeerror")
        });
        let kept = kept.filter_map(|(name, value)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        });
        is_digest.then_some(())?;
        Some(Self {
            id: id.to_ascii_lowercase(),
            stored_at: humantime::format_rfc3339_seconds(now).to_string(),
            recipient: notification.destination.label(),
            status: text(&ERROR_CODE).and_then(|code| code.parse().ok()),
            headers: kept.collect(),
            data: String::from_utf8(data.to_vec()).ok()?,
        })
    }

    /// The event, to be sent again.
    pub(crate) fn event(&self) -> (HeaderMap, Vec<u8>) {
        let headers = self.headers.iter().filter_map(|(name, value)| {
            let name = HeaderName::try_from(name.as_str()).ok()?;
            Some((name, HeaderValue::from_str(value).ok()?))
        });
        (headers.collect(), self.data.clone().into_bytes())
    }

    /// The message to the operators about it, which is stored once.
    pub(crate) fn notice(&self, to: Destination) -> Notification {
        let status = self.status;
        let status = status.map_or_else(String::new, |status| format!(" (status {status})"));
        // `Destination` allows no character that could format, other than in names of users.
        let text = format!(
            "⚠️ A message to `{}` could not be delivered{status} and waits as dead letter `{}`; `webhook-app dead-letters` lists all of them",
            self.recipient.replace(['`', '\n'], ""),
            &self.id[..12],
        );
        let key = MessageKey::derive(&["dead letter", &self.id, &self.stored_at]);
        Notification::new(key, to, text, String::new())
    }
}
