//! How a delivery proves that GitLab sent it. Owns the choice of scheme, which follows from the
//! configuration alone, and the plain secret token. The signatures themselves are checked in
//! [`signature`](super::signature).

use std::fmt;

use http::{HeaderMap, HeaderName};
use ring::digest;
use subtle::ConstantTimeEq as _;

use super::idempotency_key::IdempotencyKey;
use super::signature::{SignatureClaim, SigningKey};

const TOKEN: HeaderName = HeaderName::from_static("x-gitlab-token");

/// Most keys or tokens at once: the current one, the next one, and two more for larger moves.
pub(crate) const MAX_SECRETS: usize = 4;

/// What a delivery must show to be let in.
#[derive(Clone, Debug)]
pub enum Verifier {
    /// A signature by one of the keys; a token is not looked at.
    Signature(Vec<SigningKey>),
    /// One of the secret tokens.
    Token(Vec<WebhookToken>),
    /// A signature where one is sent, otherwise a token: for the days of a migration.
    ///
    /// A delivery that carries a signature never falls back to its token.
    SignatureOrToken(Vec<SigningKey>, Vec<WebhookToken>),
    /// Nothing: anybody may send messages. For trying out on one's own machine.
    None,
}

impl Verifier {
    /// Checks the headers: everything that can be refused before the body is read.
    ///
    /// `unix_seconds` is the time now.
    pub fn verify_headers(
        &self,
        headers: &HeaderMap,
        unix_seconds: u64,
    ) -> Result<Unverified<'_>, OriginError> {
        match self {
            Self::SignatureOrToken(keys, _) if SignatureClaim::is_made(headers) => {
                signed(keys, headers, unix_seconds)
            }
            Self::Signature(keys) => signed(keys, headers, unix_seconds),
            Self::Token(tokens) | Self::SignatureOrToken(_, tokens) => with_token(tokens, headers),
            Self::None => Ok(Unverified::Proven(Verified::unsigned(
                Scheme::None,
                0,
                headers,
            ))),
        }
    }

    /// What a sender must do to be let in; part of the answer to one that was not.
    pub fn expectation(&self) -> &'static str {
        match self {
            Self::Signature(_) => {
                "expected webhook-id, webhook-timestamp (within 300 seconds) and webhook-signature made with a configured signing key; set the signing token of the webhook in GitLab"
            }
            Self::Token(_) => {
                "expected X-Gitlab-Token with a configured token; set the secret token of the webhook in GitLab"
            }
            Self::SignatureOrToken(..) => {
                "expected a webhook-signature made with a configured signing key, or without a signature X-Gitlab-Token with a configured token"
            }
            Self::None => "everything is let in",
        }
    }
}

fn signed<'a>(
    keys: &'a [SigningKey],
    headers: &HeaderMap,
    now: u64,
) -> Result<Unverified<'a>, OriginError> {
    Ok(Unverified::Signed {
        unverified: SignatureClaim::read(headers, now)?,
        keys,
    })
}

fn with_token(
    tokens: &[WebhookToken],
    headers: &HeaderMap,
) -> Result<Unverified<'static>, OriginError> {
    let shown = only(headers, &TOKEN)?.ok_or(OriginError::MissingToken)?;
    let shown = WebhookToken::of(shown);
    // Every token is compared, so the time does not tell which one fits.
    let index = tokens
        .iter()
        .enumerate()
        .fold(None, |found, (index, token)| {
            if token.is(&shown) {
                found.or(Some(index))
            } else {
                found
            }
        });
    let index = index.ok_or(OriginError::WrongToken)?;
    Ok(Unverified::Proven(Verified::unsigned(
        Scheme::Token,
        index,
        headers,
    )))
}

/// What a delivery says of its origin, before its body has been read.
#[derive(Debug)]
pub enum Unverified<'a> {
    /// The headers were enough.
    Proven(Verified),
    /// The headers are well formed; the body must fit the signature.
    Signed {
        /// The three headers.
        unverified: SignatureClaim,
        /// The keys that may have made it.
        keys: &'a [SigningKey],
    },
}

impl Unverified<'_> {
    /// Checks the body, the last thing to be seen.
    pub fn verify_body(self, body: &[u8]) -> Result<Verified, OriginError> {
        match self {
            Self::Proven(verified) => Ok(verified),
            Self::Signed { unverified, keys } => {
                let key_index = unverified
                    .verify(keys, body)
                    .ok_or(OriginError::WrongSignature)?;
                Ok(Verified {
                    scheme: Scheme::Signature,
                    key_index,
                    delivery_id: Some(unverified.into_id()),
                })
            }
        }
    }
}

/// That a delivery was let in, and by what.
#[derive(Debug, Eq, PartialEq)]
pub struct Verified {
    /// What was shown.
    pub scheme: Scheme,
    /// Position of the key or token that fitted, from 0: tells when an old one is no longer used.
    pub key_index: usize,
    /// The key that names the delivery; from `webhook-id` where it is signed, so that nobody can
    /// replay a signed body under another key.
    pub delivery_id: Option<IdempotencyKey>,
}

