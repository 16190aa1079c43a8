//! An entry of the log of a webhook: one attempt to send one event. Owns which of its fields are read. GitLab
//! shows the entries of 7 days, newest first; entries of system hooks are not in the API.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::gitlab::timestamp;

/// One attempt to send an event.
#[derive(Clone, Deserialize)]
pub struct HookEvent {
    /// Its ID; later attempts have higher ones.
    pub id: u64,
    /// The address at that time.
    #[serde(default, deserialize_with = "text")]
    pub url: String,
    /// What triggered it, such as `push_hooks`; `push_hooks` with a test too.
    #[serde(default, deserialize_with = "text")]
    pub trigger: String,
    /// The headers that GitLab sent; the secret token is `[REDACTED]`.
    #[serde(default, deserialize_with = "headers")]
    pub request_headers: BTreeMap<String, String>,
    /// The body that GitLab sent, with e-mail addresses `[REDACTED]`, or `{"oversize": true}`.
    #[serde(default)]
    pub request_data: Option<Box<RawValue>>,
    /// The headers of the response.
    #[serde(default, deserialize_with = "headers")]
    pub response_headers: BTreeMap<String, String>,
    /// The first 8 KiB of the response.
    #[serde(default, deserialize_with = "text")]
    pub response_body: String,
    /// The status of the response, or `internal error` if there was none.
    #[serde(default, deserialize_with = "text")]
    pub response_status: String,
    /// How long the attempt took, in seconds.
    #[serde(default, deserialize_with = "number")]
    pub execution_duration: Option<f64>,
    /// When it was made; older versions of GitLab do not say.
    #[serde(default, deserialize_with = "text")]
    created_at: String,
}

impl HookEvent {
    /// The value of a header that GitLab sent, whatever the case of its name.
    pub fn request_header(&self, name: &str) -> Option<&str> {
        find(&self.request_headers, name)
    }

    /// When the attempt was made, as a Unix time: from the entry, or from the `Date` of the response.
    pub fn unix_seconds(&self) -> Option<u64> {
        let date = || find(&self.response_headers, "Date").and_then(http_date);
        timestamp::unix_seconds(&self.created_at).or_else(date)
    }

    /// Whether the receiver accepted it, as GitLab sees it: a redirect counts as a success.
    pub fn is_success(&self) -> bool {
        let status = self.response_status.parse::<u16>();
        status.is_ok_and(|status| (200..400).contains(&status))
    }
}

fn find<'a>(headers: &'a BTreeMap<String, String>, name: &str) -> Option<&'a str> {
    let mut all = headers.iter();
    let found = all.find(|(key, _)| key.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str())
}

/// The Unix time of `Sun, 06 Nov 1994 08:49:37 GMT`, the only form of a date that servers may send.
fn http_date(text: &str) -> Option<u64> {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let mut words = text.split_once(", ")?.1.split(' ');
    let (day, month, year, time) = (words.next()?, words.next()?, words.next()?, words.next()?);
    if words.next() != Some("GMT") || month.len() != 3 || !month.is_ascii() {
        return None;
    }
    let month = MONTHS.find(month)?;
    if !month.is_multiple_of(3) {
        return None;
    }
    let month = month / 3 + 1;
    timestamp::unix_seconds(&format!("{year}-{month:02}-{day} {time} UTC"))
}

/// A text, or a number as text, or nothing.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => text,
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    })
}

fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    Ok(Value::deserialize(deserializer)?.as_f64())
}

/// The headers whose values are texts.
fn headers<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    let Value::Object(fields) = Value::deserialize(deserializer)? else {
        return Ok(BTreeMap::new());
    };
    let texts = fields.into_iter().filter_map(|(name, value)| match value {
        Value::String(text) => Some((name, text)),
        _ => None,
    });
    Ok(texts.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(fields: &str) -> HookEvent {
        serde_json::from_str(&format!(r#"{{"id": 7{fields}}}"#)).expect(fields)
    }

    #[test]
    fn the_time_is_that_of_the_entry_or_of_the_response() {
        let date = r#", "response_headers": {"date": "Sun, 06 Nov 1994 08:49:37 GMT"}"#;
        for (fields, expected) in [
            (
                r#", "created_at": "2016-08-12T15:26:29.123Z""#.to_owned(),
                Some(1_471_015_589),
            ),
            (date.to_owned(), Some(784_111_777)),
            (
                format!(r#", "created_at": "2016-08-12T15:26:29Z"{date}"#),
                Some(1_471_015_589),
            ),
            (date.replace("Nov", "Nvo"), None),
            (date.replace("Nov", "anF"), None),
            (date.replace(" GMT", ""), None),
            (date.replace("06", "66"), None),
            (String::new(), None),
        ] {
            assert_eq!(event(&fields).unix_seconds(), expected, "{fields}");
        }
    }

    #[test]
    fn a_redirect_is_a_success_and_no_response_is_none() {
        for (status, expected) in [
            ("\"200\"", true),
            ("204", true),
            ("\"302\"", true),
            ("\"404\"", false),
            ("\"503\"", false),
            ("\"internal error\"", false),
            ("null", false),
            ("{}", false),
        ] {
            let event = event(&format!(r#", "response_status": {status}"#));
            assert_eq!(event.is_success(), expected, "{status}");
        }
    }

    #[test]
    fn headers_and_bodies_are_kept_as_they_are() {
        let event = event(
            r#", "request_headers": {"Idempotency-Key": "k", "X": ["a"]}, "request_data": {"a":  1}"#,
        );
        assert_eq!(event.request_header("idempotency-key"), Some("k"));
        assert_eq!(event.request_header("X"), None);
        assert_eq!(event.request_data.expect("is there").get(), r#"{"a":  1}"#);
    }

    proptest::proptest! {
        #[test]
        fn no_entry_makes_it_panic(value in "(?s).{0,40}", field in "url|created_at|response_status") {
            let value = serde_json::to_string(&value).expect("is JSON");
            let event = event(&format!(r#", "{field}": {value}"#));
            let _ = (event.unix_seconds(), event.is_success());
        }

        #[test]
        fn no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(0_u8.., 0..200)) {
            let _ = serde_json::from_slice::<HookEvent>(&bytes);
        }
    }
}
