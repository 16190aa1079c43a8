//! A notification as a CloudEvent 1.0 in binary content mode. Owns the attributes, and what makes an event
//! that comes back acceptable. The content is the serialized form of a
//! [`Notification`].

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;

use super::Extensions;
use super::signature::HandOffKeys;
use crate::digest::hex_digest;
use crate::gitlab::header::only;
use crate::gitlab::object::Object;
use crate::notifier::notification::{Notification, Version};

const SPEC_VERSION: HeaderName = HeaderName::from_static("ce-specversion");
const ID: HeaderName = HeaderName::from_static("ce-id");
const SOURCE: HeaderName = HeaderName::from_static("ce-source");
const TYPE: HeaderName = HeaderName::from_static("ce-type");
const TIME: HeaderName = HeaderName::from_static("ce-time");
const SIGNATURE: HeaderName = HeaderName::from_static("ce-webhookappsignature");

/// The type of the events; Triggers filter by it.
pub const EVENT_TYPE: &str = "webhook-app.notification.v1";

/// The source of the events.
const EVENT_SOURCE: &str = "/webhook-app";

/// Extensions of the trace context, and the headers with the same values.
const TRACE: [(HeaderName, &str); 2] = [
    (HeaderName::from_static("ce-traceparent"), "traceparent"),
    (HeaderName::from_static("ce-tracestate"), "tracestate"),
];

/// Names of attributes that are written here, so that extensions of the configuration cannot replace them.
pub(super) const RESERVED: [&str; 10] = [
    "specversion",
    "id",
    "source",
    "type",
    "time",
    "datacontenttype",
    "dataschema",
    "subject",
    "data",
    "webhookappsignature",
];

/// A notification that came back from the broker.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HandedOff {
    /// The notification; a late one says so in its text.
    pub notification: Notification,
    /// Time since its webhook arrived.
    pub age: Duration,
}

/// Why an event is not sent to Rocket.Chat.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum EventError {
    /// It has no valid signature.
    Unsigned,
    /// A newer version of webhook-app has written it.
    UnknownVersion,
    /// It is signed, and is no notification.
    Unreadable,
}

impl EventError {
    /// Every variant, for documentation tables and for metric series that are created at startup.
    pub const ALL: [Self; 3] = [Self::Unsigned, Self::UnknownVersion, Self::Unreadable];
}

/// The headers and the content of an event. `headers` contains the trace context.
pub(super) fn write(
    notification: &Notification,
    received_at: SystemTime,
    keys: &HandOffKeys,
    headers: &HeaderMap,
    extensions: &Extensions,
) -> Option<(HeaderMap, Vec<u8>)> {
    let data = serde_json::to_vec(notification).ok()?;
    let id = hex_digest(&["hand off", std::str::from_utf8(&data).ok()?]);
    let seconds = unix_seconds(received_at);
    let signature = keys.sign(&id, seconds, &data);
    let time = humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(seconds));
    let mut written = headers.clone();
    for (extension, header) in TRACE {
        if let Some(value) = headers.get(header) {
            written.insert(extension, value.clone());
        }
    }
    extensions.add_to(&mut written);
    let attributes = [
        (SPEC_VERSION, "1.0"),
        (ID, &id),
        (SOURCE, EVENT_SOURCE),
        (TYPE, EVENT_TYPE),
        (TIME, &time.to_string()),
        (SIGNATURE, &signature),
        (CONTENT_TYPE, "application/json"),
    ];
    for (name, value) in attributes {
        written.insert(name, HeaderValue::from_str(value).ok()?);
    }
    Some((written, data))
}

/// Whether there is a signature, which may be wrong.
pub(crate) fn has_signature(headers: &HeaderMap) -> bool {
    headers.contains_key(SIGNATURE)
}

/// The notification of an event.
///
/// The signature is verified first, so that nothing of another sender is parsed. `now` is the time at which
/// the event came back.
pub fn read(
    headers: &HeaderMap,
    data: &[u8],
    keys: &HandOffKeys,
    now: SystemTime,
) -> Result<HandedOff, EventError> {
    let text = |name: &HeaderName| only(headers, name).and_then(|value| value.to_str().ok());
    let signed = || {
        let id = text(&ID)?;
        let received_at = humantime::parse_rfc3339(text(&TIME)?).ok()?;
        let signature = text(&SIGNATURE)?.as_bytes();
        let is_signed = keys.verify(id, unix_seconds(received_at), data, signature);
        is_signed.then_some(received_at)
    };
    let received_at = signed().ok_or(EventError::Unsigned)?;
    let notification = parse(data)?.noted_if_late(received_at, now);
    let age = now.duration_since(received_at).unwrap_or_default();
    Ok(HandedOff { notification, age })
}

/// An unknown version is another error than an unknown content: a newer version can read it.
fn parse(data: &[u8]) -> Result<Notification, EventError> {
    #[derive(Deserialize)]
    struct Versioned {
        version: u64,
    }
    let Object(versioned): Object<Versioned> =
        serde_json::from_slice(data).map_err(|_| EventError::Unreadable)?;
    if versioned.version != u64::from(u8::from(Version)) {
        return Err(EventError::UnknownVersion);
    }
    serde_json::from_slice(data).map_err(|_| EventError::Unreadable)
}

