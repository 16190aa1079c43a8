//! What makes two deliveries the same one. Owns the key that stays the same over GitLab's resends
//! and what stands in for it where GitLab is too old to send one. How the key becomes a message id
//! is [`rocketchat`](crate::rocketchat)'s business.

use http::HeaderMap;

use crate::digest::hex_digest;

/// Sent by GitLab 17.4 and later, the same on every resend of one delivery.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// Longer keys are refused; GitLab's are UUIDs of 36 characters.
const MAX_LENGTH: usize = 255;

/// Names one delivery: equal for its resends and duplicates, different for all others.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct IdempotencyKey(Box<str>);

impl IdempotencyKey {
    /// Accepts 1 to 255 visible ASCII characters.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let visible = bytes.iter().all(u8::is_ascii_graphic);
        let fits = (1..=MAX_LENGTH).contains(&bytes.len());
        (visible && fits).then(|| Self(String::from_utf8_lossy(bytes).into()))
    }

    /// The `Idempotency-Key` header, if there is exactly one and it can be read.
    pub(crate) fn from_headers(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
        match (values.next(), values.next()) {
            (Some(value), None) => Self::parse(value.as_bytes()),
            _ => None,
        }
    }

    /// Stands in for the key of a GitLab before 17.4: a digest of what identifies the event.
    ///
    /// Two equal events have one such id, so the second of two identical pushes is swallowed;
    /// that is why `ACCEPT_MISSING_IDEMPOTENCY_KEY` must ask for it.
    pub(crate) fn from_content(fields: &[&str]) -> Self {
        Self(format!("content-{}", hex_digest(fields)).into())
    }

    /// The key as GitLab sent it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_visible_ascii_of_bounded_length() {
        assert!(IdempotencyKey::parse(b"f5e5f430-f57b-4e6e-9fac-d9128cd7232f").is_some());
        assert!(IdempotencyKey::parse(&[b'a'; 255]).is_some());
        for refused in [&b""[..], &[b'a'; 256], b"with space", b"\xff\xfe", b"tab\t"] {
            assert_eq!(IdempotencyKey::parse(refused), None, "{refused:?}");
        }
    }

    #[test]
    fn two_keys_on_one_delivery_are_no_key() {
        let mut headers = HeaderMap::new();
        headers.append(IDEMPOTENCY_KEY, "one".parse().expect("is a header value"));
        assert!(IdempotencyKey::from_headers(&headers).is_some());
        headers.append(IDEMPOTENCY_KEY, "two".parse().expect("is a header value"));
        assert_eq!(IdempotencyKey::from_headers(&headers), None);
    }
}
