//! Values that only rules and templates use. Owns the guarantee that none of them makes a body
//! unreadable: a value of an unexpected type counts as missing. Fields that a message requires are
//! parsed strictly, in the file of their kind.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::text::first_line;
use crate::limits::LIMITS;

/// A string, a number or a boolean; [`Missing`](Self::Missing) for any other value.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Lenient {
    #[default]
    Missing,
    Text(String),
    Number(f64),
    Flag(bool),
}

impl Lenient {
    /// The first line of the string, trimmed; `None` for other values and blank strings.
    pub(super) fn text(self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text),
            Self::Missing | Self::Number(_) | Self::Flag(_) => None,
        }
    }

    /// The string, or `""` for other values.
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Missing | Self::Number(_) | Self::Flag(_) => "",
        }
    }

    /// The number rounded down; `None` if it is negative, 9e15 or more, or no number.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the range is checked in the same line"
    )]
    pub(super) fn number(&self) -> Option<u64> {
        match self {
            Self::Number(number) => (0.0..9e15).contains(number).then_some(*number as u64),
            Self::Missing | Self::Text(_) | Self::Flag(_) => None,
        }
    }

    /// The boolean; `None` for other values.
    pub(super) fn flag(&self) -> Option<bool> {
        match self {
            Self::Flag(flag) => Some(*flag),
            Self::Missing | Self::Text(_) | Self::Number(_) => None,
        }
    }
}

impl<'de> Deserialize<'de> for Lenient {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

#[expect(
    clippy::cast_precision_loss,
    reason = "ids and seconds are far below 2^53"
)]
impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Lenient;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Lenient, E> {
        Ok(Lenient::Missing)
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
        let kept = first_line(text.trim());
        Ok(if kept.is_empty() {
            Lenient::Missing
        } else {
            Lenient::Text(kept.to_owned())
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Lenient, A::Error> {
        skip_items(items).map(|()| Lenient::Missing)
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Lenient, A::Error> {
        skip_entries(entries).map(|()| Lenient::Missing)
    }
}

/// An object; the default of `T` for any other value. All fields of `T` must be lenient themselves.
#[derive(Clone, Debug, Default)]
pub(super) struct LenientObject<T>(pub(super) T);

impl<'de, T: Default + Deserialize<'de>> Deserialize<'de> for LenientObject<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ShapeVisitor(PhantomData))
    }
}

/// The objects of a list, at most
/// [`max_list_entries`](crate::limits::EventLimits::max_list_entries); empty for any other value.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct LenientList<T>(pub(super) Vec<T>);

impl<'de, T: Default + Deserialize<'de>> Deserialize<'de> for LenientList<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ShapeVisitor(PhantomData))
    }
}

/// The numbers in a list, with the same limit; empty for any other value.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct LenientNumbers(pub(super) Vec<u64>);

impl<'de> Deserialize<'de> for LenientNumbers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ShapeVisitor(PhantomData))
    }
}

/// The two compound shapes of a JSON value: object and list. Each implementation accepts one of
/// them.
trait Shape<'de>: Default {
    fn from_map<A: MapAccess<'de>>(entries: A) -> Result<Self, A::Error> {
        skip_entries(entries).map(|()| Self::default())
    }

    fn from_list<A: SeqAccess<'de>>(items: A) -> Result<Self, A::Error> {
        skip_items(items).map(|()| Self::default())
    }
}

impl<'de, T: Default + Deserialize<'de>> Shape<'de> for LenientObject<T> {
    fn from_map<A: MapAccess<'de>>(entries: A) -> Result<Self, A::Error> {
        T::deserialize(MapAccessDeserializer::new(entries)).map(Self)
    }
}

