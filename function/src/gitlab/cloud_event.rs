//! The CloudEvents 1.0 envelope, as Knative's GitLabSource and brokers send it. Owns both content
//! modes and the idempotency key of a CloudEvent. The payload is that of a plain webhook, see
//! [`event`](super::event); its kind comes from the payload, because GitLabSource's event types
//! name jobs differently from GitLab.

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName};
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::event::{ParseError, check_syntax, read};
use super::header::{is_media_type, only};
use super::idempotency_key::IdempotencyKey;
use super::json;
use super::object::Object;
use super::text::Text;
use crate::limits::LIMITS;

const ID: HeaderName = HeaderName::from_static("ce-id");
const SOURCE: HeaderName = HeaderName::from_static("ce-source");
const VERSION: HeaderName = HeaderName::from_static("ce-specversion");

/// Media type of the structured content mode.
pub const STRUCTURED: &str = "application/cloudevents+json";

/// The content of an envelope.
#[derive(Debug)]
pub struct CloudEvent<'a> {
    /// The same for every redelivery by the broker. GitLabSource gives every webhook a new id, so a
    /// resend by GitLab has another key.
    pub key: IdempotencyKey,
    /// The payload, as GitLab sent it or as the source serialized it again.
    pub data: Cow<'a, [u8]>,
}

/// Whether these are the headers of a CloudEvent in either content mode.
pub(crate) fn is_cloud_event(headers: &HeaderMap) -> bool {
    headers.contains_key(VERSION) || is_structured(headers)
}

/// Whether the envelope is in the body: structured content mode.
pub(crate) fn is_structured(headers: &HeaderMap) -> bool {
    only(headers, &CONTENT_TYPE).is_some_and(|value| is_media_type(value, STRUCTURED))
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    specversion: Option<Text<'a>>,
    #[serde(borrow)]
    id: Option<Text<'a>>,
    #[serde(borrow)]
    source: Option<Text<'a>>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    data_base64: Option<Decoded>,
}

/// Bytes in base64, decoded while they are parsed, because an encoded text with an escape would be
/// copied. `None` if it is not valid.
struct Decoded(Option<Vec<u8>>);

impl<'de> Deserialize<'de> for Decoded {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(DecodedVisitor)
    }
}

struct DecodedVisitor;

impl Visitor<'_> for DecodedVisitor {
    type Value = Decoded;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Decoded, E> {
        Ok(Decoded(STANDARD.decode(text.trim()).ok()))
    }
}

/// Reads the envelope. Fails with a [`ParseError`] if an attribute is missing, too long or of
/// another CloudEvents version than 1.0.
pub fn parse<'a>(headers: &HeaderMap, body: &'a [u8]) -> Result<CloudEvent<'a>, ParseError> {
    if is_structured(headers) {
        return parse_structured(body);
    }
    let header = |name| only(headers, name).and_then(|value| value.to_str().ok());
    Ok(CloudEvent {
        key: key(header(&VERSION), header(&ID), header(&SOURCE))?,
        data: Cow::Borrowed(body),
    })
}

fn parse_structured(body: &[u8]) -> Result<CloudEvent<'_>, ParseError> {
    let body =
        std::str::from_utf8(body).map_err(|error| ParseError::NotUtf8(error.valid_up_to()))?;
    if !body.trim_ascii_start().starts_with('{') {
        check_syntax(body)?;
        return Err(ParseError::Field("specversion".to_owned()));
    }
    let parsed = serde_json::from_str::<Object<Envelope>>(body);
    let Object(envelope) = parsed.map_err(|_| envelope_error(body))?;
    let key = key(
        Text::non_blank(envelope.specversion.as_ref()),
        Text::non_blank(envelope.id.as_ref()),
        Text::non_blank(envelope.source.as_ref()),
    )?;
    let data = match (envelope.data, envelope.data_base64) {
        (Some(data), _) => Cow::Borrowed(data.get().as_bytes()),
        (None, Some(Decoded(None))) => return Err(ParseError::Field("data_base64".to_owned())),
        (None, Some(Decoded(Some(bytes)))) if !bytes.is_empty() => Cow::Owned(bytes),
        (None, _) => return Err(ParseError::Missing("data")),
    };
    Ok(CloudEvent { key, data })
}

/// Why the body is not an envelope.
fn envelope_error(body: &str) -> ParseError {
    let syntax = check_syntax(body).err();
    let field = || read::<Envelope>(&json::shortened(body)).err();
    let error = syntax.or_else(field);
    error.unwrap_or_else(|| ParseError::Field("data".to_owned()))
}

/// The key of the event. CloudEvents guarantees that id and source together are unique.
fn key(
    version: Option<&str>,
    id: Option<&str>,
    source: Option<&str>,
) -> Result<IdempotencyKey, ParseError> {
    if version != Some("1.0") {
        return Err(ParseError::Field("specversion".to_owned()));
    }
    let attribute = |text: Option<&'_ str>, field| match text {
        Some(text)
            if !text.is_empty() && text.len() <= LIMITS.events.max_cloud_event_name_bytes =>
        {
            Ok(text.to_owned())
        }
        _ => Err(ParseError::Missing(field)),
    };
    let (id, source) = (attribute(id, "id")?, attribute(source, "source")?);
    Ok(IdempotencyKey::from_content(&["cloud event", &source, &id]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(entries: &[(&'static str, &str)]) -> HeaderMap {
        let header = |(name, value): &(&'static str, &str)| {
            (
                HeaderName::from_static(name),
                value.parse().expect("is a value"),
            )
        };
        entries.iter().map(header).collect()
    }

    #[test]
    fn both_forms_of_an_event_have_the_same_key_and_body() {
        let binary = headers(&[
            ("ce-specversion", "1.0"),
            ("ce-id", "1"),
            ("ce-source", "s"),
            ("content-type", "application/json"),
        ]);
        let structured = headers(&[(
            "content-type",
            "application/cloudevents+json; charset=utf-8",
        )]);
        let envelope = br#"{"specversion":"1.0","id":"1","source":"s","type":"t","data":{"a":1}}"#;
        let encoded =
            br#"{"specversion":"1.0","id":"1","source":"s","type":"t","data_base64":"eyJhIjoxfQ=="}"#;
        let one = parse(&binary, br#"{"a":1}"#).expect("is an event");
        for body in [&envelope[..], encoded] {
            let other = parse(&structured, body).expect("is an event");
            assert_eq!(other.key, one.key);
            assert_eq!(other.data, one.data);
        }
        assert!(
            is_cloud_event(&binary)
                && is_cloud_event(&structured)
                && !is_cloud_event(&HeaderMap::new())
        );
    }

    #[test]
    fn an_incomplete_envelope_is_an_error() {
        let structured = headers(&[("content-type", STRUCTURED)]);
        for body in [
            r#"{"specversion":"1.0","id":"1","source":"s"}"#,
            r#"{"specversion":"0.3","id":"1","source":"s","data":{}}"#,
            r#"{"specversion":"1.0","source":"s","data":{}}"#,
            r#"{"specversion":"1.0","id":"1","data":{}}"#,
            r#"{"specversion":"1.0","id":"1","source":"s","data_base64":"?"}"#,
            "[]",
        ] {
            assert!(parse(&structured, body.as_bytes()).is_err(), "{body}");
        }
    }
}
