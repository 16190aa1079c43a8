//! Doubts about secrets that are valid: too short, in quotes, a path, or a secret of another kind. Owns
//! the texts of these warnings, which never contain a secret. Errors in secrets are in their parsers.

use super::mistake::Mistake;

/// A doubt about a secret token for webhooks.
pub(super) fn webhook_token(text: &str) -> Option<&'static str> {
    /// A secret of 16 random letters and digits cannot be guessed.
    const SAFE_LENGTH: usize = 16;
    if text.starts_with("whsec_") {
        return Some(
            "begins with whsec_, as signing keys do; if GitLab shows it as the signing token of the webhook, set it in GITLAB_SIGNING_KEYS instead",
        );
    }
    let is_short = text.len() < SAFE_LENGTH;
    any_secret(text).or_else(|| {
        is_short.then_some("has fewer than 16 characters and may be guessed; set a longer one here and in GitLab, such as the output of `openssl rand -hex 32`")
    })
}

/// A doubt about any secret.
pub(super) fn any_secret(text: &str) -> Option<&'static str> {
    match Mistake::in_valid(text)? {
        Mistake::Quotes => Some("is in quotes, which belong to the value; remove them"),
        Mistake::Path => Some(
            "looks like the path of a file; to read that file, set the setting with the suffix _FILE instead",
        ),
    }
}

/// No value of this list is doubtful.
pub(super) fn none(_: &str) -> Option<&'static str> {
    None
}
