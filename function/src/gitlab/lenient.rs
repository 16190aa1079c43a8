//! A value whose type is not known beforehand: the same name holds a text in one kind of event and
//! something else in the next. Owns that nothing is refused for it; what a kind needs is checked
//! where the kind is read.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Longest text kept, in bytes.
const MAX_KEPT: usize = 4096;

/// A text, a number or a truth value, or nothing for all else.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Lenient {
    #[default]
    Nothing,
    Text(String),
    Number(f64),
    Flag(bool),
}

impl Lenient {
    /// The first line of a text that is not blank.
    pub(super) fn text(self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text),
            Self::Nothing | Self::Number(_) | Self::Flag(_) => None,
        }
    }

    /// The text, or nothing for none.
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Nothing | Self::Number(_) | Self::Flag(_) => "",
        }
    }

    /// A whole number that a program can count to, rounded down.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the range is checked in the same line"
    )]
    pub(super) fn number(&self) -> Option<u64> {
        match self {
            Self::Number(number) => (0.0..9e15).contains(number).then_some(*number as u64),
            Self::Nothing | Self::Text(_) | Self::Flag(_) => None,
        }
    }

    /// A truth value.
    pub(super) fn flag(&self) -> Option<bool> {
        match self {
            Self::Flag(flag) => Some(*flag),
            Self::Nothing | Self::Text(_) | Self::Number(_) => None,
        }
    }
}

impl<'de> Deserialize<'de> for Lenient {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Anything)
    }
}

struct Anything;

#[expect(
    clippy::cast_precision_loss,
    reason = "ids and seconds are far below the numbers that lose digits"
)]
impl<'de> Visitor<'de> for Anything {
    type Value = Lenient;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Lenient, E> {
        Ok(Lenient::Nothing)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Lenient, E> {
        Ok(Lenient::Flag(flag))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Lenient, E> {
        Ok(Lenient::Number(number as f64))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Lenient, E> {
        Ok(Lenient::Number(number as f64))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Lenient, E> {
        Ok(Lenient::Number(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Lenient, E> {
        let line = text.trim().lines().next().unwrap_or_default();
        let kept = line[..line.floor_char_boundary(MAX_KEPT)].trim();
        Ok(if kept.is_empty() {
            Lenient::Nothing
        } else {
            Lenient::Text(kept.to_owned())
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Lenient, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Lenient::Nothing)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Lenient, A::Error> {
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Lenient::Nothing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_json_value_is_something_or_nothing() {
        let read = |json: &str| serde_json::from_str::<Lenient>(json).expect("is JSON");
        assert_eq!(read("\" a \\n b\"").text().as_deref(), Some("a"));
        assert_eq!(read("7").number(), Some(7));
        assert_eq!(read("63.9").number(), Some(63));
        assert_eq!(read("true").flag(), Some(true));
        for nothing in ["null", "[1,[2]]", "{\"a\":{}}", "\"  \""] {
            assert_eq!(read(nothing), Lenient::Nothing, "{nothing}");
        }
        for no_count in ["-1", "1e300"] {
            assert_eq!(read(no_count).number(), None, "{no_count}");
        }
    }
}