impl Verified {
    fn unsigned(scheme: Scheme, key_index: usize, headers: &HeaderMap) -> Self {
        Self {
            scheme,
            key_index,
            delivery_id: IdempotencyKey::from_headers(headers),
        }
    }
}

/// The ways to prove an origin.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Scheme {
    /// A Standard Webhooks signature.
    Signature,
    /// The plain secret token.
    Token,
    /// None was asked for.
    None,
}

impl Scheme {
    /// Every scheme, for tables and for series that must exist from the start.
    pub const ALL: [Self; 3] = [Self::Signature, Self::Token, Self::None];

    /// The word for logs and metrics.
    pub fn label(self) -> &'static str {
        match self {
            Self::Signature => "signature",
            Self::Token => "token",
            Self::None => "open",
        }
    }
}

/// A secret token, kept as its digest: comparing digests takes the same time for every input,
/// and nothing that could be printed is left.
#[derive(Clone)]
pub struct WebhookToken(digest::Digest);

impl WebhookToken {
    /// Accepts 1 to 255 characters of visible ASCII, as GitLab sends them in a header.
    pub fn parse(text: &str) -> Result<Self, WebhookTokenError> {
        let length = text.len();
        if !(1..=255).contains(&length) {
            return Err(WebhookTokenError::Length(length));
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(WebhookTokenError::Character);
        }
        Ok(Self::of(text.as_bytes()))
    }

    fn of(bytes: &[u8]) -> Self {
        Self(digest::digest(&digest::SHA256, bytes))
    }

    fn is(&self, other: &Self) -> bool {
        self.0.as_ref().ct_eq(other.0.as_ref()).into()
    }
}

impl fmt::Debug for WebhookToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("WebhookToken(…)")
    }
}

/// Why a text cannot be a secret token. Never holds the text.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum WebhookTokenError {
    /// Empty or longer than a header may sensibly be.
    #[error("expected a token of 1 to 255 characters, found {0}")]
    Length(usize),
    /// A space, a control character or anything outside ASCII.
    #[error(
        "expected a token of visible ASCII characters; a space or a special character does not survive a header"
    )]
    Character,
}

/// Why a delivery was not let in. The sender is told what was expected, never which check failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum OriginError {
    /// No `webhook-signature` header.
    #[error("the delivery carries no signature")]
    MissingSignature,
    /// No `X-Gitlab-Token` header.
    #[error("the delivery carries no token")]
    MissingToken,
    /// A header that must be single was sent twice.
    #[error("the delivery repeats a header that proves its origin")]
    RepeatedHeader,
    /// `webhook-id` is missing or not 1 to 255 visible characters.
    #[error("webhook-id is missing or malformed")]
    BadId,
    /// `webhook-timestamp` is missing or not plain digits.
    #[error("webhook-timestamp is missing or not a Unix time in seconds")]
    BadTimestamp,
    /// `webhook-timestamp` is more than 300 s away from our clock.
    #[error("webhook-timestamp is more than 300 seconds away from this clock")]
    Stale,
    /// There is no `v1` entry that could be a signature.
    #[error("webhook-signature holds no v1 entry of 32 bytes")]
    UnusableSignature,
    /// No configured key made any of the signatures.
    #[error("no configured signing key made this signature")]
    WrongSignature,
    /// The token is none of the configured ones.
    #[error("the token is none of the configured ones")]
    WrongToken,
}

impl OriginError {
    /// Every reason, for tables and for series that must exist from the start.
    pub const ALL: [Self; 9] = [
        Self::MissingSignature,
        Self::MissingToken,
        Self::RepeatedHeader,
        Self::BadId,
        Self::BadTimestamp,
        Self::Stale,
        Self::UnusableSignature,
        Self::WrongSignature,
        Self::WrongToken,
    ];

    /// The word for logs and metrics.
    pub fn label(self) -> &'static str {
        match self {
            Self::MissingSignature => "missing_signature",
            Self::MissingToken => "missing_token",
            Self::RepeatedHeader => "repeated_header",
            Self::BadId => "bad_id",
            Self::BadTimestamp => "bad_timestamp",
            Self::Stale => "stale",
            Self::UnusableSignature => "unusable_signature",
            Self::WrongSignature => "wrong_signature",
            Self::WrongToken => "wrong_token",
        }
    }
}

