//! What an error in YAML adds about a value that needs quotes. Owns which characters have a meaning in
//! YAML that people do not expect in names, patterns and templates.

/// How to quote the value that begins with a special character on this line or, because the parser may
/// notice it later, on the line before.
pub(super) fn hint(text: &str, line: usize) -> Option<String> {
    let lines: Vec<_> = text.lines().take(line).collect();
    let mut nearest = (0..lines.len()).rev().take(2);
    nearest.find_map(|at| {
        let before = at.checked_sub(1).map(|before| lines[before]);
        hint_for_line(lines[at], before)
    })
}

/// The most characters of a value that a hint shows.
const LONGEST: usize = 60;

/// The rest of a line from a possible start of a value.
struct Candidate<'a> {
    text: &'a str,
    /// Whether it is in a list or map in brackets.
    is_in_brackets: bool,
}

fn hint_for_line(line: &str, before: Option<&str>) -> Option<String> {
    let mut candidates = candidates(line, before);
    let (value, special) = candidates.find_map(|value| {
        let special = meaning(value.text)?;
        Some((value, special))
    })?;
    Some(format!("{special} needs quotes: write {}", value.quoted()))
}

/// Every text on the line that could be the start of a value; the whole line, if the line before ends
/// with its key.
fn candidates<'a>(
    line: &'a str,
    before: Option<&str>,
) -> impl Iterator<Item = Candidate<'a>> + use<'a> {
    let line = line.trim_start();
    let is_value = before.is_some_and(|line| line.trim_end().ends_with(':'));
    let item = line.strip_prefix("- ").map(str::trim_start);
    let first = item.or(is_value.then_some(line));
    let later = line.char_indices().filter_map(move |(at, _)| {
        let rest = &line[at..];
        let is_quoted = ['"', '\'']
            .iter()
            .any(|it| line[..at].matches(*it).count() % 2 == 1);
        let separators = [": ", "[", ", ", "- "];
        if is_quoted {
            return None;
        }
        let value = separators.iter().find_map(|it| rest.strip_prefix(it))?;
        Some(value.trim_start())
    });
    first.into_iter().chain(later).map(move |text| Candidate {
        text,
        is_in_brackets: is_in_brackets(&line[..line.len() - text.len()]),
    })
}

fn is_in_brackets(before: &str) -> bool {
    let mut words = before
        .split([' ', ':'])
        .filter(|word| !word.starts_with("{{"));
    words.any(|word| word.starts_with(['[', '{']))
}

fn is_template(value: &str) -> bool {
    value.contains("{{") || value.contains("{%")
}

/// What is special about a value: it begins with a character that YAML reserves, or it is a template with
/// the end of a key or the start of a comment.
fn meaning(value: &str) -> Option<String> {
    let kind = match value.chars().next()? {
        '"' | '\'' | '|' | '>' => return None,
        _ if is_template(value) => "a template",
        '*' | '?' => "a pattern",
        '@' => "a user name",
        _ => "a value",
    };
    let first = match value.chars().next()? {
        '{' if kind == "a template" => "a brace",
        '[' if kind == "a template" => "a bracket",
        '@' => "@",
        '*' => "*",
        '!' => "!",
        '&' => "&",
        '`' => "a grave accent",
        '%' => "%",
        '?' => "?",
        _ if kind == "a template" && value.contains(": ") => {
            return Some("a template that contains a colon and a space".to_owned());
        }
        _ => return None,
    };
    Some(format!("{kind} that begins with {first}"))
}

impl Candidate<'_> {
    /// The value in quotes: the whole rest of the line for a template, else up to the end of the item.
    fn quoted(&self) -> String {
        if is_template(self.text) {
            return self.quoted_template();
        }
        let ends = [",", "]", "}", " #"];
        let ends = ends.iter().filter_map(|end| self.text.find(end));
        let end = ends.min().unwrap_or(self.text.len());
        let name: String = self.text[..end].trim_end().chars().take(LONGEST).collect();
        format!("\"{name}\"")
    }

    fn quoted_template(&self) -> String {
        let text = self.text.trim_end();
        if self.is_in_brackets {
            return "each template in quotes".to_owned();
        }
        if text.contains('\'') || text.contains(" #") || text.chars().count() > LONGEST {
            return "the text on the next lines, indented, after a |".to_owned();
        }
        format!("'{text}'")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_needs_quotes_is_shown_with_them() {
        for (line, expected) in [
            ("to: @alice", "write \"@alice\""),
            ("  - to: [author, @bob]", "write \"@bob\""),
            ("- {to: @alice, ref: main}", "write \"@alice\""),
            ("- @alice", "write \"@alice\""),
            ("ref: *-stable", "write \"*-stable\""),
            ("push: {{ actor }} pushed", "write '{{ actor }} pushed'"),
            ("push: {{ actor }}'s", "after a |"),
            (
                "push: *{{ status }}* {{ page }}",
                "a template that begins with * needs quotes: write '*{{ status }}* {{ page }}'",
            ),
            (
                "push: **{{ title }}** by {{ actor }}",
                "write '**{{ title }}** by {{ actor }}'",
            ),
            (
                "push: New: {{ title }}",
                "a template that contains a colon and a space needs quotes: write 'New: {{ title }}'",
            ),
            ("push:\n  {{ title }} x", "write '{{ title }} x'"),
            ("push:\n  *{{ title }}*", "write '*{{ title }}*'"),
            ("{push: {{ title }}}", "write each template in quotes"),
            ("to: @Ada Example", "write \"@Ada Example\""),
            ("to: @Ada Example # she", "write \"@Ada Example\""),
            (
                "- {to: [author, @Ada Example], ref: x}",
                "write \"@Ada Example\"",
            ),
            ("- ref: [main, *-stable]", "write \"*-stable\""),
        ] {
            let hint = hint(line, line.lines().count()).expect(line);
            assert!(hint.ends_with(expected), "{line}: {hint}");
        }
        for line in [
            "to: alice",
            "push: \"New: {{ title }}\" x",
            "push: a {{ title }}",
        ] {
            assert_eq!(hint(line, 1), None, "{line}");
        }
    }
}
