//! Standard Webhooks 1.0.0 signatures, as GitLab 19 and later make them. Owns the signing keys, the
//! signed content and the timestamp tolerance. Whether a webhook needs a signature is decided in
//! [`verification`](super::verification).

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderMap, HeaderName};
use ring::hmac;
use subtle::ConstantTimeEq as _;

use super::idempotency_key::IdempotencyKey;
use super::verification::{OriginError, single_header};
use crate::limits::LIMITS;

const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// Most digits of a timestamp: enough until the year 33658, and too few to overflow a `u64`.
const TIMESTAMP_DIGITS: usize = 12;

type Tag = [u8; 32];

/// A key that verifies signatures: the `whsec_…` signing token of the webhook.
#[derive(Clone)]
pub struct SigningKey(hmac::Key);

impl SigningKey {
    /// Parses `whsec_` followed by standard base64 of 24 to 64 bytes. GitLab's keys have 32 bytes.
    pub fn parse(text: &str) -> Result<Self, SigningKeyError> {
        let encoded = text.strip_prefix("whsec_").ok_or(SigningKeyError::Prefix)?;
        let bytes = BASE64_STANDARD
            .decode(encoded)
            .map_err(|_| SigningKeyError::Base64)?;
        if !(24..=64).contains(&bytes.len()) {
            return Err(SigningKeyError::Length(bytes.len()));
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
    }

    /// The value of the header `webhook-signature` for a webhook that this program sends.
    pub(crate) fn signature(&self, id: &str, timestamp: &str, body: &[u8]) -> String {
        let tag = BASE64_STANDARD.encode(self.tag(id, timestamp, body));
        format!("v1,{tag}")
    }

    fn tag(&self, id: &str, timestamp: &str, body: &[u8]) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.0);
        for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
            context.update(part);
        }
        context.sign()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SigningKey(…)")
    }
}

/// Why a text is not a signing key. Never contains the text.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SigningKeyError {
    /// The prefix `whsec_` is missing.
    #[error(
        "expected a key that begins with whsec_; copy the signing token that GitLab was given, or set a secret token in GITLAB_WEBHOOK_TOKENS"
    )]
    Prefix,
    /// The rest is not standard base64.
    #[error("expected standard base64 after whsec_; copy the whole token, padding included")]
    Base64,
    /// Not 24 to 64 bytes; contains the number found.
    #[error("expected 24 to 64 bytes after whsec_, found {0}; GitLab makes keys of 32 bytes")]
    Length(usize),
}

/// The signature headers of a webhook, parsed before its body is read.
#[derive(Debug)]
pub(crate) struct SignatureHeaders {
    id: IdempotencyKey,
    timestamp: Box<str>,
    tags: Vec<Tag>,
}

impl SignatureHeaders {
    /// Whether the request has a signature header, valid or not.
    pub(crate) fn is_present(headers: &HeaderMap) -> bool {
        headers.contains_key(SIGNATURE)
    }

    /// Parses the three headers and checks everything that does not need the body. `unix_seconds`
    /// is the current time.
    pub(crate) fn read(headers: &HeaderMap, unix_seconds: u64) -> Result<Self, OriginError> {
        let entries = single_header(headers, &SIGNATURE)?.ok_or(OriginError::MissingSignature)?;
        let timestamp = single_header(headers, &TIMESTAMP)?.ok_or(OriginError::BadTimestamp)?;
        let timestamp = read_timestamp(timestamp, unix_seconds)?;
        let id = single_header(headers, &ID)?
            .and_then(IdempotencyKey::parse)
            .ok_or(OriginError::BadId)?;
        let tags = read_tags(entries);
        if tags.is_empty() {
            return Err(OriginError::UnusableSignature);
        }
        Ok(Self {
            id,
            timestamp: timestamp.into(),
            tags,
        })
    }

    /// The index of the first key that made one of the signatures; `None` if no key did.
    ///
    /// Every key is compared with every signature, so that the time does not reveal which one
    /// matches.
    pub(crate) fn verify(&self, keys: &[SigningKey], body: &[u8]) -> Option<usize> {
        let mut found = None;
        for (index, key) in keys.iter().enumerate() {
            let tag = key.tag(self.id.as_str(), &self.timestamp, body);
            let fits = self.tags.iter().fold(0, |any, claimed| {
                any | tag.as_ref().ct_eq(claimed).unwrap_u8()
            });
            if fits == 1 {
                found = found.or(Some(index));
            }
        }
        found
    }

    /// The key of the delivery, from `webhook-id`, which is part of the signed content.
    pub(crate) fn into_idempotency_key(self) -> IdempotencyKey {
        self.id
    }
}

