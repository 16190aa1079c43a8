//! Mistakes in how a value is given: in quotes, or as the path of a file. Owns how they are recognized
//! and the advice. Values are read in [`env`](super::env), which decides whether a mistake is an error.

/// Folders in which manifests and container runtimes mount files. A secret in base64 can begin with a
/// slash, but hardly with one of these.
const FOLDERS: [&str; 14] = [
    "/app/",
    "/config/",
    "/etc/",
    "/home/",
    "/mnt/",
    "/opt/",
    "/root/",
    "/run/",
    "/secrets/",
    "/srv/",
    "/tmp/",
    "/usr/",
    "/var/",
    "/vault/",
];

/// How the names of files with documents end. No secret and no template is one word that ends like this.
const ENDINGS: [&str; 5] = [".crt", ".json", ".pem", ".yaml", ".yml"];

/// How a value was probably not meant to be given.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Mistake {
    /// In quotes, which files for `docker --env-file` and Secrets keep.
    Quotes,
    /// As the path of a file that contains it.
    Path,
}

impl Mistake {
    /// The mistake in a value that cannot be parsed.
    pub(super) fn in_invalid(text: &str) -> Option<Self> {
        let is_path = ["/", "./", "../", "~/"]
            .iter()
            .any(|start| text.starts_with(start));
        let is_one_word = !text.contains(char::is_whitespace);
        match Self::in_valid(text) {
            None if is_path && is_one_word && !text.starts_with("//") => Some(Self::Path),
            found => found,
        }
    }

    /// The mistake in a value that can be parsed, so that more evidence is required.
    pub(super) fn in_valid(text: &str) -> Option<Self> {
        let is_one_word = !text.contains(char::is_whitespace);
        if is_quoted(text) {
            Some(Self::Quotes)
        } else if is_one_word && (is_in_folder(text) || is_document(text)) {
            Some(Self::Path)
        } else {
            None
        }
    }

    /// The mistake in a value that should be a document, also if it can be parsed: a path is a valid template,
    /// and would be the text of every message. Quotes belong to YAML, and braces to a template.
    pub(super) fn in_document(text: &str) -> Option<Self> {
        let bare = text.trim_matches(['"', '\'']);
        let found = Self::in_invalid(bare).filter(|found| *found == Self::Path);
        found.filter(|_| !bare.contains('{'))
    }

    /// What to do, for the setting `name`. Does not contain the value.
    pub(super) fn advice(self, name: &str) -> String {
        match self {
            Self::Quotes => "the value is in quotes, which belong to it; remove them".to_owned(),
            Self::Path => format!(
                "the value looks like the path of a file; to read that file, set {name}_FILE instead"
            ),
        }
    }
}

fn is_in_folder(text: &str) -> bool {
    FOLDERS.iter().any(|folder| text.starts_with(folder))
}

fn is_document(text: &str) -> bool {
    ENDINGS.iter().any(|ending| text.ends_with(ending))
}

fn is_quoted(text: &str) -> bool {
    let inner = |quote: char| text.strip_prefix(quote)?.strip_suffix(quote);
    inner('"').or_else(|| inner('\'')).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_paths_are_recognized() {
        let cases = [
            (
                "\"https://chat.example.org\"",
                Some(Mistake::Quotes),
                Some(Mistake::Quotes),
            ),
            ("'secret'", Some(Mistake::Quotes), Some(Mistake::Quotes)),
            (
                "/run/secrets/token",
                Some(Mistake::Path),
                Some(Mistake::Path),
            ),
            ("/token", Some(Mistake::Path), None),
            ("./routes.yaml", Some(Mistake::Path), Some(Mistake::Path)),
            ("routes.yaml", Some(Mistake::Path), Some(Mistake::Path)),
            ("ca.pem", Some(Mistake::Path), Some(Mistake::Path)),
            ("/8fQz/3kPw==", Some(Mistake::Path), None),
            ("/etc/rules are here", None, None),
            ("//chat.example.org", None, None),
            ("\"", None, None),
            ("\"half", None, None),
            ("secret", None, None),
        ];
        for (text, in_invalid, in_valid) in cases {
            assert_eq!(Mistake::in_invalid(text), in_invalid, "{text}");
            assert_eq!(Mistake::in_valid(text), in_valid, "{text}");
        }
    }

    #[test]
    fn a_path_is_a_mistake_in_a_document_unless_it_is_a_template() {
        let cases = [
            ("/etc/messages.yaml", true),
            ("'/etc/messages.yaml'", true),
            ("messages.yml", true),
            ("/messages", true),
            ("/{{project}}/{{ref}}", false),
            ("{{project}}.json", false),
            ("'{{ page }}'", false),
            ("See /etc/messages.yaml", false),
            ("default: /etc/messages.yaml", false),
        ];
        for (text, is_path) in cases {
            let expected = is_path.then_some(Mistake::Path);
            assert_eq!(Mistake::in_document(text), expected, "{text}");
        }
    }
}
