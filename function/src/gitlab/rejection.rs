//! Rejections: why a webhook is not authentic, for the person who reads GitLab's log of the webhook. Owns
//! what else the request shows about the cause, and the texts. The checks are in
//! [`verification`](super::verification). No text contains anything of a secret or of the request,
//! except its time.

use std::time::{Duration, UNIX_EPOCH};

use http::HeaderMap;

use super::signature::SignatureHeaders;
use super::verification::{OriginError, TOKEN, Verifier, single_header};
use super::webhook_token::{TokenOrigin, WebhookToken};
use crate::limits::LIMITS;

/// Why a webhook was rejected.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rejection {
    /// The check that failed.
    pub(crate) error: OriginError,
    /// What else was found.
    pub(crate) clue: Clue,
}

/// What the headers show beside the failed check.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Clue {
    /// Nothing that helps.
    None,
    /// A signature, although only tokens are configured.
    Signature,
    /// A token, although a signature is required.
    Token,
    /// The token contains a comma, and begins or ends with a configured one, which is written like this.
    SplitToken(TokenOrigin),
    /// Neither a signature nor a token, although either would do.
    Neither,
}

impl Rejection {
    /// The rejection of a request with these headers.
    pub(crate) fn new(verifier: &Verifier, error: OriginError, headers: &HeaderMap) -> Self {
        let is_signed = SignatureHeaders::is_present(headers);
        let clue = match (verifier, error) {
            (Verifier::Signature(_), OriginError::MissingSignature)
                if headers.contains_key(TOKEN) =>
            {
                Clue::Token
            }
            (Verifier::SignatureOrToken(..), OriginError::MissingToken) => Clue::Neither,
            (Verifier::Token(_), OriginError::MissingToken | OriginError::WrongToken)
                if is_signed =>
            {
                Clue::Signature
            }
            _ => Clue::None,
        };
        let clue = match (verifier, error) {
            (
                Verifier::Token(tokens) | Verifier::SignatureOrToken(_, tokens),
                OriginError::WrongToken,
            ) => split_token(tokens, headers).map_or(clue, Clue::SplitToken),
            _ => clue,
        };
        Self { error, clue }
    }

    /// What was expected, what was found and what to do.
    pub(crate) fn detail(self) -> String {
        let text = match (self.error, self.clue) {
            (OriginError::Stale { sent, now }, _) => return stale(sent, now),
            (OriginError::MissingSignature, Clue::Token) => {
                "expected a signature, found only X-Gitlab-Token; set the signing token of the webhook in GitLab (19.0 and later), or set GITLAB_WEBHOOK_TOKENS instead of GITLAB_SIGNING_KEYS"
            }
            (OriginError::MissingSignature, _) => {
                "expected webhook-id, webhook-timestamp and webhook-signature, found no signature; set the signing token of the webhook in GitLab (19.0 and later)"
            }
            (OriginError::MissingToken, Clue::Signature) => {
                "expected X-Gitlab-Token, found none, but it carries a signature: set GITLAB_SIGNING_KEYS to the signing token of the webhook instead of GITLAB_WEBHOOK_TOKENS"
            }
            (OriginError::MissingToken, Clue::Neither) => {
                "expected webhook-signature or X-Gitlab-Token, found neither; set the signing token or the secret token of the webhook in GitLab"
            }
            (OriginError::MissingToken, _) => {
                "expected X-Gitlab-Token with one of GITLAB_WEBHOOK_TOKENS, found none; set the secret token of the webhook in GitLab"
            }
            (OriginError::WrongToken, Clue::SplitToken(TokenOrigin::Commas)) => {
                "X-Gitlab-Token is none of GITLAB_WEBHOOK_TOKENS: it contains a comma, and the setting is split at commas; write each token on its own line, or use GITLAB_WEBHOOK_TOKENS_FILE"
            }
            (OriginError::WrongToken, Clue::SplitToken(TokenOrigin::CommasInLine)) => {
                "X-Gitlab-Token is none of GITLAB_WEBHOOK_TOKENS: it contains a comma, and the only line of the setting is split at commas; write each token on its own line"
            }
            (OriginError::WrongToken, Clue::SplitToken(TokenOrigin::Line)) => {
                "X-Gitlab-Token is none of GITLAB_WEBHOOK_TOKENS: it contains a comma, and the setting has only the part before or after one; write the whole token on its line"
            }
            (OriginError::WrongToken, Clue::Signature) => {
                "X-Gitlab-Token is none of GITLAB_WEBHOOK_TOKENS, but it carries a signature: set GITLAB_SIGNING_KEYS to the signing token of the webhook instead, or correct the secret token in GitLab"
            }
            (OriginError::WrongToken, _) => {
                "X-Gitlab-Token is none of GITLAB_WEBHOOK_TOKENS; set one of them as the secret token of the webhook in GitLab"
            }
            (OriginError::RepeatedHeader, _) => {
                "expected each header for authentication once, found one of them repeated; check the custom headers of the webhook and the proxy in front of webhook-app"
            }
            (OriginError::BadId, _) => {
                "expected webhook-id with 1 to 255 visible ASCII characters, found none or something else; check the proxy in front of webhook-app"
            }
            (OriginError::BadTimestamp, _) => {
                "expected webhook-timestamp with a Unix time in seconds, found none or something else; check the proxy in front of webhook-app"
            }
            (OriginError::UnusableSignature, _) => {
                "expected webhook-signature with an entry v1 of 32 bytes in base64, found none; check the proxy in front of webhook-app"
            }
            (OriginError::WrongSignature, _) => {
                "no key of GITLAB_SIGNING_KEYS made this signature; set the signing token of the webhook there, and check that no proxy changes the body"
            }
        };
        text.to_owned()
    }
}

