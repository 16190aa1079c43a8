//! Escaping of outside text for Rocket.Chat's markup. Owns the rules that keep Rocket.Chat from
//! interpreting such text as a mention, a link or formatting. What a message says is decided in
//! [`message`](crate::notifier::message).

use std::fmt::{self, Write as _};

use url::Url;

use crate::limits::LIMITS;

/// Outside text, shown in a code span.
///
/// Rocket.Chat's parser does not format text inside code spans or find links there. Older servers,
/// however, find mentions in the raw text, including code spans: `@` or `#` at the start of a line,
/// after white space or after `>`. There `#` is replaced with its full-width form, which they do not
/// recognize; elsewhere it stays, so that the name of a branch can be pasted, except after a digit,
/// where it could be read as the [mark](crate::notifier::live_pipeline) of a live pipeline. `@` is
/// replaced everywhere, because it notifies people. A backtick would end the span and becomes an apostrophe.
/// Invisible characters are removed, because they can reorder or hide the text beside them, except
/// those that change how a visible character looks: joiners between two of them, and one variation
/// selector after one. Without these, an emoji of a family falls apart, and words of Persian, Sinhala
/// or Hindi are misspelled.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InlineCode(String);

impl InlineCode {
    /// Keeps at most `limit` UTF-16 units, the unit of Rocket.Chat's message limit, and joins lines
    /// with spaces. `None` if no visible text is left.
    pub fn new(text: &str, limit: usize) -> Option<Self> {
        let mut span = Span::default();
        for word in text.split(|char: char| char.is_whitespace() || char.is_control()) {
            let mut last = None;
            // Waits for a visible character.
            let mut joiner = None;
            for char in word.chars() {
                let role = Role::of(char);
                let is_kept = match role {
                    Role::Visible => true,
                    Role::Variation => last == Some(Role::Visible) && joiner.is_none(),
                    Role::Joiner | Role::Hidden => false,
                };
                if role == Role::Joiner && last.is_some() {
                    joiner = Some(char);
                }
                if !is_kept {
                    continue;
                }
                let gap = last.is_none() && !span.text.is_empty();
                let is_special = |before: char| before == '>' || before.is_ascii_digit();
                let char = match char {
                    '#' if gap || span.text.ends_with(is_special) => '＃',
                    char => escape(char),
                };
                let fits = (!gap || span.push(' ', limit))
                    && joiner.take().is_none_or(|joiner| span.push(joiner, limit))
                    && span.push(char, limit);
                if !fits {
                    return Some(Self(ellipsize(span.text)));
                }
                last = Some(role);
            }
        }
        (!span.text.is_empty()).then_some(Self(span.text))
    }

    /// The text without its code span, for a template, which shows it in a code span again. Outside of
    /// one, neither formatting nor `#` would be neutralized.
    pub(crate) fn into_text(self) -> String {
        self.0
    }
}

impl fmt::Display for InlineCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}`", self.0)
    }
}

/// Replaces the last character with an ellipsis.
fn ellipsize(mut kept: String) -> String {
    kept.pop();
    let is_joiner = |char| Role::of(char) == Role::Joiner;
    let end = kept.trim_end_matches(|char: char| char.is_whitespace() || is_joiner(char));
    kept.truncate(end.len());
    kept.push('…');
    kept
}

fn escape(char: char) -> char {
    match char {
        '`' => '\'',
        '@' => '＠',
        // A backslash would escape the closing backtick.
        '\\' => '＼',
        char => char,
    }
}

/// The content of a code span while it is written.
#[derive(Default)]
struct Span {
    text: String,
    units: usize,
}

impl Span {
    /// Whether there was room for the character.
    fn push(&mut self, char: char, limit: usize) -> bool {
        self.units += char.len_utf16();
        let fits = self.units <= limit;
        if fits {
            self.text.push(char);
        }
        fits
    }
}

/// What a character does in a text.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Role {
    /// It is visible.
    Visible,
    /// It joins two visible characters or keeps them apart.
    Joiner,
    /// It chooses a form of the character before it.
    Variation,
    /// It is invisible and has no such effect.
    Hidden,
}

impl Role {
    fn of(char: char) -> Self {
        match char {
            ..'\u{ad}' => Self::Visible,
            '\u{200c}' | '\u{200d}' => Self::Joiner,
            '\u{180b}'..='\u{180d}'
            | '\u{180f}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{e0100}'..='\u{e01ef}' => Self::Variation,
            char if is_invisible(char) => Self::Hidden,
            _ => Self::Visible,
        }
    }
}

