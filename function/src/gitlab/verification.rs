//! Verification: whether GitLab sent a webhook. Owns the choice of scheme, which depends only on the
//! configuration, never on the request. Signatures are checked in [`signature`](super::signature), and
//! secret tokens are compared in [`webhook_token`](super::webhook_token). Only a [`Verified`] body becomes
//! an [`Event`](super::event::Event).

use http::{HeaderMap, HeaderName};

use super::header;
use super::idempotency_key::IdempotencyKey;
use super::signature::{SignatureHeaders, SigningKey};
use super::webhook_token::WebhookToken;

pub(super) const TOKEN: HeaderName = HeaderName::from_static("x-gitlab-token");

/// Most keys or tokens at once: the current one, the next one, and two more for migrations.
pub(crate) const MAX_SECRETS: usize = 4;

/// How webhooks are authenticated.
#[derive(Clone, Debug)]
pub enum Verifier {
    /// By a signature made with one of the keys; a token is ignored.
    Signature(Vec<SigningKey>),
    /// By one of the secret tokens.
    Token(Vec<WebhookToken>),
    /// By the signature if the request has one, otherwise by the token. For migrations.
    ///
    /// A request with an invalid signature is rejected even if its token is valid.
    SignatureOrToken(Vec<SigningKey>, Vec<WebhookToken>),
    /// Authentication is disabled. For local use only.
    None,
}

impl Verifier {
    /// What authenticates a webhook, for the log.
    pub(crate) fn label(&self) -> &'static str {
        match self {
            Self::Signature(_) => "signature",
            Self::Token(_) => "token",
            Self::SignatureOrToken(..) => "signature_or_token",
            Self::None => "open",
        }
    }

    /// Checks everything that does not need the body.
    ///
    /// `unix_seconds` is the current time.
    pub fn verify_headers(
        &self,
        headers: &HeaderMap,
        unix_seconds: u64,
    ) -> Result<Unverified<'_>, OriginError> {
        match self {
            Self::SignatureOrToken(keys, _) if SignatureHeaders::is_present(headers) => {
                signed(keys, headers, unix_seconds)
            }
            Self::Signature(keys) => signed(keys, headers, unix_seconds),
            Self::Token(tokens) | Self::SignatureOrToken(_, tokens) => with_token(tokens, headers),
            Self::None => Ok(Unverified::authenticated(Scheme::None, 0, headers)),
        }
    }
}

fn signed<'a>(
    keys: &'a [SigningKey],
    headers: &HeaderMap,
    now: u64,
) -> Result<Unverified<'a>, OriginError> {
    let signature = SignatureHeaders::read(headers, now)?;
    Ok(Unverified(State::Signed { signature, keys }))
}

fn with_token(
    tokens: &[WebhookToken],
    headers: &HeaderMap,
) -> Result<Unverified<'static>, OriginError> {
    let sent = single_header(headers, &TOKEN)?.ok_or(OriginError::MissingToken)?;
    let sent = WebhookToken::from_bytes(sent);
    // Every token is compared, so that the time does not reveal which one matches.
    let index = tokens
        .iter()
        .enumerate()
        .fold(None, |found, (index, token)| {
            if token.matches(&sent) {
                found.or(Some(index))
            } else {
                found
            }
        });
    let index = index.ok_or(OriginError::WrongToken)?;
    Ok(Unverified::authenticated(Scheme::Token, index, headers))
}

/// A webhook whose headers were accepted and whose body has not been checked.
#[derive(Debug)]
pub struct Unverified<'a>(State<'a>);

#[derive(Debug)]
enum State<'a> {
    /// Authenticated by the headers alone.
    Authenticated(Authentication, Option<IdempotencyKey>),
    /// The body must match the signature.
    Signed {
        signature: SignatureHeaders,
        keys: &'a [SigningKey],
    },
}

impl Unverified<'_> {
    fn authenticated(scheme: Scheme, key_index: usize, headers: &HeaderMap) -> Self {
        let authentication = Authentication { scheme, key_index };
        Self(State::Authenticated(
            authentication,
            IdempotencyKey::from_headers(headers),
        ))
    }

    /// Checks the body against the signature, if the webhook has one.
    pub fn verify_body(self, body: &[u8]) -> Result<Verified<'_>, OriginError> {
        let (authentication, idempotency_key) = match self.0 {
            State::Authenticated(authentication, key) => (authentication, key),
            State::Signed { signature, keys } => {
                let key_index = signature
                    .verify(keys, body)
                    .ok_or(OriginError::WrongSignature)?;
                let scheme = Scheme::Signature;
                // From `webhook-id`, which is signed, so that a body cannot be replayed under
                // another key.
                let key = Some(signature.into_idempotency_key());
                (Authentication { scheme, key_index }, key)
            }
        };
        Ok(Verified {
            body,
            idempotency_key,
            authentication: Some(authentication),
        })
    }
}

