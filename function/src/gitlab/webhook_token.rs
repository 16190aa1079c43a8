//! The secret token of a webhook. Owns what a token is, and how it is compared. Whether a webhook may
//! authenticate with one is decided in [`verification`](super::verification).

use std::fmt;

use ring::digest;
use subtle::ConstantTimeEq as _;

/// A secret token, stored as its SHA-256 digest, so that comparisons take constant time and the
/// token cannot be printed.
#[derive(Clone)]
pub struct WebhookToken {
    digest: digest::Digest,
    origin: TokenOrigin,
}

/// How a token is written in the setting, for the advice about a token that was split.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TokenOrigin {
    /// It has its own line or is the only token.
    Line,
    /// The setting is split at commas.
    Commas,
    /// The setting is a file or ends with a line break, and its only line is split at commas.
    CommasInLine,
}

impl WebhookToken {
    /// Parses a token of 1 to 255 characters, which fit into a header. GitLab accepts everything but a line
    /// feed as a token, and headers contain everything but control characters; a tab is none in HTTP.
    pub fn parse(text: &str) -> Result<Self, WebhookTokenError> {
        let length = text.chars().count();
        if !(1..=255).contains(&length) {
            return Err(WebhookTokenError::Length(length));
        }
        let is_control = |byte: u8| byte.is_ascii_control() && byte != b'\t';
        if text.bytes().any(is_control) {
            return Err(WebhookTokenError::Character);
        }
        Ok(Self::from_bytes(text.as_bytes()))
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Self {
        Self {
            digest: digest::digest(&digest::SHA256, bytes),
            origin: TokenOrigin::Line,
        }
    }

    /// The same token, written in another way.
    pub(crate) fn written_in(self, origin: TokenOrigin) -> Self {
        Self { origin, ..self }
    }

    pub(super) fn origin(&self) -> TokenOrigin {
        self.origin
    }

    pub(super) fn matches(&self, other: &Self) -> bool {
        self.digest.as_ref().ct_eq(other.digest.as_ref()).into()
    }
}

impl fmt::Debug for WebhookToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("WebhookToken(…)")
    }
}

/// Why a text cannot be a secret token. Never contains the text.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum WebhookTokenError {
    /// Not 1 to 255 characters; contains the number found.
    #[error("expected a token of 1 to 255 characters, found {0}")]
    Length(usize),
    /// A control character.
    #[error(
        "expected a token without control characters, found one, which cannot be sent in a header; set another token here and in GitLab"
    )]
    Character,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_of_bounded_length_and_has_no_control_character() {
        for text in [&"ä".repeat(255), "three words long", "a\tb"] {
            assert!(WebhookToken::parse(text).is_ok(), "{text}");
        }
        let refused = [
            (String::new(), WebhookTokenError::Length(0)),
            ("a".repeat(256), WebhookTokenError::Length(256)),
            ("a\0b".to_owned(), WebhookTokenError::Character),
            ("a\u{7f}b".to_owned(), WebhookTokenError::Character),
        ];
        for (text, expected) in refused {
            assert_eq!(WebhookToken::parse(&text).err(), Some(expected), "{text}");
        }
        let token = WebhookToken::parse("secret").expect("is a token");
        assert_eq!(format!("{token:?}"), "WebhookToken(…)");
    }
}
