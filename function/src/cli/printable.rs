//! What a terminal may get of a text that servers have written: names, branches, errors. Owns which characters
//! are replaced, because they could move the cursor, change colors or reverse the order of what is read.

/// The text with U+FFFD in place of control characters, other than line ends and tabs, and of marks that change the
/// direction of text.
pub(super) fn printable(text: &str) -> String {
    let is_direction = |char: char| matches!(char, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let shown = |char: char| {
        if (char.is_control() && !matches!(char, '\n' | '\t')) || is_direction(char) {
            char::REPLACEMENT_CHARACTER
        } else {
            char
        }
    };
    text.chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_and_directions_are_replaced_and_words_of_all_languages_stay() {
        for (text, expected) in [
            ("ok       group/app – ✅\n", "ok       group/app – ✅\n"),
            ("مرحبا שלום 你好\n", "مرحبا שלום 你好\n"),
            (
                "\u{1b}[31mred\u{1b}]0;title\u{7}",
                "\u{fffd}[31mred\u{fffd}]0;title\u{fffd}",
            ),
            ("a\rb\u{9b}2Jc\u{7f}", "a\u{fffd}b\u{fffd}2Jc\u{fffd}"),
            ("main\u{202e}txt\u{2066}", "main\u{fffd}txt\u{fffd}"),
        ] {
            assert_eq!(printable(text), expected);
        }
    }
}
