//! Links to pages of GitLab. Owns which addresses are linked to, and what may be the label of a link.

use std::fmt::{self, Write as _};

use url::Url;

use super::Inert;
use crate::gitlab::commit::CommitSha;
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
    /// Links `label` to `path` below `base`; `None` if `base` is not a plain URL.
    ///
    /// `path` is trusted and contains only letters, digits, `.`, `-` and `/`. `base` is outside text: it
    /// must be http or https, have no credentials, query or fragment, and contain only characters
    /// that neither end a link nor need escaping.
    pub fn below(base: &str, path: &str, label: impl Into<Label>) -> Option<Self> {
        let url = plain_url(base).filter(|url| url.fragment().is_none())?;
        let mut address = url.as_str().trim_end_matches('/').to_owned();
        let _ = write!(address, "/{path}");
        Self::to(address, label)
    }

    /// Links `label` to `address`, with the rules for `base` in [`Link::below`]. The address may also have
    /// a fragment of letters, digits, `-` and `_`.
    pub(crate) fn page(address: &str, label: impl Into<Label>) -> Option<Self> {
        let mut url = plain_url(address)?;
        let fragment = url.fragment().map(str::to_owned);
        url.set_fragment(None);
        let mut link = Self::to(url.into(), label)?;
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

    /// `None` for an IPv6 host, because its brackets could end the label of a link.
    fn to(address: String, label: impl Into<Label>) -> Option<Self> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/:%".contains(&byte);
        let fits = address.len() <= LIMITS.texts.address_bytes && address.bytes().all(is_allowed);
        fits.then(|| Self {
            label: label.into(),
            address,
        })
    }
}

/// An http or https URL without credentials or query.
fn plain_url(address: &str) -> Option<Url> {
    let is_plain = |url: &Url| {
        matches!(url.scheme(), "http" | "https")
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
    };
    Url::parse(address).ok().filter(is_plain)
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
    fn only_plain_addresses_become_links() {
        let link =
            |base: &str| Link::below(base, "-/commit/abc", "abc").map(|link| link.to_string());
        assert_eq!(
            link("https://gitlab.example.com/acme/rocket").as_deref(),
            Some("[abc](https://gitlab.example.com/acme/rocket/-/commit/abc)")
        );
        assert_eq!(
            link("http://localhost:8080/a/").as_deref(),
            Some("[abc](http://localhost:8080/a/-/commit/abc)")
        );
        let compare = Link::below(
            "https://gitlab.example.com/a",
            "-/compare/abc...def",
            "2 commits",
        );
        assert_eq!(
            compare.map(|link| link.to_string()).as_deref(),
            Some("[2 commits](https://gitlab.example.com/a/-/compare/abc...def)")
        );
        for invalid in [
            "javascript:alert(1)",
            "ftp://example.com/a",
            "https://user:secret@example.com/a",
            "https://example.com/a)b",
            "https://example.com/a?x=1",
            "https://example.com/a#x",
            "https://[::1]/a",
            "https://example.com/@all",
            "not an address",
            "",
        ] {
            assert_eq!(link(invalid), None, "{invalid}");
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