impl<'de, T: Default + Deserialize<'de>> Shape<'de> for LenientList<T> {
    fn from_list<A: SeqAccess<'de>>(mut items: A) -> Result<Self, A::Error> {
        let mut list = Vec::new();
        while list.len() < LIMITS.events.max_list_entries {
            match items.next_element::<LenientObject<T>>()? {
                Some(LenientObject(item)) => list.push(item),
                None => return Ok(Self(list)),
            }
        }
        skip_items(items).map(|()| Self(list))
    }
}

impl<'de> Shape<'de> for LenientNumbers {
    fn from_list<A: SeqAccess<'de>>(mut items: A) -> Result<Self, A::Error> {
        let mut list = Vec::new();
        while list.len() < LIMITS.events.max_list_entries {
            match items.next_element::<Lenient>()? {
                Some(item) => list.extend(item.number()),
                None => return Ok(Self(list)),
            }
        }
        skip_items(items).map(|()| Self(list))
    }
}

struct ShapeVisitor<S>(PhantomData<S>);

impl<'de, S: Shape<'de>> Visitor<'de> for ShapeVisitor<S> {
    type Value = S;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<S, E> {
        Ok(S::default())
    }

    fn visit_bool<E>(self, _: bool) -> Result<S, E> {
        Ok(S::default())
    }

    fn visit_u64<E>(self, _: u64) -> Result<S, E> {
        Ok(S::default())
    }

    fn visit_i64<E>(self, _: i64) -> Result<S, E> {
        Ok(S::default())
    }

    fn visit_f64<E>(self, _: f64) -> Result<S, E> {
        Ok(S::default())
    }

    fn visit_str<E>(self, _: &str) -> Result<S, E> {
        Ok(S::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<S, A::Error> {
        S::from_list(items)
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<S, A::Error> {
        S::from_map(entries)
    }
}

fn skip_items<'de, A: SeqAccess<'de>>(mut items: A) -> Result<(), A::Error> {
    while items.next_element::<IgnoredAny>()?.is_some() {}
    Ok(())
}

fn skip_entries<'de, A: MapAccess<'de>>(mut entries: A) -> Result<(), A::Error> {
    while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_json_value_is_a_scalar_or_missing() {
        let read = |json: &str| serde_json::from_str::<Lenient>(json).expect("is JSON");
        assert_eq!(read("\" a \\n b\"").text().as_deref(), Some("a"));
        assert_eq!(read("7").number(), Some(7));
        assert_eq!(read("63.9").number(), Some(63));
        assert_eq!(read("true").flag(), Some(true));
        for missing in ["null", "[1,[2]]", "{\"a\":{}}", "\"  \""] {
            assert_eq!(read(missing), Lenient::Missing, "{missing}");
        }
        for out_of_range in ["-1", "1e300"] {
            assert_eq!(read(out_of_range).number(), None, "{out_of_range}");
        }
    }

    #[test]
    fn a_value_of_another_shape_counts_as_missing() {
        #[derive(Clone, Debug, Default, Deserialize)]
        #[serde(default)]
        struct Named {
            name: Lenient,
        }
        let object = |json: &str| {
            let read: LenientObject<Named> = serde_json::from_str(json).expect("is JSON");
            read.0.name.text()
        };
        assert_eq!(object(r#"{"name":"a","x":[{}]}"#).as_deref(), Some("a"));
        for other in [
            "null",
            "7",
            "-7",
            "0.5",
            "true",
            "\"a\"",
            "[{}]",
            r#"{"name":[]}"#,
        ] {
            assert_eq!(object(other), None, "{other}");
        }
        let list = |json: &str| {
            let read: LenientList<Named> = serde_json::from_str(json).expect("is JSON");
            read.0.len()
        };
        assert_eq!(list(r#"[{"name":"a"},7,null]"#), 3);
        assert_eq!(
            list(&format!("[{}]", vec!["{}"; 500].join(","))),
            LIMITS.events.max_list_entries
        );
        for other in ["null", "7", "\"a\"", "{}"] {
            assert_eq!(list(other), 0, "{other}");
        }
    }
}
