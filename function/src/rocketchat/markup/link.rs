//! Links to pages of GitLab. Owns what may be the label of a link. Which addresses are linked to is decided in
//! [`page_url`](crate::gitlab::page_url).

use std::fmt::{self, Write as _};

use url::Url;

use super::Inert;
use crate::gitlab::commit::CommitSha;
use crate::gitlab::page_url::PageUrl;
use crate::limits::LIMITS;

/// The label of a link, in which neither code spans nor escapes work: words of this program, or outside
/// text that is [`Inert`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Label(String);

impl Label {
    /// Words of this program, which are letters, digits, spaces and `-`.
    pub(crate) fn words(words: impl Into<String>) -> Self {
        let words = words.into();
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b" -".contains(&byte);
        debug_assert!(words.bytes().all(is_allowed), "outside text: {words}");
        Self(words)
    }
}

impl From<&'static str> for Label {
    fn from(words: &'static str) -> Self {
        Self::words(words)
    }
}

/// A noun and a number, such as `merge request 12`.
impl From<(&'static str, u64)> for Label {
    fn from((noun, number): (&'static str, u64)) -> Self {
        Self::words(format!("{noun} {number}"))
    }
}

/// The short id.
impl From<&CommitSha> for Label {
    fn from(sha: &CommitSha) -> Self {
        Self::words(sha.short())
    }
}

impl From<Inert> for Label {
    fn from(text: Inert) -> Self {
        Self(text.into_string())
    }
}

/// A link to a page of GitLab.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Link {
    label: Label,
    address: String,
}

impl Link {
    /// Links `label` to a page.
    pub fn new(page: &PageUrl, label: impl Into<Label>) -> Self {
        Self {
            label: label.into(),
            address: page.as_str().to_owned(),
        }
    }

    /// Links `label` to the page at `path` below `base`, with the rules of [`PageUrl::below`].
    pub fn below(base: &PageUrl, path: &str, label: impl Into<Label>) -> Option<Self> {
        Some(Self::new(&base.below(path)?, label))
    }

    /// Links `label` to the page at `address`, which may also have a fragment of letters, digits, `-` and
    /// `_`; `None` if it is not a [`PageUrl`] otherwise.
    pub(crate) fn page(address: &str, label: impl Into<Label>) -> Option<Self> {
        let mut url = Url::parse(address).ok()?;
        let fragment = url.fragment().map(str::to_owned);
        url.set_fragment(None);
        let mut link = Self::new(&PageUrl::from_url(url)?, label);
        if let Some(fragment) = fragment {
            let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
            let fits = link.address.len() + 1 + fragment.len() <= LIMITS.texts.address_bytes;
            if !fits || fragment.is_empty() || !fragment.bytes().all(is_allowed) {
                return None;
            }
            let _ = write!(link.address, "#{fragment}");
        }
        Some(link)
    }

    /// How many characters a reader sees.
    pub fn visible(&self) -> usize {
        self.label.0.chars().count()
    }
}

impl fmt::Display for Link {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "[{}]({})", self.label.0, self.address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_leads_to_a_page_below_another() {
        let base = PageUrl::parse("https://gitlab.example.com/a").expect("is a page");
        for (path, label) in [
            ("-/commit/abc", "abc"),
            ("-/compare/abc...def", "2 commits"),
        ] {
            let link = Link::below(&base, path, label).map(|link| link.to_string());
            let expected = format!("[{label}](https://gitlab.example.com/a/{path})");
            assert_eq!(link, Some(expected));
        }
    }

    #[test]
    fn the_url_of_a_page_may_have_a_plain_fragment() {
        let page = |address: &str| Link::page(address, "issue 2").map(|link| link.to_string());
        for linked in [
            "https://gitlab.example.com/a/-/issues/2",
            "https://gitlab.example.com/a/-/issues/2#note_1",
        ] {
            assert_eq!(page(linked), Some(format!("[issue 2]({linked})")));
        }
        let longest = format!(
            "https://example.com/{}#n",
            "a".repeat(LIMITS.texts.address_bytes - 22)
        );
        assert_eq!(longest.len(), LIMITS.texts.address_bytes);
        assert!(page(&longest).is_some());
        assert_eq!(page(&format!("{longest}n")), None, "too long");
        for invalid in [
            "https://example.com/a#",
            "https://example.com/a#@all",
            "https://example.com/a#b c",
            "https://example.com/a#b)c",
            "https://example.com/a#b#c",
            "https://example.com/a?x=1#note_1",
            "javascript:alert(1)#note_1",
        ] {
            assert_eq!(page(invalid), None, "{invalid}");
        }
    }
}
