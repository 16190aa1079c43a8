//! A request to the API, and its parameters.
//! Owns how queries and bodies are read and how values are coerced, as Grape does it.

use std::time::Duration;

use hyper::HeaderMap;
use serde_json::{Map, Value};

use super::reply::Reply;
use crate::clock::parse_iso;

/// A request whose body is read.
pub(super) struct Call {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Call {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The parts of the path, decoded: an encoded slash does not divide.
    pub(super) fn segments(&self) -> Vec<String> {
        self.path
            .trim_matches('/')
            .split('/')
            .map(decoded)
            .collect()
    }

    pub(super) fn query(&self) -> Parameters {
        Parameters(form(&self.query))
    }

    /// The parameters of the query and of the body.
    pub(super) fn parameters(&self) -> Result<Parameters, Reply> {
        let mut all = form(&self.query);
        if self.body.is_empty() {
            return Ok(Parameters(all));
        }
        let kind = self.header("content-type").unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        let fields = match kind {
            "application/json" => match serde_json::from_slice(&self.body) {
                Ok(Value::Object(fields)) => fields,
                _ => {
                    return Err(Reply::error(
                        400,
                        "The request body could not be parsed as JSON",
                    ));
                }
            },
            "application/x-www-form-urlencoded" => form(&String::from_utf8_lossy(&self.body)),
            _ => {
                let error = format!("The provided content-type '{kind}' is not supported.");
                return Err(Reply::error(415, &error));
            }
        };
        all.extend(fields);
        Ok(Parameters(all))
    }
}

/// Parameters by name; a field of a form is a text.
pub(super) struct Parameters(Map<String, Value>);

impl Parameters {
    pub(super) fn of(fields: &Map<String, Value>) -> Self {
        Self(fields.clone())
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// A text; numbers and booleans are converted, other values are not valid.
    pub(super) fn text(&self, name: &str) -> Result<Option<String>, Reply> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(Value::Array(_) | Value::Object(_)) => Err(is_invalid(name)),
            Some(other) => Ok(Some(other.to_string())),
        }
    }

    pub(super) fn boolean(&self, name: &str) -> Result<Option<bool>, Reply> {
        let text = self.text(name)?;
        let Some(text) = text.filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        match text.to_ascii_lowercase().as_str() {
            "true" | "t" | "1" | "yes" | "y" | "on" => Ok(Some(true)),
            "false" | "f" | "0" | "no" | "n" | "off" => Ok(Some(false)),
            _ => Err(is_invalid(name)),
        }
    }

    pub(super) fn number(&self, name: &str) -> Result<Option<i64>, Reply> {
        let text = self.text(name)?;
        let Some(text) = text.filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        text.parse().map(Some).map_err(|_| is_invalid(name))
    }

    /// A date, or a date and a time, since 1970.
    pub(super) fn time(&self, name: &str) -> Result<Option<Duration>, Reply> {
        let text = self.text(name)?;
        let Some(text) = text.filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        parse_iso(&text).map(Some).ok_or_else(|| is_invalid(name))
    }

    /// One of these texts.
    pub(super) fn one_of(&self, name: &str, known: &[&str]) -> Result<Option<String>, Reply> {
        let text = self.text(name)?;
        match text.filter(|text| !text.is_empty()) {
            Some(text) if !known.contains(&text.as_str()) => Err(has_no_valid_value(name)),
            text => Ok(text),
        }
    }

    /// A list of objects with a `key` and a `value`.
    pub(super) fn pairs(&self, name: &str) -> Result<Option<Vec<(String, String)>>, Reply> {
        let items = match self.0.get(name) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Array(items)) => items,
            Some(_) => return Err(is_invalid(name)),
        };
        let pair = |item: &Value| {
            let part = |field: &str| {
                let text = item[field].as_str().map(str::to_owned);
                text.ok_or_else(|| Reply::error(400, &format!("{name}[0][{field}] is missing")))
            };
            Ok((part("key")?, part("value")?))
        };
        items.iter().map(pair).collect::<Result<_, _>>().map(Some)
    }

    /// The query of the same request with other values, for a link to another page.
    pub(super) fn query_with(&self, replaced: &[(&str, String)]) -> String {
        let kept = self.0.iter().filter_map(|(name, value)| {
            let is_replaced = replaced.iter().any(|(other, _)| other == name);
            let value = value.as_str().filter(|_| !is_replaced)?;
            Some(format!("{}={}", encoded(name), encoded(value)))
        });
        let added = replaced
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        kept.chain(added).collect::<Vec<_>>().join("&")
    }
}

pub(super) fn is_invalid(name: &str) -> Reply {
    Reply::error(400, &format!("{name} is invalid"))
}

pub(super) fn has_no_valid_value(name: &str) -> Reply {
    Reply::error(400, &format!("{name} does not have a valid value"))
}

fn form(text: &str) -> Map<String, Value> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let decode = |part: &str| decoded(&part.replace('+', " "));
        (decode(name), Value::from(decode(value)))
    });
    pairs.collect()
}

/// Percent-decoding; bytes outside UTF-8 are replaced.
pub(super) fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let hex = after.get(..2).filter(|_| first == b'%');
        let hex = hex.and_then(|hex| std::str::from_utf8(hex).ok());
        let escaped = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        bytes.push(escaped.unwrap_or(first));
        rest = if escaped.is_some() {
            &after[2..]
        } else {
            after
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn encoded(text: &str) -> String {
    let bytes = text.bytes().map(|byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    });
    bytes.collect()
}