/// Accepts only digits: no sign, no space, no fraction.
fn read_timestamp(bytes: &[u8], unix_seconds: u64) -> Result<&str, OriginError> {
    let digits =
        (1..=TIMESTAMP_DIGITS).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(bytes)
        .ok()
        .filter(|_| digits)
        .ok_or(OriginError::BadTimestamp)?;
    let claimed: u64 = text.parse().map_err(|_| OriginError::BadTimestamp)?;
    if claimed.abs_diff(unix_seconds) > LIMITS.events.signature_tolerance_seconds {
        return Err(OriginError::Stale {
            sent: claimed,
            now: unix_seconds,
        });
    }
    Ok(text)
}

/// The `v1` entries with the length of an HMAC-SHA256; other versions and malformed entries are
/// skipped.
fn read_tags(header: &[u8]) -> Vec<Tag> {
    header
        .split(|&byte| byte == b' ')
        .filter_map(|entry| entry.strip_prefix(b"v1,"))
        .filter_map(|encoded| BASE64_STANDARD.decode(encoded).ok()?.try_into().ok())
        .take(LIMITS.events.max_signatures)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with Python's `hmac`; the key is the bytes 0 to 31.
    const KEY: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const BODY: &[u8] =
        br#"{"object_kind":"push","after":"da1560886d4f094c3e6c9ef40349f7d38b5d27d7"}"#;
    const NOW: u64 = 1_781_200_000;

    fn headers(timestamp: &str, signature: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(
            ID,
            "f5e5f430-f57b-4e6e-9fac-d9128cd7232f"
                .parse()
                .expect("is a header value"),
        );
        headers.insert(TIMESTAMP, timestamp.parse().expect("is a header value"));
        headers.insert(SIGNATURE, signature.parse().expect("is a header value"));
        headers
    }

    const GOOD: &str = "v1,7/1TAzmZE+AGCz1BP5FtN8T4V3nJaEVhKx1GSZBz6T8=";

    #[test]
    fn a_known_signature_is_accepted_and_its_key_identified() {
        let other = SigningKey::parse("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD").expect("is a key");
        let key = SigningKey::parse(KEY).expect("is a key");
        let signature =
            SignatureHeaders::read(&headers("1781200000", GOOD), NOW).expect("is accepted");
        assert_eq!(signature.verify(std::slice::from_ref(&key), BODY), Some(0));
        assert_eq!(signature.verify(&[other.clone(), key], BODY), Some(1));
        assert_eq!(signature.verify(&[other], BODY), None);
    }

    #[test]
    fn a_body_with_one_changed_byte_is_rejected() {
        let key = [SigningKey::parse(KEY).expect("is a key")];
        let signature =
            SignatureHeaders::read(&headers("1781200000", GOOD), NOW).expect("is accepted");
        for position in 0..BODY.len() {
            let mut body = BODY.to_vec();
            body[position] ^= 1;
            assert_eq!(signature.verify(&key, &body), None, "byte {position}");
        }
    }

    #[test]
    fn the_matching_entry_is_found_among_others() {
        let key = [SigningKey::parse(KEY).expect("is a key")];
        let list = format!("v1a,abc v2,{} v1, v1,!!! v1,AAAA {GOOD}", &GOOD[3..]);
        for list in [list, format!("{GOOD} {GOOD}")] {
            let signature = SignatureHeaders::read(&headers("1781200000", &list), NOW);
            let signature = signature.expect("is accepted");
            assert_eq!(signature.verify(&key, BODY), Some(0), "{list}");
        }
    }

    #[test]
    fn a_timestamp_is_digits_within_the_tolerance() {
        use OriginError::BadTimestamp;
        let stale = |sent| Some(OriginError::Stale { sent, now: NOW });
        let cases = [
            ("1781199700", None),
            ("1781200300", None),
            ("1781199699", stale(1_781_199_699)),
            ("1781200301", stale(1_781_200_301)),
            ("0", stale(0)),
            ("999999999999", stale(999_999_999_999)),
            ("9223372036854775807", Some(BadTimestamp)),
            ("-9223372036854775808", Some(BadTimestamp)),
            ("18446744073709551616", Some(BadTimestamp)),
            ("+1781200000", Some(BadTimestamp)),
            ("1781200000.0", Some(BadTimestamp)),
            ("1e9", Some(BadTimestamp)),
            ("1781200000,1781200000", Some(BadTimestamp)),
            ("", Some(BadTimestamp)),
        ];
        for (timestamp, expected) in cases {
            let read = SignatureHeaders::read(&headers(timestamp, GOOD), NOW);
            assert_eq!(read.err(), expected, "{timestamp:?}");
        }
    }

    #[test]
    fn an_invalid_key_is_explained_without_being_shown() {
        let cases = [
            ("plain-secret", SigningKeyError::Prefix),
            ("whsec_not base64", SigningKeyError::Base64),
            ("whsec_", SigningKeyError::Length(0)),
            ("whsec_AAAA", SigningKeyError::Length(3)),
        ];
        for (text, expected) in cases {
            assert_eq!(SigningKey::parse(text).err(), Some(expected), "{text}");
        }
        let key = SigningKey::parse(KEY).expect("is a key");
        assert_eq!(format!("{key:?}"), "SigningKey(…)");
    }
}
