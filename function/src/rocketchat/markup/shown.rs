//! Outside text in the form that is safe for it. Owns the choice between plain text and a code span.

use std::fmt;

use super::{Inert, InlineCode, VisibleText};

/// Outside text: plain if Rocket.Chat makes nothing of it, otherwise in a code span.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Shown {
    /// As it is.
    Plain(Inert),
    /// In a code span.
    Code(InlineCode),
}

impl Shown {
    /// Keeps at most `limit` UTF-16 units. `None` if no visible text is left.
    pub fn new(text: &str, limit: usize) -> Option<Self> {
        VisibleText::new(text, limit).map(Self::from)
    }

    /// How many characters a reader sees.
    pub fn visible(&self) -> usize {
        match self {
            Self::Plain(text) => text.as_str().chars().count(),
            Self::Code(code) => code.visible(),
        }
    }

    /// Plain text in bold; a code span stands out without.
    ///
    /// The marks are doubled. Single ones make bold text too, but not directly after `(`, and in
    /// `` (*`x`*) `` the last two characters are an emoticon. Markdown that is not Rocket.Chat's
    /// takes single marks for italics.
    pub fn bold(&self) -> impl fmt::Display {
        fmt::from_fn(move |formatter| match self {
            Self::Plain(text) => write!(formatter, "**{text}**"),
            Self::Code(code) => write!(formatter, "{code}"),
        })
    }
}

impl From<VisibleText> for Shown {
    fn from(text: VisibleText) -> Self {
        match Inert::try_from(text) {
            Ok(text) => Self::Plain(text),
            Err(text) => Self::Code(InlineCode::from(text)),
        }
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(text) => write!(formatter, "{text}"),
            Self::Code(code) => write!(formatter, "{code}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Shown {
        Shown::new(text, 100).expect("is visible")
    }

    #[test]
    fn a_text_is_plain_or_in_a_code_span() {
        let cases = [
            ("Fix the login", "Fix the login", "**Fix the login**"),
            ("Fix main.rs", "`Fix main.rs`", "`Fix main.rs`"),
            ("by @all", "`by ＠all`", "`by ＠all`"),
        ];
        for (text, expected, bold) in cases {
            assert_eq!(shown(text).to_string(), expected);
            assert_eq!(shown(text).bold().to_string(), bold);
            assert_eq!(shown(text).visible(), text.chars().count(), "{text}");
        }
    }
}