/// How a webhook was authenticated.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Authentication {
    /// The authentication scheme.
    pub(crate) scheme: Scheme,
    /// Index of the key or token that matched, from 0. Shows when an old one is no longer in use.
    pub(crate) key_index: usize,
}

/// The body of an authenticated webhook and the key of its delivery.
#[derive(Debug, Eq, PartialEq)]
pub struct Verified<'a> {
    pub(super) body: &'a [u8],
    pub(super) idempotency_key: Option<IdempotencyKey>,
    authentication: Option<Authentication>,
}

impl<'a> Verified<'a> {
    /// A body that a broker delivered. By setting `ACCEPT_CLOUDEVENTS`, the operator asserts that
    /// only the broker can reach this program.
    pub fn by_broker(body: &'a [u8], key: IdempotencyKey) -> Self {
        Self {
            body,
            idempotency_key: Some(key),
            authentication: None,
        }
    }

    /// A body that the operator supplied: on the command line or a bundled example.
    pub fn by_operator(body: &'a [u8]) -> Self {
        Self {
            body,
            idempotency_key: None,
            authentication: None,
        }
    }

    /// How it was authenticated; `None` if it came from a broker or the operator.
    pub(crate) fn authentication(&self) -> Option<Authentication> {
        self.authentication
    }

    /// Whether a signature or a token shows that it comes from GitLab, or from who has the same secret.
    pub(super) fn is_authentic(&self) -> bool {
        self.authentication
            .is_some_and(|it| it.scheme != Scheme::None)
    }

    /// The key of the delivery, if one was sent.
    pub(crate) fn idempotency_key(&self) -> Option<&IdempotencyKey> {
        self.idempotency_key.as_ref()
    }
}

/// The authentication schemes.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Scheme {
    /// A Standard Webhooks signature.
    Signature,
    /// The secret token.
    Token,
    /// Authentication is disabled.
    None,
}

impl Scheme {
    /// Every scheme, for documentation tables and for metric series that are created at startup.
    pub(crate) const ALL: [Self; 3] = [Self::Signature, Self::Token, Self::None];

    /// The label in logs and metrics.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Signature => "signature",
            Self::Token => "token",
            Self::None => "open",
        }
    }
}

/// Why a webhook was rejected. The texts are in [`rejection`](super::rejection).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OriginError {
    /// No `webhook-signature` header.
    MissingSignature,
    /// No `X-Gitlab-Token` header.
    MissingToken,
    /// A header that may appear only once is repeated.
    RepeatedHeader,
    /// `webhook-id` is missing or not 1 to 255 visible ASCII characters.
    BadId,
    /// `webhook-timestamp` is missing or not plain digits.
    BadTimestamp,
    /// `webhook-timestamp` differs from the local clock by more than 300 s.
    Stale {
        /// The time that was sent, in seconds.
        sent: u64,
        /// The local time, in seconds.
        now: u64,
    },
    /// `webhook-signature` has no `v1` entry of 32 bytes.
    UnusableSignature,
    /// No configured key made any of the signatures.
    WrongSignature,
    /// The token is none of the configured ones.
    WrongToken,
}

impl OriginError {
    /// Every error, for documentation tables and for metric series that are created at startup.
    pub const ALL: [Self; 9] = [
        Self::MissingSignature,
        Self::MissingToken,
        Self::RepeatedHeader,
        Self::BadId,
        Self::BadTimestamp,
        Self::Stale { sent: 0, now: 0 },
        Self::UnusableSignature,
        Self::WrongSignature,
        Self::WrongToken,
    ];

    /// The label in logs and metrics.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::MissingSignature => "missing_signature",
            Self::MissingToken => "missing_token",
            Self::RepeatedHeader => "repeated_header",
            Self::BadId => "bad_id",
            Self::BadTimestamp => "bad_timestamp",
            Self::Stale { .. } => "stale",
            Self::UnusableSignature => "unusable_signature",
            Self::WrongSignature => "wrong_signature",
            Self::WrongToken => "wrong_token",
        }
    }
}