/// How the configured token is written with which the sent one, which contains a comma, begins or ends, as
/// if the setting had been split within a token. Sending only that part would be accepted, so this reveals
/// nothing new.
fn split_token(tokens: &[WebhookToken], headers: &HeaderMap) -> Option<TokenOrigin> {
    let sent = single_header(headers, &TOKEN).ok()??;
    if !sent.contains(&b',') {
        return None;
    }
    let parts = || sent.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
    let ends = [parts().next(), parts().next_back()];
    let ends = ends.into_iter().flatten().map(WebhookToken::from_bytes);
    ends.flat_map(|end| tokens.iter().map(move |token| (token.matches(&end), token)))
        .fold(None, |found, (matches, token)| {
            found.or(matches.then(|| token.origin()))
        })
}

fn stale(sent: u64, now: u64) -> String {
    let (difference, direction) = (
        sent.abs_diff(now),
        if sent < now { "behind" } else { "ahead" },
    );
    format!(
        "expected webhook-timestamp within {} seconds of the clock of webhook-app, found {}, which is {difference} s {direction}: the clock here shows {}; synchronize both clocks, or send the webhook again if it was delayed",
        LIMITS.events.signature_tolerance_seconds,
        clock(sent),
        clock(now)
    )
}

/// A time for people; in seconds after the year 9999, which the format does not cover.
fn clock(unix_seconds: u64) -> String {
    const YEAR_10000: u64 = 253_402_300_800;
    if unix_seconds >= YEAR_10000 {
        return format!("{unix_seconds} s");
    }
    let time = UNIX_EPOCH + Duration::from_secs(unix_seconds);
    humantime::format_rfc3339_seconds(time).to_string()
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;
    use crate::gitlab::signature::SigningKey;

    type Header = (&'static str, &'static str);

    #[test]
    fn a_rejection_names_what_else_the_request_shows() {
        let token = |text| WebhookToken::parse(text).expect("is a token");
        let key = || SigningKey::parse("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
        let key = || key().expect("is a key");
        let tokens = || vec![token("first,half"), token("first"), token("last")];
        let by_token = Verifier::Token(tokens());
        let by_signature = Verifier::Signature(vec![key()]);
        let by_either = Verifier::SignatureOrToken(vec![key()], tokens());
        let sent = |token| ("x-gitlab-token", token);
        let signature = ("webhook-signature", "v1,AAAA");
        let cases: [(&str, &Verifier, &[Header], Clue); 12] = [
            (
                "a token instead",
                &by_signature,
                &[sent("first")],
                Clue::Token,
            ),
            ("nothing", &by_signature, &[], Clue::None),
            (
                "a signature instead",
                &by_token,
                &[signature],
                Clue::Signature,
            ),
            (
                "a signature too",
                &by_token,
                &[signature, sent("x")],
                Clue::Signature,
            ),
            ("no token", &by_token, &[], Clue::None),
            ("neither", &by_either, &[], Clue::Neither),
            ("another token", &by_either, &[sent("x")], Clue::None),
            (
                "begins with a token",
                &by_token,
                &[sent("first,x")],
                Clue::SplitToken(TokenOrigin::Line),
            ),
            (
                "ends with a token",
                &by_either,
                &[sent("x, last")],
                Clue::SplitToken(TokenOrigin::Line),
            ),
            (
                "begins and ends with tokens",
                &by_token,
                &[sent("first,last")],
                Clue::SplitToken(TokenOrigin::Line),
            ),
            (
                "a token in the middle",
                &by_token,
                &[sent("x,last,y")],
                Clue::None,
            ),
            ("no comma", &by_token, &[sent("firstlast")], Clue::None),
        ];
        for (case, verifier, sent, clue) in cases {
            let sent = sent.iter().map(|(name, text)| {
                let value = text.parse().expect("is a header value");
                (HeaderName::from_static(name), value)
            });
            let headers = sent.collect::<HeaderMap>();
            let error = verifier.verify_headers(&headers, 0).expect_err(case);
            assert_eq!(
                Rejection::new(verifier, error, &headers).clue,
                clue,
                "{case}"
            );
        }
    }

    #[test]
    fn every_error_and_clue_has_a_text_of_its_own() {
        let clues = [
            (OriginError::MissingSignature, Clue::Token),
            (OriginError::MissingToken, Clue::Signature),
            (OriginError::MissingToken, Clue::Neither),
            (
                OriginError::WrongToken,
                Clue::SplitToken(TokenOrigin::Commas),
            ),
            (
                OriginError::WrongToken,
                Clue::SplitToken(TokenOrigin::CommasInLine),
            ),
            (OriginError::WrongToken, Clue::SplitToken(TokenOrigin::Line)),
            (OriginError::WrongToken, Clue::Signature),
        ];
        let plain = OriginError::ALL.map(|error| (error, Clue::None));
        let all = plain.into_iter().chain(clues);
        let mut texts: Vec<_> = all
            .map(|(error, clue)| Rejection { error, clue }.detail())
            .collect();
        let count = texts.len();
        texts.sort_unstable();
        texts.dedup();
        assert_eq!(texts.len(), count);
    }

    #[test]
    fn a_stale_time_is_shown_beside_the_own_clock() {
        insta::assert_snapshot!(stale(1_700_000_000, 1_700_000_400), @"expected webhook-timestamp within 300 seconds of the clock of webhook-app, found 2023-11-14T22:13:20Z, which is 400 s behind: the clock here shows 2023-11-14T22:20:00Z; synchronize both clocks, or send the webhook again if it was delayed");
        let far = stale(999_999_999_999, 1_700_000_000);
        assert!(
            far.contains("found 999999999999 s, which is 998299999999 s ahead"),
            "{far}"
        );
    }
}
