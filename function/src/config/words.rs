//! Words as values of settings. Owns people's words for them, and which one is suggested for a wrong value.
//! How near a word must be is decided in [`suggestion`]. Names of settings are compared
//! in [`misspelling`](super::misspelling).

use crate::suggestion;

/// What people write, and what the settings of this program call it.
const SYNONYMS: &[(&str, &str)] = &[
    ("yes", "true"),
    ("y", "true"),
    ("on", "true"),
    ("1", "true"),
    ("enabled", "true"),
    ("no", "false"),
    ("n", "false"),
    ("off", "false"),
    ("0", "false"),
    ("disabled", "false"),
    ("none", "off"),
    ("err", "error"),
    ("fatal", "error"),
    ("critical", "error"),
    ("warning", "warn"),
    ("notice", "info"),
    ("information", "info"),
    ("verbose", "debug"),
    ("text", "pretty"),
    ("plain", "pretty"),
    ("console", "pretty"),
];

/// The word among `words` that `text` probably means.
pub(super) fn nearest<'a>(text: &str, words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let words: Vec<_> = words.collect();
    let synonyms = SYNONYMS.iter().copied();
    let synonyms = synonyms.filter(|(_, meant)| words.contains(meant));
    let own = words.iter().map(|word| (*word, *word));
    suggestion::nearest(text, own.chain(synonyms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similar_words_are_suggested_and_opposites_are_not() {
        const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
        const FLAGS: [&str; 2] = ["true", "false"];
        let cases: [(&str, &[&str], Option<&str>); 11] = [
            ("warning", &LEVELS, Some("warn")),
            ("WARN ", &LEVELS, Some("warn")),
            ("wran", &LEVELS, Some("warn")),
            ("err", &LEVELS, Some("error")),
            ("debgu", &LEVELS, Some("debug")),
            ("fatal", &LEVELS, Some("error")),
            ("loud", &LEVELS, None),
            ("on", &LEVELS, None),
            ("yes", &FLAGS, Some("true")),
            ("0", &FLAGS, Some("false")),
            ("untrue", &FLAGS, None),
        ];
        for (text, words, expected) in cases {
            assert_eq!(nearest(text, words.iter().copied()), expected, "{text}");
        }
    }
}