/// The value of a header that may be sent once at most.
pub(super) fn only<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> Result<Option<&'a [u8]>, OriginError> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (value, None) => Ok(value.map(http::HeaderValue::as_bytes)),
        _ => Err(OriginError::RepeatedHeader),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_781_200_000;

    fn headers(values: &[(&'static str, &str)]) -> HeaderMap {
        let value = |text: &str| text.parse().expect("is a header value");
        let values = values.iter();
        values
            .map(|(name, text)| (HeaderName::from_static(name), value(text)))
            .collect()
    }

    fn token(text: &str) -> WebhookToken {
        WebhookToken::parse(text).expect("is a token")
    }

    fn key() -> SigningKey {
        SigningKey::parse("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").expect("is a key")
    }

    /// Made with Python's `hmac` from the key above over the body `{}`.
    const SIGNED: [(&str, &str); 3] = [
        ("webhook-id", "one"),
        ("webhook-timestamp", "1781200000"),
        (
            "webhook-signature",
            "v1,H9OsY8Bkl8RbNXdTqKQ1adCMKeSlzg6RVzalAONvsX4=",
        ),
    ];

    fn verified(guard: &Verifier, shown: &[(&'static str, &str)]) -> Result<Verified, OriginError> {
        guard
            .verify_headers(&headers(shown), NOW)?
            .verify_body(b"{}")
    }

    #[test]
    fn a_token_lets_in_and_names_its_place_among_the_configured_ones() {
        let guard = Verifier::Token(vec![token("new"), token("old")]);
        let index = |shown| {
            verified(&guard, &[("x-gitlab-token", shown)]).map(|verified| verified.key_index)
        };
        assert_eq!((index("new"), index("old")), (Ok(0), Ok(1)));
        for wrong in ["ne", "neww", "NEW", "new,old", ""] {
            assert_eq!(index(wrong), Err(OriginError::WrongToken), "{wrong}");
        }
        assert_eq!(verified(&guard, &[]), Err(OriginError::MissingToken));
        assert_eq!(verified(&guard, &SIGNED), Err(OriginError::MissingToken));
        let twice = [("x-gitlab-token", "new"), ("x-gitlab-token", "new")];
        assert_eq!(verified(&guard, &twice), Err(OriginError::RepeatedHeader));
    }

    #[test]
    fn a_signature_lets_in_and_a_token_does_not_stand_in_for_it() {
        let guard = Verifier::Signature(vec![key()]);
        let proven = verified(&guard, &SIGNED).expect("is let in");
        assert_eq!((proven.scheme, proven.key_index), (Scheme::Signature, 0));
        assert_eq!(proven.delivery_id, IdempotencyKey::parse(b"one"));
        let token = [("x-gitlab-token", "new")];
        assert_eq!(verified(&guard, &token), Err(OriginError::MissingSignature));
    }

    #[test]
    fn during_a_migration_a_token_saves_no_bad_signature() {
        let guard = Verifier::SignatureOrToken(vec![key()], vec![token("new")]);
        let shown = ("x-gitlab-token", "new");
        let scheme = |shown: &[_]| verified(&guard, shown).map(|verified| verified.scheme);
        assert_eq!(scheme(&[shown]), Ok(Scheme::Token));
        assert_eq!(scheme(&SIGNED), Ok(Scheme::Signature));
        let [id, _, signature] = SIGNED;
        let late = [id, ("webhook-timestamp", "1781190000"), signature, shown];
        assert_eq!(scheme(&late), Err(OriginError::Stale));
        assert_eq!(scheme(&[]), Err(OriginError::MissingToken));
    }

    #[test]
    fn an_open_door_asks_for_nothing_and_takes_the_key_that_there_is() {
        let proven = verified(&Verifier::None, &[("idempotency-key", "one")]).expect("is let in");
        assert_eq!(proven.scheme, Scheme::None);
        assert_eq!(proven.delivery_id, IdempotencyKey::parse(b"one"));
    }

    #[test]
    fn a_token_is_visible_ascii_of_bounded_length() {
        assert!(WebhookToken::parse(&"a".repeat(255)).is_ok());
        let refused = [
            (String::new(), WebhookTokenError::Length(0)),
            ("a".repeat(256), WebhookTokenError::Length(256)),
            ("a b".to_owned(), WebhookTokenError::Character),
            ("ä".to_owned(), WebhookTokenError::Character),
        ];
        for (text, expected) in refused {
            assert_eq!(WebhookToken::parse(&text).err(), Some(expected), "{text}");
        }
        assert_eq!(format!("{:?}", token("secret")), "WebhookToken(…)");
    }

    #[test]
    fn a_sender_is_told_what_is_expected_under_each_scheme() {
        let guards = [
            (Verifier::Signature(vec![key()]), "webhook-signature"),
            (Verifier::Token(vec![token("new")]), "X-Gitlab-Token"),
            (
                Verifier::SignatureOrToken(vec![key()], vec![token("new")]),
                "without a signature X-Gitlab-Token",
            ),
            (Verifier::None, "everything"),
        ];
        for (guard, words) in guards {
            assert!(guard.expectation().contains(words), "{guard:?}");
        }
    }

    #[test]
    fn every_reason_has_a_word_of_its_own() {
        let mut words: Vec<_> = OriginError::ALL.map(OriginError::label).into();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), OriginError::ALL.len());
    }

    #[test]
    fn every_scheme_has_the_word_that_logs_and_metrics_show() {
        let words = Scheme::ALL.map(Scheme::label);
        assert_eq!(words, ["signature", "token", "open"]);
    }
}
