//! The settings for the authentication of webhooks. Owns which scheme follows from them. Keys and tokens
//! are parsed in [`signature`](crate::gitlab::signature) and
//! [`webhook_token`](crate::gitlab::webhook_token).

use super::doubt;
use super::env::EnvReader;
use super::list::{Commas, Layout, List, ListFormat};
use crate::gitlab::signature::SigningKey;
use crate::gitlab::verification::{MAX_SECRETS, Verifier};
use crate::gitlab::webhook_token::{TokenOrigin, WebhookToken};

/// How signing keys are listed.
pub(super) const KEYS: ListFormat = ListFormat {
    limit: MAX_SECRETS,
    commas: Commas::Separate,
    doubt: doubt::none,
};

/// How secret tokens are listed.
pub(super) const TOKENS: ListFormat = ListFormat {
    limit: MAX_SECRETS,
    commas: Commas::SeparateOrBelong,
    doubt: doubt::webhook_token,
};

/// The scheme follows from the settings, and disabling authentication requires an explicit setting.
pub(super) fn verifier(reader: &mut EnvReader) -> Option<Verifier> {
    let keys = reader.list("GITLAB_SIGNING_KEYS", &KEYS, SigningKey::parse);
    let tokens = reader.list("GITLAB_WEBHOOK_TOKENS", &TOKENS, WebhookToken::parse);
    let token_too = reader.flag("ACCEPT_TOKEN_TOO");
    let allow_unauthenticated = reader.flag("ALLOW_UNAUTHENTICATED");
    let (keys, tokens) = (keys?.values, tokens?);
    let tokens = marked(tokens);
    match (keys.is_empty(), tokens.is_empty()) {
        (true, true) if allow_unauthenticated => Some(Verifier::None),
        (true, true) => {
            reader.missing(
                &["GITLAB_SIGNING_KEYS", "GITLAB_WEBHOOK_TOKENS"],
                "give the signing token of the webhook in GitLab (19.0 and later), or its secret token in GITLAB_WEBHOOK_TOKENS, or for testing only set ALLOW_UNAUTHENTICATED=true",
            );
            None
        }
        _ if allow_unauthenticated => {
            reader.error(
                "ALLOW_UNAUTHENTICATED",
                "is true, but keys or tokens are set too; remove either",
            );
            None
        }
        (false, false) if token_too => Some(Verifier::SignatureOrToken(keys, tokens)),
        (false, false) => {
            reader.error(
                "GITLAB_WEBHOOK_TOKENS",
                "is set in addition to GITLAB_SIGNING_KEYS and would have no effect; remove it, or set ACCEPT_TOKEN_TOO=true while webhooks still send tokens",
            );
            None
        }
        (false, true) => Some(Verifier::Signature(keys)),
        (true, false) => Some(Verifier::Token(tokens)),
    }
}

/// The tokens, each with how it was written, which a rejected half of a token is explained by.
fn marked(tokens: List<WebhookToken>) -> Vec<WebhookToken> {
    let origin = match tokens.layout {
        Layout::Commas => TokenOrigin::Commas,
        Layout::CommasInLine => TokenOrigin::CommasInLine,
        Layout::Lines => TokenOrigin::Line,
    };
    let tokens = tokens.values.into_iter();
    tokens.map(|token| token.written_in(origin)).collect()
}
