//! Outside text in a code span. Owns the characters that do something even there.

use std::fmt;

use super::visible_text::{VisibleText, is_joiner};

/// Outside text, shown in a code span.
///
/// Rocket.Chat's parser does not format text inside code spans or find links there. Older servers,
/// however, find mentions in the raw text, including code spans: `@` or `#` at the start of a line,
/// after white space or after `>`. There `#` is replaced with its full-width form, which they do not
/// recognize; elsewhere it stays, so that the name of a branch can be pasted, except after a digit,
/// where it could be read as the [mark](crate::notifier::live_pipeline) of a live pipeline. `@` is
/// replaced everywhere, because it notifies people. A backtick would end the span and becomes an apostrophe.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InlineCode(String);

impl InlineCode {
    /// Keeps at most `limit` UTF-16 units. `None` if no visible text is left.
    pub fn new(text: &str, limit: usize) -> Option<Self> {
        VisibleText::new(text, limit).map(Self::from)
    }

    /// How many characters a reader sees.
    pub fn visible(&self) -> usize {
        self.0.chars().count()
    }

    /// The text without its code span, for a template, which shows it in a code span again. Outside of
    /// one, neither formatting nor `#` would be neutralized.
    pub(crate) fn into_text(self) -> String {
        self.0
    }
}

impl From<VisibleText> for InlineCode {
    fn from(text: VisibleText) -> Self {
        let text = text.into_string();
        // Most texts have none of these characters.
        if !text.bytes().any(|byte| b"`@\\#".contains(&byte)) {
            return Self(text);
        }
        let mut before = None;
        let escaped = text.chars().map(|char| {
            let escaped = escape(before, char);
            if !is_joiner(char) {
                before = Some(char);
            }
            escaped
        });
        Self(escaped.collect())
    }
}

impl fmt::Display for InlineCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}`", self.0)
    }
}

/// The character itself or a harmless one that looks like it; `before` is the character before it.
fn escape(before: Option<char>, char: char) -> char {
    match char {
        '`' => '\'',
        '@' => '＠',
        // A backslash would escape the closing backtick.
        '\\' => '＼',
        '#' if before.is_some_and(|before| " >".contains(before) || before.is_ascii_digit()) => {
            '＃'
        }
        char => char,
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
}
