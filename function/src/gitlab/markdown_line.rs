//! The line of a Markdown text that a message shows. Owns which lines say nothing by themselves: those that GitLab
//! does not show, quotations, and marks around blocks. Whom a text mentions is decided in
//! [`mention`](super::mention).

use super::text::{bounded, first_line};

/// What begins a line without words: code, and rules between parts.
const BLOCKS: [&str; 5] = ["```", "~~~", "---", "***", "___"];

/// The first line that says something, or else the first line; trimmed, and `""` only for a blank text.
pub(super) fn shown_line(text: &str) -> &str {
    let mut in_comment = false;
    for line in bounded(text.trim()).lines() {
        let mut line = line.trim();
        // Bots mark their comments with a comment of HTML.
        if in_comment || line.starts_with("<!--") {
            let (is_closed, after) = match line.split_once("-->") {
                Some((_, after)) => (true, after.trim()),
                None => (false, ""),
            };
            in_comment = !is_closed;
            line = after;
        }
        let is_block = BLOCKS.iter().any(|block| line.starts_with(block));
        let has_words = line.chars().any(|char| !is_zero_width(char));
        if has_words && !is_block && !line.starts_with('>') {
            return line;
        }
    }
    first_line(text.trim())
}

fn is_zero_width(char: char) -> bool {
    matches!(char, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::LIMITS;

    #[test]
    fn lines_that_say_nothing_are_skipped() {
        for (text, expected) in [
            ("Hello\nworld", "Hello"),
            (" \n Hello", "Hello"),
            ("<!-- bot -->\nHello", "Hello"),
            ("<!-- bot --> Hello", "Hello"),
            ("<!-- a\nb\n-->\n\nHello", "Hello"),
            ("> said before\n\nHello", "Hello"),
            ("```suggestion:-0+0\nfix()\n```", "fix()"),
            ("---\nHello", "Hello"),
            ("\u{200b}\nHello", "Hello"),
            ("> only a quotation", "> only a quotation"),
            ("<!-- never closed\nHello", "<!-- never closed"),
            ("<!-- bot -->", "<!-- bot -->"),
            (" ", ""),
        ] {
            assert_eq!(shown_line(text), expected, "{text:?}");
        }
        let long = "é".repeat(10_000);
        assert_eq!(shown_line(&long).len(), LIMITS.events.max_text_bytes);
    }
}