/// Whether a character of Unicode 16 is invisible: the general category Cf, the variation
/// selectors, the fillers and the interlinear marks.
pub(crate) fn is_invisible(char: char) -> bool {
    matches!(char,
        '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}'
        | '\u{890}'..='\u{891}' | '\u{8e2}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffc}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// A link to a page of GitLab. The label is written by this program, never outside text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Link {
    label: String,
    address: String,
}

impl Link {
    /// Links `label` to `path` below `base`; `None` if `base` is not a plain URL.
    ///
    /// `label` and `path` are trusted and contain only letters, digits, `-`, `/` and `.`. `base` is
    /// outside text: it must be http or https, have no credentials, query or fragment, and contain
    /// only characters that neither end a link nor need escaping.
    pub fn below(base: &str, path: &str, label: &str) -> Option<Self> {
        let url = plain_url(base).filter(|url| url.fragment().is_none())?;
        let mut address = url.as_str().trim_end_matches('/').to_owned();
        let _ = write!(address, "/{path}");
        Self::to(address, label)
    }

    /// Links `label` to `address`, with the rules for `base` in [`Link::below`]. `label` may
    /// contain spaces, and the address may have a fragment of letters, digits, `-` and `_`.
    pub(crate) fn page(address: &str, label: &str) -> Option<Self> {
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

    /// `None` for an IPv6 host, because its brackets could end the label of a link.
    fn to(address: String, label: &str) -> Option<Self> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/:%".contains(&byte);
        let fits = address.len() <= LIMITS.texts.address_bytes && address.bytes().all(is_allowed);
        fits.then(|| Self {
            label: label.to_owned(),
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
        write!(formatter, "[{}]({})", self.label, self.address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> String {
        InlineCode::new(text, 100).map_or_else(String::new, |code| code.to_string())
    }

    #[test]
    fn markup_and_mentions_are_neutralized() {
        let cases = [
            ("plain", "fix the readme", "`fix the readme`"),
            ("mention", "@all look", "`＠all look`"),
            ("channel", "see #general", "`see ＃general`"),
            ("channel after a line", "a\n#general", "`a ＃general`"),
            ("channel after a quote", ">#general", "`>＃general`"),
            ("channel after a joiner", "a \u{200d}#b", "`a ＃b`"),
            ("number", "fix-#12", "`fix-#12`"),
            ("number at the start", "#12-fix", "`#12-fix`"),
            ("end of span", "a`b``c", "`a'b''c`"),
            ("escape", r"a\", "`a＼`"),
            ("lines", "a\r\nb\u{2028}c\u{85}d", "`a b c d`"),
            ("control", "a\u{0}b\u{1b}[31m", "`a b [31m`"),
            ("bidi", "a\u{202e}b\u{2066}", "`ab`"),
            ("zero width", "@\u{200b}all", "`＠all`"),
            ("tags", "a\u{e0041}b", "`ab`"),
            ("family", "x 👩\u{200d}👧 y", "`x 👩\u{200d}👧 y`"),
            ("heart", "❤\u{fe0f} x", "`❤\u{fe0f} x`"),
            (
                "couple",
                "👩\u{200d}❤\u{fe0f}\u{200d}👨",
                "`👩\u{200d}❤\u{fe0f}\u{200d}👨`",
            ),
            ("Persian", "می\u{200c}خواهم", "`می\u{200c}خواهم`"),
            ("ideograph", "葛\u{e0100}城", "`葛\u{e0100}城`"),
            ("joiner at the start", "\u{200d}a", "`a`"),
            ("joiner at the end", "a\u{200d} b\u{200c}", "`a b`"),
            ("two joiners", "a\u{200d}\u{200c}b", "`a\u{200c}b`"),
            ("joiner beside bidi", "a\u{202e}\u{200d}b", "`a\u{200d}b`"),
            ("variation alone", "\u{fe0f} a", "`a`"),
            ("two variations", "a\u{fe0f}\u{fe0e}b", "`a\u{fe0f}b`"),
            (
                "variation of a joiner",
                "a\u{200d}\u{fe0f}b",
                "`a\u{200d}b`",
            ),
            ("space only", " \t\n\u{200b}", ""),
            ("empty", "", ""),
        ];
        for (case, text, expected) in cases {
            assert_eq!(code(text), expected, "{case}");
        }
    }

    #[test]
    fn the_limit_counts_utf16_units_and_the_ellipsis() {
        let short = |text: &str| InlineCode::new(text, 4).map(|code| code.0);
        assert_eq!(short("abcd").as_deref(), Some("abcd"));
        assert_eq!(short("abcde").as_deref(), Some("abc…"));
        assert_eq!(short("😀😀").as_deref(), Some("😀😀"), "two units each");
        assert_eq!(short("😀😀😀").as_deref(), Some("😀…"));
        assert_eq!(
            short("ab cde").as_deref(),
            Some("ab…"),
            "no space before the ellipsis"
        );
        assert_eq!(
            short("👩\u{200d}👧").as_deref(),
            Some("👩…"),
            "no joiner before the ellipsis"
        );
    }

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