/// The value of a header that may appear at most once.
pub(super) fn single_header<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> Result<Option<&'a [u8]>, OriginError> {
    let value = header::single(headers, name).map_err(|_| OriginError::RepeatedHeader)?;
    Ok(value.map(http::HeaderValue::as_bytes))
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

    /// Computed with Python's `hmac` from the key above over the body `{}`.
    const SIGNED: [(&str, &str); 3] = [
        ("webhook-id", "one"),
        ("webhook-timestamp", "1781200000"),
        (
            "webhook-signature",
            "v1,H9OsY8Bkl8RbNXdTqKQ1adCMKeSlzg6RVzalAONvsX4=",
        ),
    ];

    fn verify<'a>(
        verifier: &Verifier,
        sent: &[(&'static str, &str)],
    ) -> Result<Verified<'a>, OriginError> {
        verifier
            .verify_headers(&headers(sent), NOW)?
            .verify_body(b"{}")
    }

    fn authentication(accepted: &Verified) -> Authentication {
        accepted.authentication().expect("is authenticated")
    }

    #[test]
    fn a_token_is_accepted_and_reported_by_its_index() {
        let verifier = Verifier::Token(vec![token("new"), token("old")]);
        let index = |sent| {
            verify(&verifier, &[("x-gitlab-token", sent)])
                .map(|accepted| authentication(&accepted).key_index)
        };
        assert_eq!((index("new"), index("old")), (Ok(0), Ok(1)));
        for wrong in ["ne", "neww", "NEW", "new,old", ""] {
            assert_eq!(index(wrong), Err(OriginError::WrongToken), "{wrong}");
        }
        assert_eq!(verify(&verifier, &[]), Err(OriginError::MissingToken));
        assert_eq!(verify(&verifier, &SIGNED), Err(OriginError::MissingToken));
        let twice = [("x-gitlab-token", "new"), ("x-gitlab-token", "new")];
        assert_eq!(verify(&verifier, &twice), Err(OriginError::RepeatedHeader));
    }

    #[test]
    fn a_signature_is_accepted_and_a_token_does_not_replace_it() {
        let verifier = Verifier::Signature(vec![key()]);
        let accepted = verify(&verifier, &SIGNED).expect("is accepted");
        let Authentication { scheme, key_index } = authentication(&accepted);
        assert_eq!((scheme, key_index), (Scheme::Signature, 0));
        assert_eq!(accepted.idempotency_key, IdempotencyKey::parse(b"one"));
        let token = [("x-gitlab-token", "new")];
        assert_eq!(
            verify(&verifier, &token),
            Err(OriginError::MissingSignature)
        );
    }

    #[test]
    fn during_a_migration_a_token_does_not_replace_a_bad_signature() {
        let verifier = Verifier::SignatureOrToken(vec![key()], vec![token("new")]);
        let sent = ("x-gitlab-token", "new");
        let scheme =
            |sent: &[_]| verify(&verifier, sent).map(|accepted| authentication(&accepted).scheme);
        assert_eq!(scheme(&[sent]), Ok(Scheme::Token));
        assert_eq!(scheme(&SIGNED), Ok(Scheme::Signature));
        let [id, _, signature] = SIGNED;
        let late = [id, ("webhook-timestamp", "1781190000"), signature, sent];
        let stale = OriginError::Stale {
            sent: 1_781_190_000,
            now: NOW,
        };
        assert_eq!(scheme(&late), Err(stale));
        assert_eq!(scheme(&[]), Err(OriginError::MissingToken));
    }

    #[test]
    fn without_authentication_the_key_of_the_headers_is_used() {
        let sent = [("idempotency-key", "one")];
        let accepted = verify(&Verifier::None, &sent).expect("is accepted");
        assert_eq!(authentication(&accepted).scheme, Scheme::None);
        assert_eq!(accepted.idempotency_key, IdempotencyKey::parse(b"one"));
    }

    #[test]
    fn every_error_has_a_distinct_label() {
        let mut labels: Vec<_> = OriginError::ALL.map(OriginError::label).into();
        labels.sort_unstable();
        labels.dedup();
        assert_eq!(labels.len(), OriginError::ALL.len());
    }

    #[test]
    fn every_scheme_has_the_label_that_logs_and_metrics_show() {
        let labels = Scheme::ALL.map(Scheme::label);
        assert_eq!(labels, ["signature", "token", "open"]);
    }
}
