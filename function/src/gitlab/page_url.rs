//! URLs of pages on GitLab. Owns which of them can be the address of a link.

use url::Url;

use crate::limits::LIMITS;

/// A URL that can be the address of a link: http or https, without credentials, query and fragment, and
/// only with characters that neither end a link nor need escaping.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PageUrl(String);

impl PageUrl {
    /// `None` if the address is not such a URL. It has no slash at its end afterwards.
    pub fn parse(address: &str) -> Option<Self> {
        Self::from_url(Url::parse(address).ok()?)
    }

    /// `None` also for an IPv6 host, because its brackets could end the label of a link.
    pub(crate) fn from_url(url: Url) -> Option<Self> {
        let is_plain = matches!(url.scheme(), "http" | "https")
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/:%".contains(&byte);
        if !is_plain || !url.as_str().bytes().all(is_allowed) {
            return None;
        }
        let mut address = String::from(url);
        address.truncate(address.trim_end_matches('/').len());
        Self::within_limit(address)
    }

    /// The page at `path` below this one; `None` if its address is too long. `path` is written by this
    /// program and contains only letters, digits, `.`, `-` and `/`.
    #[must_use]
    pub fn below(&self, path: &str) -> Option<Self> {
        Self::within_limit(format!("{}/{path}", self.0))
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn within_limit(address: String) -> Option<Self> {
        (address.len() <= LIMITS.texts.address_bytes).then_some(Self(address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_addresses_can_be_links() {
        let page = |base: &str| PageUrl::parse(base)?.below("-/commit/abc");
        for (base, expected) in [
            (
                "https://gitlab.example.com/acme/rocket",
                "https://gitlab.example.com/acme/rocket/-/commit/abc",
            ),
            (
                "http://localhost:8080/a/",
                "http://localhost:8080/a/-/commit/abc",
            ),
        ] {
            assert_eq!(page(base).as_ref().map(PageUrl::as_str), Some(expected));
        }
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
            assert_eq!(page(invalid), None, "{invalid}");
        }
        let longest = format!(
            "https://example.com/{}",
            "a".repeat(LIMITS.texts.address_bytes - 20)
        );
        let longest = PageUrl::parse(&longest).expect("is within the limit");
        assert_eq!(longest.below("-"), None);
    }
}
