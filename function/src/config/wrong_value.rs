//! Wrong values in errors. Owns which of them are shown: none that may be or contain a secret, also one that
//! was given to the wrong setting. Errors are composed in [`env`](super::env).

use super::env::EnvReader;

/// Settings whose values an error never shows: secrets, what is easily confused with them, and documents.
const HIDDEN: [&str; 19] = [
    "ALL_PROXY",
    "GITLAB_API_TOKEN",
    "GITLAB_CA",
    "GITLAB_SIGNING_KEYS",
    "GITLAB_WEBHOOK_TOKENS",
    "HOOKS",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "MESSAGES",
    "MESSAGE_ID_SECRET",
    "OTEL_EXPORTER_OTLP_HEADERS",
    "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
    "ROCKETCHAT_AUTH_TOKEN",
    "ROCKETCHAT_CA",
    "ROCKETCHAT_USER_ID",
    "ROUTES",
    "all_proxy",
    "http_proxy",
    "https_proxy",
];

impl EnvReader<'_> {
    /// The wrong value for the error, unless it may contain a secret: also one that was given to the wrong
    /// setting, or credentials in an address.
    pub(super) fn found(&self, name: &str, text: &str) -> String {
        const SHOWN: usize = 60;
        let holds = |value: &str| {
            let value = value.trim();
            !value.is_empty() && (value.contains(text) || text.contains(value))
        };
        let in_file = |path: &String| (self.read_file)(path.trim()).is_ok_and(|text| holds(&text));
        let holds_secret = |secret: &str| {
            let file = self.variables.get(&format!("{secret}_FILE"));
            let variable = self.variables.get(secret);
            variable.is_some_and(|value| holds(value)) || file.is_some_and(in_file)
        };
        let has_credentials = text.contains(['@', '?']) && text.contains(':');
        let is_hidden = HIDDEN.contains(&name)
            || has_credentials
            || resembles_secret(text)
            || text.contains('\n')
            || ["whsec_", "glpat-"].iter().any(|mark| text.contains(mark))
            || (text.len() >= 8 && HIDDEN.into_iter().any(holds_secret));
        if is_hidden {
            return String::new();
        }
        let shown: String = text.chars().take(SHOWN).collect();
        let more = if shown.len() < text.len() { "…" } else { "" };
        format!(", found {shown:?}{more}")
    }
}

/// Whether a part of a text has the form of a secret: at least 20 letters, digits and characters of base64
/// in a row, because tokens of Rocket.Chat have 43 characters and those of GitLab at least 20. Plain words
/// do not have it.
fn resembles_secret(text: &str) -> bool {
    const SECRET_LENGTH: usize = 20;
    let is_other = |char: char| !(char.is_ascii_alphanumeric() || "_-+/=".contains(char));
    let mut parts = text.split(is_other);
    parts.any(|part| part.len() >= SECRET_LENGTH && !is_plain(part))
}

/// Whether a text is at most three words of at most twelve letters, joined by dashes or underscores, such as
/// `structured-json-lines`. A generated secret contains digits, mixes upper and lower case or has longer
/// runs of letters, and a passphrase has more words.
fn is_plain(text: &str) -> bool {
    const WORDS: usize = 3;
    const LETTERS: usize = 12;
    let is_word = |word: &str| {
        let is_lower = word.bytes().all(|byte| byte.is_ascii_lowercase());
        let is_upper = word.bytes().all(|byte| byte.is_ascii_uppercase());
        word.len() <= LETTERS && (is_lower || is_upper)
    };
    let words = || text.split(['-', '_']);
    words().count() <= WORDS && words().all(is_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_words_are_no_secret_and_everything_long_and_random_is_one() {
        let cases = [
            ("structured-json-lines", false),
            ("PARENTBASED_ALWAYS_ON", false),
            ("a value of several words", false),
            ("rocketchat.example.org", false),
            ("--structured-json-lines", true),
            ("correct-horse-battery-staple", true),
            ("abcdefghijklmnopqrst", true),
            ("AbCdefgh-IjKlmnop-QrStuv", true),
            ("canary-token-1234567890", true),
            ("eyJhbGciOiJIUzI1NiJ9x.canary", true),
            ("chat.example.org/hooks/65f0c9d7/canary", true),
            ("Tz7LmW2qB4xY9aN0", false),
        ];
        for (text, expected) in cases {
            assert_eq!(resembles_secret(text), expected, "{text}");
        }
    }
}
