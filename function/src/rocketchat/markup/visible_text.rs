//! Outside text as it is shown. Owns how lines are joined, invisible characters removed and long texts
//! shortened. What the text does in a message is decided in [`InlineCode`](super::InlineCode).

/// Outside text on one line, without invisible characters and not empty. It is not escaped.
///
/// Invisible characters are removed, because they can reorder or hide the text beside them, except
/// those that change how a visible character looks: joiners between two of them, and one variation
/// selector after one. Without these, an emoji of a family falls apart, and words of Persian, Sinhala
/// or Hindi are misspelled.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct VisibleText(String);

impl VisibleText {
    /// Keeps at most `limit` UTF-16 units, the unit of Rocket.Chat's message limit, and joins lines
    /// with spaces. `None` if no visible text is left.
    pub fn new(text: &str, limit: usize) -> Option<Self> {
        let mut line = Line::default();
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
                let gap = last.is_none() && !line.text.is_empty();
                let fits = (!gap || line.push(' ', limit))
                    && joiner.take().is_none_or(|joiner| line.push(joiner, limit))
                    && line.push(char, limit);
                if !fits {
                    return Some(Self(ellipsize(line.text)));
                }
                last = Some(role);
            }
        }
        (!line.text.is_empty()).then_some(Self(line.text))
    }

    /// A required text; `?` if no visible text is left.
    #[must_use]
    pub fn or_unnamed(text: &str, limit: usize) -> Self {
        Self::new(text, limit).unwrap_or_else(|| Self("?".to_owned()))
    }

    /// The text, which is not escaped.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn into_string(self) -> String {
        self.0
    }

    /// How many characters a reader sees.
    pub fn visible(&self) -> usize {
        self.0.chars().count()
    }

    /// The beginning and an ellipsis, together at most `limit` characters, if the text has more.
    #[must_use]
    pub fn cut_end(&self, limit: usize) -> Self {
        if self.visible() <= limit {
            return self.clone();
        }
        Self(format!("{}…", self.head(limit.saturating_sub(1))))
    }

    /// The beginning and the end with an ellipsis between them, together at most `limit` characters, if
    /// the text has more.
    #[must_use]
    pub fn cut_middle(&self, limit: usize) -> Self {
        if self.visible() <= limit {
            return self.clone();
        }
        let room = limit.saturating_sub(1);
        let tail = room / 2;
        Self(format!("{}…{}", self.head(room - tail), self.tail(tail)))
    }

    fn head(&self, limit: usize) -> &str {
        let ends = self.boundaries().take_while(|(before, _)| *before <= limit);
        let end = ends.last().map_or(0, |(_, at)| at);
        self.0[..end].trim_end()
    }

    fn tail(&self, limit: usize) -> &str {
        let all = self.visible();
        let start = self.boundaries().find(|(before, _)| all - before <= limit);
        let start = start.map_or(self.0.len(), |(_, at)| at);
        self.0[start..].trim_start()
    }

    /// Where the text can be cut: how many characters are before, and the index in bytes.
    fn boundaries(&self) -> impl Iterator<Item = (usize, usize)> {
        let mut before = None;
        let chars = self.0.char_indices().enumerate();
        let inner = chars.filter_map(move |(count, (at, char))| {
            let last = before.replace(char);
            last.is_none_or(|last| !is_joined(last, char))
                .then_some((count, at))
        });
        inner.chain([(self.visible(), self.0.len())])
    }
}

/// Whether two neighbours are one sign for a reader: an emoji with a joiner, a variation selector or a
/// skin tone, a letter with a mark, or a flag.
fn is_joined(before: char, after: char) -> bool {
    let is_flag = |char: char| ('\u{1f1e6}'..='\u{1f1ff}').contains(&char);
    let is_mark = matches!(after,
        '\u{300}'..='\u{36f}' | '\u{20d0}'..='\u{20ff}' | '\u{1f3fb}'..='\u{1f3ff}');
    is_mark
        || is_joiner(before)
        || matches!(Role::of(after), Role::Joiner | Role::Variation)
        || (is_flag(before) && is_flag(after))
}

/// Replaces the last character with an ellipsis.
fn ellipsize(mut kept: String) -> String {
    kept.pop();
    let end = kept.trim_end_matches(|char: char| char.is_whitespace() || is_joiner(char));
    kept.truncate(end.len());
    kept.push('…');
    kept
}

/// The text while it is written.
#[derive(Default)]
struct Line {
    text: String,
    units: usize,
}

impl Line {
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

/// Whether the character joins two others or keeps them apart.
pub(super) fn is_joiner(char: char) -> bool {
    Role::of(char) == Role::Joiner
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

#[cfg(test)]
mod tests {
    use super::*;

    fn visible(text: &str, limit: usize) -> Option<String> {
        VisibleText::new(text, limit).map(|text| text.0)
    }

    #[test]
    fn the_limit_counts_utf16_units_and_the_ellipsis() {
        let short = |text: &str| visible(text, 4);
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
    fn a_cut_keeps_joined_characters_together() {
        let text = |text: &str| VisibleText::new(text, 100).expect("is visible");
        let cases = [
            ("feature/landing-legs", 9, "feature/…", "feat…legs"),
            (
                "feature/landing-legs",
                20,
                "feature/landing-legs",
                "feature/landing-legs",
            ),
            ("a b c d", 4, "a b…", "a…d"),
            ("👩\u{200d}🔧👩\u{200d}🔧", 5, "👩\u{200d}🔧…", "…"),
            ("x👍🏽👍🏽", 4, "x👍🏽…", "x…"),
            ("🇩🇪🇫🇷x", 4, "…", "…x"),
            ("e\u{301}e\u{301}e\u{301}", 4, "e\u{301}…", "e\u{301}…"),
            ("abc", 0, "…", "…"),
        ];
        for (long, limit, end, middle) in cases {
            assert_eq!(text(long).cut_end(limit).as_str(), end, "end of {long}");
            assert_eq!(
                text(long).cut_middle(limit).as_str(),
                middle,
                "middle of {long}"
            );
        }
    }
}
