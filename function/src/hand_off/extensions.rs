//! Extension attributes that the configuration adds to every event, as Knative's `K_CE_OVERRIDES` names them.
//! Owns their syntax.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;

use super::event::RESERVED;
use crate::gitlab::object::Object;

/// Headers of the extension attributes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Extensions(HeaderMap);

#[derive(Deserialize)]
struct Overrides {
    #[serde(default)]
    extensions: BTreeMap<String, String>,
}

impl Extensions {
    /// Parses `{"extensions": {"name": "value"}}`.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let Object(overrides): Object<Overrides> = serde_json::from_str(text).map_err(
            |_| r#"expected a JSON object such as {"extensions": {"team": "a"}}, with texts as values"#,
        )?;
        let mut headers = HeaderMap::new();
        for (name, value) in overrides.extensions {
            let is_name = (1..=20).contains(&name.len())
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
            if !is_name || RESERVED.contains(&name.as_str()) {
                return Err(
                    "expected names of extensions of 1 to 20 lower-case letters and digits that are not attributes of the event itself",
                );
            }
            let name = HeaderName::try_from(format!("ce-{name}"));
            let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(&value)) else {
                return Err("expected values of extensions of visible ASCII characters");
            };
            headers.insert(name, value);
        }
        Ok(Self(headers))
    }

    /// Adds them to the headers of an event.
    pub(super) fn add_to(&self, headers: &mut HeaderMap) {
        headers.extend(self.0.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_become_headers() {
        let extensions = Extensions::parse(r#"{"extensions":{"team":"a b","n1":"2"}}"#);
        let mut headers = HeaderMap::new();
        extensions.expect("is valid").add_to(&mut headers);
        assert_eq!(headers["ce-team"], "a b");
        assert_eq!(headers["ce-n1"], "2");
        for empty in ["{}", r#"{"extensions":{}}"#] {
            assert!(Extensions::parse(empty).is_ok_and(|found| found.0.is_empty()));
        }
    }

    #[test]
    fn attributes_of_the_event_itself_and_wrong_values_are_refused() {
        for text in [
            "",
            "[]",
            r#"{"extensions":{"id":"1"}}"#,
            r#"{"extensions":{"webhookappsignature":"1"}}"#,
            r#"{"extensions":{"Team":"1"}}"#,
            r#"{"extensions":{"":"1"}}"#,
            r#"{"extensions":{"a-b":"1"}}"#,
            r#"{"extensions":{"team":1}}"#,
            r#"{"extensions":{"team":"a\nb"}}"#,
        ] {
            assert!(Extensions::parse(text).is_err(), "{text}");
        }
    }
}
