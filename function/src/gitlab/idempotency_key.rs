//! The identity of a delivery. Owns the key that is the same for every resend, and its replacement
//! for GitLab versions that do not send one. The id of a message is derived from it elsewhere, in
//! the module of the chat server.

use http::{HeaderMap, HeaderName};
use serde::{Deserialize, Serialize};

use super::header;
use crate::digest::hex_digest;

/// Header that GitLab 17.4 and later send; its value is the same for every resend of a delivery.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// Longest accepted key, in characters. GitLab's are UUIDs of 36 characters.
const MAX_LENGTH: usize = 255;

/// Begins every key that is a digest of content.
const CONTENT: &str = "content-";

/// Identifies one delivery: equal for resends and duplicates, different for all other deliveries.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct IdempotencyKey(Box<str>);

impl IdempotencyKey {
    /// Parses a key of 1 to 255 visible ASCII characters; `None` for anything else.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let visible = bytes.iter().all(u8::is_ascii_graphic);
        let fits = (1..=MAX_LENGTH).contains(&bytes.len());
        (visible && fits).then(|| Self(String::from_utf8_lossy(bytes).into()))
    }

    /// The value of the `Idempotency-Key` header; `None` if it is missing, repeated or invalid.
    pub(crate) fn from_headers(headers: &HeaderMap) -> Option<Self> {
        let name = HeaderName::from_static(IDEMPOTENCY_KEY);
        Self::parse(header::only(headers, &name)?.as_bytes())
    }

    /// Replaces the key for GitLab before 17.4: `content-` and a digest of the fields that identify
    /// the event.
    ///
    /// Two events with equal fields have the same key, so the second of two identical pushes is
    /// dropped. It is therefore off unless `ACCEPT_MISSING_IDEMPOTENCY_KEY` is set.
    pub(crate) fn from_content(fields: &[&str]) -> Self {
        Self(format!("{CONTENT}{}", hex_digest(fields)).into())
    }

    /// Whether it is a digest of content, which others may know, and not a key of GitLab.
    pub(crate) fn is_content(&self) -> bool {
        self.0.starts_with(CONTENT)
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for IdempotencyKey {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        Self::parse(text.as_bytes()).ok_or("expected a key of 1 to 255 visible ASCII characters")
    }
}

impl From<IdempotencyKey> for String {
    fn from(key: IdempotencyKey) -> Self {
        key.0.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_visible_ascii_of_bounded_length() {
        assert!(IdempotencyKey::parse(b"f5e5f430-f57b-4e6e-9fac-d9128cd7232f").is_some());
        assert!(IdempotencyKey::parse(&[b'a'; 255]).is_some());
        for invalid in [&b""[..], &[b'a'; 256], b"with space", b"\xff\xfe", b"tab\t"] {
            assert_eq!(IdempotencyKey::parse(invalid), None, "{invalid:?}");
        }
    }

    #[test]
    fn a_repeated_header_is_no_key() {
        let mut headers = HeaderMap::new();
        headers.append(IDEMPOTENCY_KEY, "one".parse().expect("is a header value"));
        assert!(IdempotencyKey::from_headers(&headers).is_some());
        headers.append(IDEMPOTENCY_KEY, "two".parse().expect("is a header value"));
        assert_eq!(IdempotencyKey::from_headers(&headers), None);
    }
}
