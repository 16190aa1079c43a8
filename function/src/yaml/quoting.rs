//! What an error in YAML adds about a value that needs quotes. Owns which characters have a meaning in
//! YAML that people do not expect in names, patterns and templates.

/// How to quote the value that begins with a special character on this line or, because the parser may
/// notice it later, on the line before.
pub(super) fn hint(text: &str, line: usize) -> Option<String> {
    let lines: Vec<_> = text.lines().take(line).collect();
    let mut nearest = lines.into_iter().rev().take(2);
    nearest.find_map(hint_for_line)
}

fn hint_for_line(line: &str) -> Option<String> {
    let (start, special) = values(line).find_map(|value| Some((value, meaning(value)?)))?;
    let quoted = quoted(start, line);
    Some(format!("{special} needs quotes: write {quoted}"))
}

/// Every text on the line that could be the start of a value.
fn values(line: &str) -> impl Iterator<Item = &str> {
    let line = line.trim_start();
    let first = line.strip_prefix("- ").map(str::trim_start);
    let separators = [": ", "[", ", ", "- "];
    let later = line.char_indices().filter_map(move |(at, _)| {
        let rest = &line[at..];
        let value = separators.iter().find_map(|it| rest.strip_prefix(it))?;
        Some(value.trim_start())
    });
    first.into_iter().chain(later)
}

/// What begins with a character that YAML reserves.
fn meaning(value: &str) -> Option<&'static str> {
    if value.starts_with("{{") || value.starts_with("{%") {
        return Some("a template that begins with a brace");
    }
    match value.chars().next()? {
        '@' => Some("a user name that begins with @"),
        '*' => Some("a pattern that begins with *"),
        '!' => Some("a value that begins with !"),
        '&' => Some("a value that begins with &"),
        '`' => Some("a value that begins with a grave accent"),
        '%' => Some("a value that begins with %"),
        '?' => Some("a pattern that begins with ?"),
        _ => None,
    }
}

/// The value in quotes: the whole rest of the line for a template, else up to the end of the item.
fn quoted(value: &str, line: &str) -> String {
    let is_template = value.starts_with('{');
    let ends_item = |char: char| matches!(char, ',' | ']' | '}' | ' ');
    let end = if is_template {
        None
    } else {
        value.find(ends_item)
    };
    let item = value[..end.unwrap_or(value.len())].trim_end();
    let is_in_list = line.contains('[') && is_template;
    if is_template && (is_in_list || item.contains('\'') || item.contains(" #")) {
        return "the text on the next lines, indented, after a |".to_owned();
    }
    let short: String = item.chars().take(60).collect();
    let quote = if is_template { '\'' } else { '"' };
    format!("{quote}{short}{quote}")
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
        ] {
            let hint = hint(line, 1).expect(line);
            assert!(hint.ends_with(expected), "{line}: {hint}");
        }
        assert_eq!(hint("to: alice", 1), None);
    }
}
