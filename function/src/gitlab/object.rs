//! An object in JSON. Owns the rule that a list is not an object: serde would accept a list as a struct, field by field,
//! and contain a second reader of each struct for it. Objects that may have another type are in
//! [`lenient`](super::lenient).

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};

/// A struct, read only from an object.
#[derive(Debug)]
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Object<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(entries)).map(Object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_not_an_object() {
        #[derive(Debug, Deserialize)]
        struct Numbered {
            id: u64,
        }
        let Object(read) = serde_json::from_str::<Object<Numbered>>(r#"{"id":1}"#).expect("is one");
        assert_eq!(read.id, 1);
        for other in ["[1]", "1", "null", "\"id\""] {
            serde_json::from_str::<Object<Numbered>>(other).expect_err(other);
        }
    }
}
