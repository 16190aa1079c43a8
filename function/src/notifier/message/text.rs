//! A message before it is text: its first line and the lines below. Owns their order, and that every
//! message about a commit contains the full id.

use super::headline::Headline;
use super::sign::MessageStyle;
use crate::gitlab::commit::CommitSha;
use crate::limits::LIMITS;

/// A message in Rocket.Chat's markup.
#[derive(Clone, Debug)]
pub struct Message {
    headline: Headline,
    lines: Vec<String>,
    commit: Option<CommitSha>,
    style: MessageStyle,
}

impl Message {
    pub(super) fn new(headline: Headline) -> Self {
        Self {
            headline,
            lines: Vec::new(),
            commit: None,
            style: MessageStyle::default(),
        }
    }

    /// Adds a line, if there is one.
    pub(super) fn line(mut self, line: impl Into<Option<String>>) -> Self {
        self.lines.extend(line.into());
        self
    }

    /// Adds several lines.
    pub(super) fn lines(mut self, lines: impl IntoIterator<Item = String>) -> Self {
        self.lines.extend(lines);
        self
    }

    /// The same message in this style and about this commit.
    pub(super) fn styled(self, style: MessageStyle, commit: Option<&CommitSha>) -> Self {
        Self {
            style,
            commit: commit.cloned(),
            ..self
        }
    }

    /// The sign, unless the style has none.
    pub(in crate::notifier) fn sign(&self) -> Option<char> {
        self.headline.sign.shown(self.style)
    }

    /// The first line.
    pub(in crate::notifier) fn headline(&self) -> String {
        self.headline.fit(self.style).line
    }

    /// The other lines; empty if there are none.
    pub(in crate::notifier) fn details(&self) -> String {
        let text = self.text();
        text.split_once('\n')
            .map_or_else(String::new, |(_, details)| details.to_owned())
    }

    /// The text, at most as long as the
    /// [limit of a message](crate::limits::TextLimits::message).
    pub fn text(&self) -> String {
        let fitted = self.headline.fit(self.style);
        let mut text = fitted.line;
        for line in &self.lines {
            text.push('\n');
            text.push_str(line);
        }
        let mut missing = fitted.full;
        if let Some(commit) = &self.commit
            && !text.contains(commit.as_str())
        {
            missing.push(format!("commit `{commit}`"));
        }
        if !missing.is_empty() {
            let is_full = self.lines.len() + 1 >= LIMITS.texts.lines;
            text.push_str(if is_full { " · " } else { "\n" });
            text.push_str(&missing.join(" · "));
        }
        text
    }
}
