//! Outside text as plain text. Owns the rule which texts Rocket.Chat makes nothing of, wherever they
//! stand. Other texts stand in [`InlineCode`](super::InlineCode); [`Shown`](super::Shown) chooses.

use std::fmt;

use super::visible_text::{VisibleText, is_invisible};

/// Outside text that Rocket.Chat shows exactly as it is, without a code span.
///
/// Every character may stand where it stands:
///
/// | character | where |
/// | --- | --- |
/// | a letter or digit of a script that is written from left to right | anywhere |
/// | a space | between two other characters |
/// | `'`, `"`, dashes, the ellipsis, typographic quotation marks, Chinese and Japanese punctuation | anywhere |
/// | `,` `?` | after a character that is not a space |
/// | `!` | not at the end, where a link after it would become an image |
/// | `&` `-` | not at an end |
/// | `(` | before a letter, a digit or `)` |
/// | `)` | after a character that is neither a space nor `-` |
/// | `:` `;` | between a character that is not a space and a space |
/// | `/` | not at an end, and not twice |
/// | `.` | before an ASCII digit, at most twice in a word; or after a letter at the end of a word |
///
/// No word is `localhost`, and none begins an emoticon: `8)`, `D:`, `X-P`. A colon or a parenthesis may
/// follow the text, so it neither ends with the word `8`, `B`, `X` or `D` nor is it `y`.
///
/// The rule holds before, after and inside everything that a message puts beside a text, with every
/// version of Rocket.Chat's parser since 0.31.22; `tests/markup/inert.mjs` lists and proves the places.
/// Two things it needs from a message: a space, or one of `( ) , : .`, between the text and what is
/// beside it, except for the marks of bold text and the brackets of a link; and no text in
/// parentheses as the label of a link, which 0.31.22 does not understand.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Inert(String);

impl Inert {
    /// Keeps at most `limit` UTF-16 units. `None` if no visible text is left, or if Rocket.Chat could
    /// make something of it.
    pub fn new(text: &str, limit: usize) -> Option<Self> {
        Self::try_from(VisibleText::new(text, limit)?).ok()
    }

    /// The text, which needs no escaping.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn into_string(self) -> String {
        self.0
    }
}

impl TryFrom<VisibleText> for Inert {
    /// The text, which needs a code span.
    type Error = VisibleText;

    fn try_from(text: VisibleText) -> Result<Self, VisibleText> {
        if is_inert(text.as_str()) {
            Ok(Self(text.into_string()))
        } else {
            Err(text)
        }
    }
}

impl fmt::Display for Inert {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Letters that are neither emoji nor written from right to left are in these blocks.
const LETTERS: [(char, char); 6] = [
    ('\u{aa}', '\u{58f}'),
    ('\u{900}', '\u{1fff}'),
    ('\u{2c00}', '\u{d7ff}'),
    ('\u{f900}', '\u{fb1c}'),
    ('\u{ff10}', '\u{ffdc}'),
    ('\u{20000}', '\u{323af}'),
];

/// The scripts from Devanagari to Burmese, and Khmer: their words contain marks, which are not alphanumeric.
const MARKED: [(char, char); 2] = [('\u{900}', '\u{109f}'), ('\u{1780}', '\u{17d3}')];

/// Punctuation that Rocket.Chat never makes anything of.
const PUNCTUATION: &str = "'\"¡¿«»‐‑‒–—‘’‚“”„…、。「」『』《》【】（）！，：；？～・";

/// A place in a text: a character, and what is beside it.
#[derive(Clone, Copy, Default)]
struct Place {
    /// The word so far, if it is one character.
    lone: Option<char>,
    before: Option<char>,
    after: Option<char>,
    /// Dots in the word so far.
    dots: usize,
}

fn is_inert(text: &str) -> bool {
    let mut place = Place::default();
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        place.after = chars.peek().copied();
        if !place.fits(char) || place.begins_emoticon(char) {
            return false;
        }
        place = place.next(char);
    }
    !text.is_empty() && !names_localhost(text)
}

/// Whether the word is part of the text. Older parsers link it.
fn names_localhost(text: &str) -> bool {
    let name = b"localhost";
    let mut parts = text.as_bytes().windows(name.len());
    parts.any(|part| part.eq_ignore_ascii_case(name))
}

impl Place {
    /// The place after a character.
    fn next(self, char: char) -> Self {
        Self {
            lone: self.begins_word().then_some(char),
            before: Some(char),
            after: None,
            dots: match char {
                ' ' => 0,
                '.' => self.dots + 1,
                _ => self.dots,
            },
        }
    }

