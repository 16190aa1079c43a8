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

/// In place of a recipient, if another version of webhook-app has written the event.
const UNKNOWN: &str = "unknown";

/// What a CloudEvent in binary content mode consists of: its attributes and their media type.
const EVENT_HEADERS: [&str; 2] = ["ce-", "content-type"];

/// The headers of an event that was refused with `status`, for the service that stores it.
pub(crate) fn refused(headers: &HeaderMap, status: u16) -> HeaderMap {
    let mut refused: HeaderMap = of_event(headers)
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    refused.insert(ERROR_CODE, HeaderValue::from(status));
    refused
}

/// Whether somebody has refused an event before, so that it comes from no broker.
pub(crate) fn was_refused(headers: &HeaderMap) -> bool {
    headers.contains_key(ERROR_CODE)
}

/// The headers that are part of an event, without those that a broker adds when it gives it up.
fn of_event(headers: &HeaderMap) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> {
    headers.iter().filter(|(name, _)| {
        let name = name.as_str();
        let is_of_event = EVENT_HEADERS.iter().any(|prefix| name.starts_with(prefix));
        is_of_event && !name.starts_with("ce-knativeerror")
    })
}

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
    /// An event with a valid signature, and what it says if this version can read it; `None` if its ID or its content
    /// is not as this program writes it.
    pub(crate) fn new(
        headers: &HeaderMap,
        data: &[u8],
        notification: Option<&Notification>,
        now: SystemTime,
    ) -> Option<Self> {
        let text = |name: &HeaderName| only(headers, name).and_then(|value| value.to_str().ok());
        let id = text(&ID)?;
        let is_digest = id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        let kept = of_event(headers).filter_map(|(name, value)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        });
        is_digest.then_some(())?;
        Some(Self {
            id: id.to_ascii_lowercase(),
            stored_at: humantime::format_rfc3339_seconds(now).to_string(),
            recipient: notification.map_or_else(
                || UNKNOWN.to_owned(),
                |notification| notification.destination.label(),
            ),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn headers() -> HeaderMap {
        let headers = [
            ("ce-id", "0123456789abcdef".repeat(4)),
            ("ce-webhookappsignature", "v1,AAAA".to_owned()),
            ("ce-knativeerrorcode", "503".to_owned()),
            ("ce-knativeerrordata", "x".to_owned()),
            ("content-type", "application/json".to_owned()),
            ("host", "function".to_owned()),
            ("traceparent", "00-1-2-01".to_owned()),
        ];
        let headers = headers.map(|(name, value)| {
            let value = HeaderValue::try_from(value).expect("is a value");
            (HeaderName::from_static(name), value)
        });
        headers.into_iter().collect()
    }

    #[test]
    fn a_refused_event_has_its_own_headers_and_the_status() {
        let mut lines: Vec<_> = refused(&headers(), 422)
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().expect("is a text")))
            .collect();
        lines.sort();
        insta::assert_snapshot!(lines.join("\n"), @r"
        ce-id: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
        ce-knativeerrorcode: 422
        ce-webhookappsignature: v1,AAAA
        content-type: application/json
        ");
    }

    /// Another version of webhook-app can send it again.
    #[test]
    fn an_event_that_cannot_be_read_is_kept_with_its_status() {
        let headers = headers();
        let letter = DeadLetter::new(&headers, b"{}", None, SystemTime::UNIX_EPOCH);
        let letter = letter.expect("has an ID");
        assert_eq!(
            (letter.recipient.as_str(), letter.status),
            (UNKNOWN, Some(503))
        );
        let (sent, data) = letter.event();
        assert!(was_refused(&headers) && !was_refused(&sent));
        assert_eq!((sent.len(), data), (3, b"{}".to_vec()));
        let no_digest = refused(&HeaderMap::new(), 422);
        assert!(DeadLetter::new(&no_digest, b"{}", None, SystemTime::UNIX_EPOCH).is_none());
    }
}
