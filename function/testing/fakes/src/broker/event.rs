//! An event in the broker. Owns what CloudEvents 1.0 requires of one in binary content mode over HTTP.

use bytes::Bytes;
use hyper::http::request::Parts;

/// A CloudEvent in binary content mode.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Event {
    /// Context attributes by name, without `ce-`.
    pub attributes: Vec<(String, String)>,
    /// The media type of the content.
    pub content_type: String,
    /// The content.
    pub data: Vec<u8>,
}

/// The attributes that every event has.
const REQUIRED: [&str; 4] = ["specversion", "id", "source", "type"];

impl Event {
    /// Reads an event; the error says what CloudEvents does not allow.
    pub fn read(request: &Parts, data: Bytes) -> Result<Self, String> {
        if request.method != "POST" {
            return Err(format!("expected POST, found {}", request.method));
        }
        let mut attributes = Vec::new();
        let mut content_type = None;
        for (name, value) in &request.headers {
            let value = value.to_str();
            let value = value.map_err(|_| format!("expected ASCII in {name}"))?;
            match name.as_str().strip_prefix("ce-") {
                Some(attribute) => {
                    check_name(attribute)?;
                    check_value(attribute, value)?;
                    if attributes.iter().any(|(known, _)| known == attribute) {
                        return Err(format!("expected {attribute} once"));
                    }
                    attributes.push((attribute.to_owned(), value.to_owned()));
                }
                None if name == "content-type" => content_type = Some(value.to_owned()),
                None => {}
            }
        }
        let event = Self {
            attributes,
            content_type: content_type.ok_or("expected a content-type")?,
            data: data.into(),
        };
        for required in REQUIRED {
            if event.attribute(required).is_none_or(str::is_empty) {
                return Err(format!("expected the attribute {required}"));
            }
        }
        if event.attribute("specversion") != Some("1.0") {
            return Err("expected specversion 1.0".to_owned());
        }
        if event.content_type.starts_with("application/cloudevents") {
            return Err("expected binary content mode".to_owned());
        }
        Ok(event)
    }

    /// The value of an attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The headers with which a broker sends it.
    pub fn headers(&self) -> Vec<(String, Vec<u8>)> {
        let attributes = self.attributes.iter();
        let attributes = attributes.map(|(name, value)| (format!("ce-{name}"), value.clone()));
        let content_type = ("content-type".to_owned(), self.content_type.clone());
        let headers = attributes.chain([content_type]);
        headers
            .map(|(name, value)| (name, value.into_bytes()))
            .collect()
    }
}

/// Lower-case letters and digits, at most 20 of them, which the specification recommends and brokers require.
fn check_name(name: &str) -> Result<(), String> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_name = (1..=20).contains(&name.len()) && name.bytes().all(allowed);
    is_name.then_some(()).ok_or_else(|| {
        format!("expected a name of 1 to 20 lower-case letters and digits, found {name}")
    })
}

fn check_value(name: &str, value: &str) -> Result<(), String> {
    // As in 2026-11-27T14:03:00Z.
    let is_time = |text: &str| {
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        digits >= 14 && text.get(10..11) == Some("T") && text.len() >= 20
    };
    if name == "time" && !is_time(value) {
        return Err(format!("expected a time of RFC 3339, found {value}"));
    }
    // Everything else must be percent-encoded.
    if value.is_empty()
        || value
            .bytes()
            .any(|byte| !(b' '..=b'~').contains(&byte) || byte == b'"')
    {
        return Err(format!(
            "expected a value of {name} without quotes and control characters"
        ));
    }
    Ok(())
}
