//! How GitLab writes values in JSON, read without copying the body. Owns nothing about events;
//! see [`event`](super::event) and its neighbours for those.

use std::borrow::Cow;

use serde::Deserialize;

/// Text that borrows from the body unless it holds an escape.
///
/// A newtype because serde borrows a `Cow` only where it is a field of its own, not in an `Option`.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

impl Text<'_> {
    /// The text, unless it is empty or blank: GitLab sends `""` where it means "none".
    pub(super) fn filled(text: Option<&Self>) -> Option<&str> {
        text.map(|text| text.0.trim())
            .filter(|text| !text.is_empty())
    }
}
