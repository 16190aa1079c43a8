//! Words that a person probably meant. Owns how near a word must be, and people's words for the values
//! of settings. A suggestion never is the opposite of what was written: it shares most letters with it
//! or is listed here. Names of settings are compared in [`misspelling`](super::misspelling).

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
    ("fatal", "error"),
    ("critical", "error"),
    ("notice", "info"),
    ("verbose", "debug"),
    ("text", "pretty"),
    ("plain", "pretty"),
    ("console", "pretty"),
];

/// The word among `words` that `text` probably means.
pub fn nearest<'a>(text: &str, words: impl Iterator<Item = &'a str> + Clone) -> Option<&'a str> {
    let text = text.trim().to_ascii_lowercase();
    let synonym = SYNONYMS.iter().find(|(word, _)| *word == text);
    if let Some((_, meant)) = synonym
        && let Some(word) = words.clone().find(|word| word == meant)
    {
        return Some(word);
    }
    let is_longer_form = |word: &&str| word.len() >= 3 && text.starts_with(word);
    let is_shorter_form = |word: &&str| text.len() >= 3 && word.starts_with(&text);
    let form = words
        .clone()
        .find(|word| is_longer_form(word) || is_shorter_form(word));
    let distance = |word: &str| strsim::osa_distance(&text, word);
    let is_near = |word: &&str| distance(word) <= word.chars().count() / 3;
    form.or_else(|| words.filter(is_near).min_by_key(|word| distance(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similar_words_are_suggested_and_opposites_are_not() {
        const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
        const FLAGS: [&str; 2] = ["true", "false"];
        const COMMANDS: [&str; 3] = ["serve", "check", "render"];
        let cases: [(&str, &[&str], Option<&str>); 14] = [
            ("warning", &LEVELS, Some("warn")),
            ("WARN ", &LEVELS, Some("warn")),
            ("err", &LEVELS, Some("error")),
            ("debgu", &LEVELS, Some("debug")),
            ("fatal", &LEVELS, Some("error")),
            ("loud", &LEVELS, None),
            ("on", &LEVELS, None),
            ("yes", &FLAGS, Some("true")),
            ("0", &FLAGS, Some("false")),
            ("untrue", &FLAGS, None),
            ("sevre", &COMMANDS, Some("serve")),
            ("server", &COMMANDS, Some("serve")),
            ("chekc", &COMMANDS, Some("check")),
            ("start", &COMMANDS, None),
        ];
        for (text, words, expected) in cases {
            assert_eq!(nearest(text, words.iter().copied()), expected, "{text}");
        }
    }
}
