//! Finds mentions in a text as the server does.
//! It searches the raw text: a name in a code span or a link counts too, and whether the name exists is checked only afterwards.

/// Every `@name` and `#channel` at the start of a line, after white space or after `>`, in order of appearance.
pub(super) fn mentions(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut before = None;
    for (at, character) in text.char_indices() {
        if matches!(character, '@' | '#') && can_start_mention(before) {
            let rest = &text[at + 1..];
            let name = name(rest);
            if !name.is_empty() {
                found.push(format!("{character}{name}"));
            }
        }
        before = Some(character);
    }
    found
}

/// JavaScript treats the byte order mark as white space, Rust does not.
fn can_start_mention(before: Option<char>) -> bool {
    before.is_none_or(|before| before.is_whitespace() || before == '>' || before == '\u{feff}')
}

/// The longest prefix of characters that a name may have.
fn name(rest: &str) -> &str {
    let end = rest.find(|next: char| !(next.is_ascii_alphanumeric() || "-_.".contains(next)));
    &rest[..end.unwrap_or(rest.len())]
}

#[cfg(test)]
mod tests {
    use super::mentions;

    #[test]
    fn names_are_found_where_the_server_looks_for_them() {
        let cases: [(&str, &str, &[&str]); 13] = [
            ("none", "pushed 3f2c9d7b to main", &[]),
            ("at the start", "@alice look", &["@alice"]),
            ("after a space", "hello @alice", &["@alice"]),
            ("after a line break", "hello\n@alice", &["@alice"]),
            ("after a quote sign", ">@alice", &["@alice"]),
            ("a group", "look @all and @here", &["@all", "@here"]),
            ("a channel", "see #general", &["#general"]),
            ("in code after a space", "`see @alice`", &["@alice"]),
            ("right after a backtick", "`@alice`", &[]),
            ("in an address", "robin@example.org", &[]),
            ("broken by a zero-width space", "@\u{200b}alice", &[]),
            ("after a no-break space", "a\u{a0}@alice", &["@alice"]),
            ("a lone sign", "@ # @", &[]),
        ];

        for (case, text, expected) in cases {
            assert_eq!(mentions(text), expected, "{case}");
        }
    }
}
