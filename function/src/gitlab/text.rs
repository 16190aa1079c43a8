//! Strings in GitLab's JSON, parsed without copying the body. Owns how null, empty and long strings
//! are treated: a string is cut off while it is parsed. Strings that may have an unexpected type are in
//! [`lenient`](super::lenient).

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};

use crate::limits::LIMITS;

/// The start of a text, which borrows from the body unless it contains an escape.
///
/// Keeps twice the limit of a text that is kept, so that a text that is too long does not become a
/// valid one.
#[derive(Clone, Debug)]
pub(super) struct Text<'a>(pub(super) Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string")
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Borrowed(start(text))))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(start(text).to_owned())))
    }
}

fn start(text: &str) -> &str {
    &text[..text.floor_char_boundary(2 * LIMITS.events.max_text_bytes)]
}

impl Text<'_> {
    /// The trimmed text; `None` if it is blank, because GitLab sends `""` for a missing value.
    pub(super) fn non_blank(text: Option<&Self>) -> Option<&str> {
        text.map(|text| text.0.trim())
            .filter(|text| !text.is_empty())
    }
}

/// The first line of a text, trimmed; `None` for null and blank text.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Line(pub(super) Option<String>);

impl Line {
    /// The text, or `""` for `None`.
    pub(super) fn as_str(&self) -> &str {
        self.0.as_deref().unwrap_or_default()
    }
}

impl<'de> Deserialize<'de> for Line {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize_nullable(deserializer, |text| {
            let text = text.map(str::trim).filter(|text| !text.is_empty());
            Ok(Self(text.map(|text| first_line(text).to_owned())))
        })
    }
}

/// Deserializes a string or null without copying the string. An error of `read` says what was
/// expected.
pub(super) fn deserialize_nullable<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    read: impl Fn(Option<&str>) -> Result<T, &'static str>,
) -> Result<T, D::Error> {
    deserializer.deserialize_option(NullableVisitor(read, PhantomData))
}

struct NullableVisitor<F, T>(F, PhantomData<T>);

impl<'de, T, F: Fn(Option<&str>) -> Result<T, &'static str>> Visitor<'de>
    for NullableVisitor<F, T>
{
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string or null")
    }

    fn visit_none<E: de::Error>(self) -> Result<T, E> {
        self.0(None).map_err(E::custom)
    }

    fn visit_unit<E: de::Error>(self) -> Result<T, E> {
        self.visit_none()
    }

    fn visit_some<D: Deserializer<'de>>(self, value: D) -> Result<T, D::Error> {
        value.deserialize_str(self)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        self.0(Some(text)).map_err(E::custom)
    }
}

/// The text up to the limit of a text that is kept.
pub(super) fn bounded(text: &str) -> &str {
    &text[..text.floor_char_boundary(LIMITS.events.max_text_bytes)]
}

/// The first line of a trimmed text, up to the limit.
pub(super) fn first_line(text: &str) -> &str {
    bounded(text.lines().next().unwrap_or_default()).trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_trimmed_and_of_bounded_length() {
        let line = |text: &str| {
            let json = serde_json::Value::from(text).to_string();
            serde_json::from_str::<Line>(&json).expect("is text").0
        };
        assert_eq!(line(" \n first \nsecond").as_deref(), Some("first"));
        assert_eq!(line(" \n\t"), None);
        assert_eq!(
            serde_json::from_str::<Line>("null").expect("is none").0,
            None
        );
        assert_eq!(
            line(&"é".repeat(10_000)).map(|line| line.len()),
            Some(LIMITS.events.max_text_bytes)
        );
        assert_eq!(
            line(&"山".repeat(10_000)).map(|line| line.len()),
            Some(LIMITS.events.max_text_bytes - 1)
        );
    }
}