    fn begins_word(self) -> bool {
        matches!(self.before, None | Some(' '))
    }

    fn fits(self, char: char) -> bool {
        match char {
            ' ' => !self.begins_word() && self.after.is_some(),
            ',' | '?' => !self.begins_word(),
            '!' => self.after.is_some(),
            '&' | '-' => self.before.is_some() && self.after.is_some(),
            '(' => self
                .after
                .is_some_and(|after| after == ')' || is_letter(after)),
            ')' => !self.begins_word() && self.before != Some('-'),
            ':' | ';' => !self.begins_word() && self.after == Some(' '),
            '/' => ![self.before, self.after]
                .iter()
                .any(|beside| matches!(beside, None | Some('/'))),
            '.' => self.fits_dot(),
            char => is_letter(char) || PUNCTUATION.contains(char),
        }
    }

    /// No top-level domain begins with a digit, and an IP address has three dots.
    fn fits_dot(self) -> bool {
        let Some(before) = self.before else {
            return false;
        };
        let ends_word = matches!(self.after, None | Some(' '));
        let begins_digits = self.after.is_some_and(|after| after.is_ascii_digit());
        (begins_digits && before.is_ascii_alphanumeric() && self.dots < 2)
            || (ends_word && is_letter(before) && !before.is_ascii_digit())
    }

    /// Whether an emoticon begins with the word before the character, or with the character and a colon
    /// or a parenthesis after the text.
    fn begins_emoticon(self, char: char) -> bool {
        match (self.lone, char, self.after) {
            (Some('8' | 'B' | 'X'), ')', _)
            | (Some('D'), ':', _)
            | (Some('8' | 'B'), '-', Some('D'))
            | (Some('X'), '-', Some('P')) => true,
            (_, '8' | 'B' | 'X' | 'D', None) => self.begins_word(),
            (_, 'y', None | Some(')')) => matches!(self.before, None | Some('(')),
            _ => false,
        }
    }
}

/// A letter or digit of a script that is written from left to right.
fn is_letter(char: char) -> bool {
    if char.is_ascii() {
        return char.is_ascii_alphanumeric();
    }
    let is_in = |blocks: &[(char, char)]| {
        let mut blocks = blocks.iter();
        blocks.any(|(first, last)| (*first..=*last).contains(&char))
    };
    is_in(&LETTERS) && (is_in(&MARKED) || char.is_alphanumeric()) && !is_invisible(char)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_plain(text: &str) -> bool {
        Inert::new(text, 100).is_some()
    }

    #[test]
    fn usual_names_and_titles_are_plain() {
        for text in [
            "Fix login (again)",
            "feat(api)!: drop v1",
            "Bump serde from 1.0.1 to 1.0.2",
            "Merge branch 'fix-login' into 'main'",
            "Draft: Resolve \"Login fails\"",
            "Anna-Lena Müller",
            "O'Brien",
            "R&D",
            "acme/rocket",
            "Revert !12",
            "Fix it.",
            "a; b",
            "Владимир",
            "नमस्ते",
            "한국어",
            "𠮷野",
            "中文（再次）。",
            "Q: why?",
            "yes",
        ] {
            assert!(is_plain(text), "{text}");
        }
    }

    #[test]
    fn what_the_parser_makes_something_of_is_refused() {
        for text in [
            "@all",
            "see #12",
            "a1#12",
            "*b*",
            "a_b",
            "~b~",
            "`b`",
            "[ci] x",
            "<t:1700000000:R>",
            "> a",
            "||b||",
            "$x$",
            r"\*",
            "a =D",
            "+12345",
            "main.rs",
            "10.0.0.1",
            "1. x",
            "at LocalHost",
            ":b:",
            "a :b",
            "https://a.de",
            "- x",
            "x -",
            "8-D",
            "B)",
            "(y)",
            "y",
            "Plan D",
            "D: x",
            "Fix:",
            "x!",
            "🎉",
            "a\u{301}",
            "אבג",
            "a\u{200c}b",
            "",
        ] {
            assert!(!is_plain(text), "{text}");
        }
    }

    #[test]
    fn the_rule_looks_at_the_text_as_it_is_shown() {
        let plain = |text, limit| Inert::new(text, limit).map(|text| text.to_string());
        assert_eq!(plain(" a\n\u{202e}b ", 10).as_deref(), Some("a b"));
        assert_eq!(plain("Fix main.rs", 6).as_deref(), Some("Fix m…"));
        assert_eq!(plain("Fix main.rs", 10), None, "Fix main.…");
    }
}