fn unix_seconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH);
    since.map_or(0, |elapsed| elapsed.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rocketchat::{Destination, MessageKey, Username};

    const RECEIVED: &str = "2026-11-27T14:03:00Z";

    fn notification() -> Notification {
        let alice = Destination::User(Username::parse("alice").expect("is a name"));
        let key = MessageKey::derive(&["a"]);
        Notification::new(key, alice, "text".to_owned(), String::new())
    }

    fn keys() -> HandOffKeys {
        HandOffKeys::new(&"secret".into(), None)
    }

    fn written() -> (HeaderMap, Vec<u8>) {
        let mut trace = HeaderMap::new();
        trace.insert("traceparent", HeaderValue::from_static("00-1-2-01"));
        let extensions = Extensions::parse(r#"{"extensions":{"team":"a"}}"#).expect("is valid");
        let event = write(
            &notification(),
            at(0) + Duration::from_millis(999),
            &keys(),
            &trace,
            &extensions,
        );
        event.expect("can be written")
    }

    fn at(seconds: u64) -> SystemTime {
        let received = humantime::parse_rfc3339(RECEIVED).expect("is a time");
        received + Duration::from_secs(seconds)
    }

    #[test]
    fn an_event_has_the_attributes_of_cloud_events() {
        let (headers, data) = written();
        let mut lines: Vec<_> = headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        lines.sort();
        insta::assert_snapshot!(lines.join("\n"), @r##"
        ce-id: 55355b10f2c341fa5dfa9a2e08e87b5be973666b8ab22f143777a70ee0a4523f
        ce-source: /webhook-app
        ce-specversion: 1.0
        ce-team: a
        ce-time: 2026-11-27T14:03:00Z
        ce-traceparent: 00-1-2-01
        ce-type: webhook-app.notification.v1
        ce-webhookappsignature: v1,F/thysqPxryNYU9M8qViTezFLm90SIhWmKYaOyACLm8=
        content-type: application/json
        traceparent: 00-1-2-01
        "##);
        insta::assert_snapshot!(String::from_utf8(data).unwrap(), @r#"{"version":1,"key":{"content":"content-3b196fd4907bedf51c3090e9835f2f7cb61e7ee1b2299ea3b8fed9b4183a822a"},"action":"send","destination":{"user":"alice"},"source":"configuration","text":"text","origin":""}"#);
    }

    #[test]
    fn an_event_that_comes_back_is_the_same_notification() {
        let (headers, data) = written();
        let back = read(&headers, &data, &keys(), at(1)).expect("is signed");
        assert_eq!(back.notification, notification());
        let mut moved = headers.clone();
        // A broker may write the time in another form.
        moved.insert(TIME, "2026-11-27T14:03:00.000Z".parse().unwrap());
        assert!(read(&moved, &data, &keys(), at(1)).is_ok());
        let late = read(&headers, &data, &keys(), at(3600)).expect("is signed");
        assert!(late.notification.text.starts_with("text\n_late, from "));
    }

    #[test]
    fn what_is_not_signed_is_not_parsed() {
        let (headers, data) = written();
        for name in [ID, TIME, SIGNATURE] {
            let mut missing = headers.clone();
            missing.remove(&name);
            let mut twice = headers.clone();
            twice.append(&name, headers[&name].clone());
            let mut changed = headers.clone();
            changed.insert(&name, HeaderValue::from_static("2026-01-01T00:00:00Z"));
            for headers in [missing, twice, changed] {
                let found = read(&headers, &data, &keys(), at(1));
                assert_eq!(found, Err(EventError::Unsigned), "{name}");
            }
        }
        let other = HandOffKeys::new(&"other".into(), None);
        let found = read(&headers, &data, &other, at(1));
        assert_eq!(found, Err(EventError::Unsigned));
        let found = read(&headers, b"{}", &keys(), at(1));
        assert_eq!(found, Err(EventError::Unsigned));
    }

    #[test]
    fn an_unknown_version_waits_for_another_pod_and_anything_else_is_unreadable() {
        let known = serde_json::to_string(&notification()).expect("can be written");
        for (data, expected) in [
            (
                known.replace(r#""version":1"#, r#""version":2"#),
                EventError::UnknownVersion,
            ),
            (
                known.replace(r#""version":1"#, r#""version":300"#),
                EventError::UnknownVersion,
            ),
            (
                known.replace(r#""action":"send""#, r#""action":"reply""#),
                EventError::Unreadable,
            ),
            ("{}".to_owned(), EventError::Unreadable),
            ("[1]".to_owned(), EventError::Unreadable),
            ("[".to_owned(), EventError::Unreadable),
            (String::new(), EventError::Unreadable),
        ] {
            assert_eq!(parse(data.as_bytes()), Err(expected), "{data}");
        }
    }
}
