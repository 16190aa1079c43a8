//! The signature of a handed-off notification. Owns its form and its keys. A broker stores events of many
//! senders, so only an event with this signature is sent to Rocket.Chat.
//!
//! The signed text is that of Standard Webhooks: ID, time and content, separated by full stops. The time is
//! in whole seconds, because a broker may write the time of an event in another form.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use secrecy::SecretString;

use crate::derived_key::derived_key;

/// The purpose of the keys.
const LABEL: &str = "hand off";

/// The version of the signature, before its base64 text.
const VERSION: &str = "v1,";

/// The keys of signatures, which follow from `MESSAGE_ID_SECRET`, or else from the access token.
#[derive(Clone)]
pub struct HandOffKeys {
    current: hmac::Key,
    /// Signed earlier events.
    former: Option<hmac::Key>,
}

impl fmt::Debug for HandOffKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("HandOffKeys")
            .finish_non_exhaustive()
    }
}

impl HandOffKeys {
    /// Signs with a key from `current`, and also accepts signatures with one from `former`.
    pub fn new(current: &SecretString, former: Option<&SecretString>) -> Self {
        Self {
            current: derived_key(current, LABEL),
            former: former.map(|secret| derived_key(secret, LABEL)),
        }
    }

    /// The signature of an event: `v1,` and base64.
    pub(super) fn sign(&self, id: &str, unix_seconds: u64, data: &[u8]) -> String {
        let tag = hmac::sign(&self.current, &signed(id, unix_seconds, data));
        format!("{VERSION}{}", STANDARD.encode(tag))
    }

    /// Whether the signature is that of this event. The comparison takes the same time for every signature of
    /// the same length.
    pub(super) fn verify(
        &self,
        id: &str,
        unix_seconds: u64,
        data: &[u8],
        signature: &[u8],
    ) -> bool {
        let tag = signature.strip_prefix(VERSION.as_bytes());
        let Some(tag) = tag.and_then(|tag| STANDARD.decode(tag).ok()) else {
            return false;
        };
        let signed = signed(id, unix_seconds, data);
        let mut keys = [Some(&self.current), self.former.as_ref()].into_iter();
        keys.any(|key| key.is_some_and(|key| hmac::verify(key, &signed, &tag).is_ok()))
    }
}

fn signed(id: &str, unix_seconds: u64, data: &[u8]) -> Vec<u8> {
    [format!("{id}.{unix_seconds}.").as_bytes(), data].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_fits_one_event_and_the_two_secrets_only() {
        let (old, new) = ("first".into(), "second".into());
        let (before, after) = (
            HandOffKeys::new(&old, None),
            HandOffKeys::new(&new, Some(&old)),
        );
        let signature = before.sign("id", 7, b"data");
        let fits = |keys: &HandOffKeys, id, seconds, data: &[u8]| {
            keys.verify(id, seconds, data, signature.as_bytes())
        };
        assert!(fits(&before, "id", 7, b"data") && fits(&after, "id", 7, b"data"));
        assert!(!fits(&before, "id2", 7, b"data"));
        assert!(!fits(&before, "id", 8, b"data"));
        assert!(!fits(&before, "id", 7, b"date"));
        assert!(!fits(&HandOffKeys::new(&new, None), "id", 7, b"data"));
        for broken in ["", "v1,", "v1,AAAA", "v2,AAAA", "v1,%"] {
            assert!(!before.verify("id", 7, b"data", broken.as_bytes()));
        }
        assert!(!before.verify("id", 7, b"data", &signature.as_bytes()[3..]));
    }

    #[test]
    fn the_key_is_not_the_one_of_message_ids_and_is_not_printed() {
        let secret = "canary".into();
        let keys = HandOffKeys::new(&secret, None);
        assert_eq!(format!("{keys:?}"), "HandOffKeys { .. }");
        let other = hmac::sign(
            &derived_key(&secret, "message id"),
            &signed("id", 7, b"data"),
        );
        let other = format!("{VERSION}{}", STANDARD.encode(other));
        assert_ne!(keys.sign("id", 7, b"data"), other);
    }
}
