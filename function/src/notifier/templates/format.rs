//! Whether the operator's templates are a YAML map from kinds to templates, or one template for all
//! kinds. Owns that decision, and what is suggested for a key that names no kind: a mistake in the
//! first key must not turn the whole file into one template. The map is parsed in
//! [`parse`](mod@super::parse).

use std::str::Lines;

use crate::gitlab::kind::Kind;
use crate::notifier::words;
use crate::suggestion::{nearest, plain};

/// The key for all kinds that the map does not name.
pub(super) const OTHERS: &str = "others";

/// People's words for [`OTHERS`].
const OTHERS_SYNONYMS: &[&str] = &[
    "others",
    "other",
    "default",
    "defaults",
    "fallback",
    "everything",
];

/// How the templates are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Format {
    /// A map from kinds to templates.
    Map,
    /// One template for all kinds.
    Template,
}

/// The format of a text, by its first line that is neither empty nor a comment.
pub(super) fn of(text: &str) -> Format {
    let mut lines = text.lines();
    let is_blank = |line: &str| line.is_empty() || line.starts_with('#') || line == "---";
    let first = lines.by_ref().map(str::trim).find(|line| !is_blank(line));
    if first.is_some_and(|line| begins_map(line, lines)) {
        Format::Map
    } else {
        Format::Template
    }
}

fn begins_map(line: &str, mut others: Lines) -> bool {
    if let Some(rest) = line.strip_prefix('{') {
        // A block of the template language begins with two characters.
        return !rest.starts_with(['{', '%', '#']);
    }
    if let Some(item) = line.strip_prefix("- ").or_else(|| line.strip_prefix("? ")) {
        let name = Key::read(item.trim_start()).map_or(item, |key| key.name);
        return is_like_key(name);
    }
    let Some(key) = Key::read(line) else {
        return false;
    };
    if key.is_certain() || !is_like_key(key.name) {
        return key.is_certain();
    }
    // `Project: {{ project }}` is a template, unless there is a key on another line.
    let is_prose = key.name.starts_with(char::is_uppercase) && key.value.starts_with("{{");
    let mut keys = others.by_ref().filter_map(Key::read);
    !is_prose || keys.any(|key| key.is_certain() && is_like_key(key.name))
}

/// The text before the first colon of a line.
struct Key<'a> {
    name: &'a str,
    is_quoted: bool,
    value: &'a str,
}

impl<'a> Key<'a> {
    /// The key at the start of a line; `None` if there is no colon after it.
    fn read(line: &'a str) -> Option<Self> {
        let quoted = ['"', '\''].iter().find_map(|quote| {
            let (name, rest) = line.strip_prefix(*quote)?.split_once(*quote)?;
            Some((name, rest.trim_start().strip_prefix(':')?))
        });
        let (name, value) = quoted.or_else(|| line.split_once(':'))?;
        Some(Self {
            name: name.trim_end(),
            is_quoted: quoted.is_some(),
            value: value.trim_start(),
        })
    }

    /// A lower-case name or one in quotes is a key, whether there is such a kind or not.
    fn is_certain(&self) -> bool {
        let letters = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        let words = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b' ');
        let bytes = || self.name.bytes();
        !self.name.is_empty() && (bytes().all(letters) || (self.is_quoted && bytes().all(words)))
    }
}

/// Whether a name is that of a kind, or nearly. People's words for kinds, such as `Commit`, can begin a
/// template too.
fn is_like_key(name: &str) -> bool {
    let mut labels: Vec<_> = Kind::known().map(Kind::label).collect();
    labels.push(OTHERS);
    let words = labels.iter().map(|label| (*label, *label));
    let name = plain(name);
    let is_plural = |label: &&str| name.strip_suffix('s') == Some(*label);
    nearest(&name, words).is_some() || labels.iter().any(is_plural)
}

/// What to write in place of a key that names no kind.
pub(super) fn suggestion(name: &str) -> String {
    let others = || nearest(name, OTHERS_SYNONYMS.iter().map(|word| (*word, OTHERS)));
    match words::kind(name, &[]) {
        Ok(kind) => format!("did you mean `{}`?", kind.label()),
        Err(_) if others().is_some() => format!("did you mean `{OTHERS}`?"),
        Err(suggestion) if suggestion.starts_with("expected") => {
            format!("{suggestion} or {OTHERS}")
        }
        Err(suggestion) => suggestion,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_however_it_is_written_begins_a_map() {
        for text in [
            "push: x",
            "pusch: x",
            "# all\n---\npush: x",
            "{\"push\": \"x\"}",
            "{\n  \"push\": \"x\"}",
            "{push: x}",
            "\"push\": x",
            "'push': x",
            "\"pusch\": x",
            "\"push\" : x",
            "Push: x",
            "PUSH: x",
            "merge-request: x",
            "merge request: x",
            "Merge Request: x",
            "Merge-Requests: x",
            "Pipelnie: x",
            "Others: x",
            "Push: 'x {{ title }}'",
            "Push: {{ title }}\njob: x",
            "- push: x",
            "? push",
        ] {
            assert_eq!(of(text), Format::Map, "{text}");
        }
        for text in [
            "{{ push }}: x",
            "{% if push %}x{% endif %}",
            "{# push #}x",
            "New: {{ title }}",
            "Commit: {{ commit }}",
            "Project: {{ project }}\nUser: {{ actor }}",
            "Build finished: {{ status }}",
            "*{{ status }}*: {{ page }}",
            "\"{{ title }}\": {{ page }}",
            "- {{ title }}: x",
            "- Status: {{ status }}",
            "push",
            "",
        ] {
            assert_eq!(of(text), Format::Template, "{text}");
        }
    }
}
