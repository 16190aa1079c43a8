//! Commit ids. Owns the format of a SHA and the rule that a SHA of zeros is no commit. Which field
//! of an event has the relevant id is decided where that event is parsed, see
//! [`push`](super::push).

use std::fmt;

use serde::{Deserialize, Deserializer};

use super::lenient::Lenient;
use super::participants::{Person, User};
use super::text::deserialize_nullable;

/// Characters of the short form; GitLab abbreviates to the same length.
const SHORT_LENGTH: usize = 8;

/// The id of a commit that exists: 40 (SHA-1) or 64 (SHA-256) lower-case hex digits, not all zeros.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CommitSha(Box<str>);

impl CommitSha {
    /// Parses an id; `None` for anything else, including the zeros that GitLab sends for "no
    /// commit".
    ///
    /// ```
    /// use webhook_app::gitlab::commit::CommitSha;
    ///
    /// let sha = CommitSha::parse("da1560886d4f094c3e6c9ef40349f7d38b5d27d7").expect("40 hex digits");
    /// assert_eq!(sha.short(), "da156088");
    /// assert_eq!(CommitSha::parse("0000000000000000000000000000000000000000"), None);
    /// assert_eq!(CommitSha::parse("main"), None);
    /// ```
    pub fn parse(text: &str) -> Option<Self> {
        let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let right_length = matches!(text.len(), 40 | 64);
        let is_commit = right_length && text.bytes().all(hex) && !is_zero(text);
        is_commit.then(|| Self(text.into()))
    }

    /// All 40 or 64 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first eight digits, for display.
    pub fn short(&self) -> &str {
        &self.0[..SHORT_LENGTH]
    }
}

impl fmt::Display for CommitSha {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// An id field as GitLab sends it: a commit, or zeros, null or `""` for "no commit".
///
/// Anything else is an error that names the expected format, so that a branch name in the wrong
/// field is rejected instead of shown as a commit.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct MaybeCommit(pub Option<CommitSha>);

impl<'de> Deserialize<'de> for MaybeCommit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize_nullable(deserializer, |text| {
            let text = text.unwrap_or_default();
            match CommitSha::parse(text) {
                None if !text.is_empty() && !is_zero(text) => {
                    Err("expected a commit id of 40 or 64 lower-case hex digits, or zeros, or null")
                }
                commit => Ok(Self(commit)),
            }
        })
    }
}

/// A commit in a body. `I` selects how its id is parsed: strictly where it is the commit of the
/// event.
#[derive(Default, Deserialize)]
#[serde(default, bound = "I: Default + Deserialize<'de>")]
pub(super) struct CommitPayload<I = MaybeCommit> {
    pub(super) id: I,
    title: Lenient,
    message: Lenient,
    author: User,
}

impl<I> CommitPayload<I> {
    /// First line of the commit message, or else the title.
    pub(super) fn first_line(&self) -> Option<String> {
        let message = self.message.clone().text();
        message.or_else(|| self.title.clone().text())
    }

    /// The author.
    pub(super) fn author(&self) -> Option<Person> {
        self.author.clone().person()
    }
}

/// GitLab writes "no commit" as 40 or 64 zeros, depending on the hash function of the repository.
fn is_zero(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte == b'0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_forty_or_sixty_four_hex_digits_name_a_commit() {
        let cases = [
            (
                "sha-1",
                "da1560886d4f094c3e6c9ef40349f7d38b5d27d7".to_owned(),
                true,
            ),
            ("sha-256", "a".repeat(64), true),
            ("too short", "a".repeat(39), false),
            ("between the two", "a".repeat(41), false),
            ("too long", "a".repeat(65), false),
            ("upper case", "A".repeat(40), false),
            ("not hex", "g".repeat(40), false),
            ("zeros", "0".repeat(40), false),
            ("zeros of sha-256", "0".repeat(64), false),
            ("40 bytes that are 20 characters", "é".repeat(20), false),
            ("empty", String::new(), false),
        ];
        for (case, text, expected) in cases {
            assert_eq!(CommitSha::parse(&text).is_some(), expected, "{case}");
        }
    }

    #[test]
    fn null_empty_and_zeros_are_no_commit_and_other_text_is_an_error() {
        let read = |json: &str| serde_json::from_str::<MaybeCommit>(json);
        for none in [
            "null",
            "\"\"",
            "\"0000000000000000000000000000000000000000\"",
        ] {
            assert_eq!(
                read(none).expect("is accepted"),
                MaybeCommit(None),
                "{none}"
            );
        }
        let error = read("\"main\"").expect_err("is refused").to_string();
        assert!(error.contains("40 or 64 lower-case hex digits"), "{error}");
    }
}
