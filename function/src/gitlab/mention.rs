//! Users whom a comment or a description mentions. Owns which `@name` is a mention: not in code, not in
//! an HTML comment, not the path of a subgroup. The text is scanned while it is parsed, and only the names
//! are kept.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::participants::Person;
use super::text::{deserialize_nullable, first_line};
use crate::limits::LIMITS;

/// A text in Markdown: its first line, and whom it mentions.
#[derive(Clone, Debug, Default)]
pub(super) struct Markdown {
    pub(super) line: Option<String>,
    pub(super) mentions: Vec<Person>,
}

impl Markdown {
    fn new(text: &str) -> Self {
        let line = first_line(text.trim());
        Self {
            line: (!line.is_empty()).then(|| line.to_owned()),
            mentions: mentions(text),
        }
    }

    /// A field that the message requires: a string or null.
    pub(super) fn strict<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize_nullable(deserializer, |text| {
            Ok(text.map(Self::new).unwrap_or_default())
        })
    }
}

impl<'de> Deserialize<'de> for Markdown {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MarkdownVisitor)
    }
}

/// A value that is no string counts as missing.
struct MarkdownVisitor;

impl<'de> Visitor<'de> for MarkdownVisitor {
    type Value = Markdown;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Markdown, E> {
        Ok(Markdown::default())
    }

    fn visit_bool<E>(self, _: bool) -> Result<Markdown, E> {
        Ok(Markdown::default())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Markdown, E> {
        Ok(Markdown::default())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Markdown, E> {
        Ok(Markdown::default())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Markdown, E> {
        Ok(Markdown::default())
    }

    fn visit_str<E>(self, text: &str) -> Result<Markdown, E> {
        Ok(Markdown::new(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Markdown, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Markdown::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Markdown, A::Error> {
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Markdown::default())
    }
}

/// Each mentioned user once, in the order of the text.
fn mentions(text: &str) -> Vec<Person> {
    let mut names: Vec<&str> = Vec::new();
    let mut at = if text.contains('@') { 0 } else { text.len() };
    while at < text.len() && names.len() < LIMITS.events.max_list_entries {
        let rest = &text[at..];
        let before = text[..at].chars().next_back().unwrap_or('\n');
        let Some(after) = rest.strip_prefix('@') else {
            at += match skipped(rest, before == '\n') {
                0 => uninteresting(rest),
                length => length,
            };
            continue;
        };
        let name = name(after);
        let is_mention = !is_part_of_a_word(before) && is_user(name, &after[name.len()..]);
        if is_mention && !names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            names.push(name);
        }
        at += 1 + name.len();
    }
    let people = names.into_iter().map(|name| Person {
        username: Some(name.to_owned()),
        ..Person::default()
    });
    people.collect()
}

/// The length of the first character and, unless a line begins after it, of everything up to the next
/// character that may begin a mention or something that is skipped.
fn uninteresting(text: &str) -> usize {
    if text.starts_with('\n') {
        return 1;
    }
    let is_special = |char: char| matches!(char, '@' | '`' | '<' | '\\' | '\n');
    let mut later = text.char_indices().skip(1);
    later
        .find(|(_, char)| is_special(*char))
        .map_or(text.len(), |(at, _)| at)
}

/// A longer run of grave accents delimits no code span, as in cmark. Each length costs one pass over a
/// text that has an unmatched run of it.
const LONGEST_DELIMITER: usize = 80;

/// The length of a block of code, of a code span, of an HTML comment or of an escaped character at the
/// start of the text; 0 if it starts with something else. A fence without an end reaches to the end of
/// the text; a code span without an end is only its grave accents.
fn skipped(text: &str, is_line_start: bool) -> usize {
    if let Some(comment) = text.strip_prefix("<!--") {
        return comment.find("-->").map_or(text.len(), |end| end + 7);
    }
    if text.starts_with("\\@") {
        return 2;
    }
    if is_line_start {
        let line = text.trim_start_matches(' ');
        let indent = text.len() - line.len();
        let fence = ['`', '~'].into_iter().find_map(|char| {
            let run = run_of(line, char);
            // The line of a fence of grave accents has no other ones; else it is a code span.
            let rest = line[run..].lines().next().unwrap_or_default();
            (run >= 3 && indent < 4 && !(char == '`' && rest.contains('`'))).then_some((char, run))
        });
        if let Some((char, run)) = fence {
            return indent + fenced(line, char, run);
        }
    }
    let run = run_of(text, '`');
    if run == 0 || run > LONGEST_DELIMITER {
        return run;
    }
    let mut at = run;
    while let Some(found) = text[at..].find('`') {
        let length = run_of(&text[at + found..], '`');
        at += found + length;
        if length == run {
            // A code span does not cross an empty line.
            let is_span = !["\n\n", "\r\n\r\n"]
                .iter()
                .any(|end| text[..at].contains(end));
            return if is_span { at } else { run };
        }
    }
    run
}

/// The length of the fenced block at the start of `text`.
fn fenced(text: &str, char: char, run: usize) -> usize {
    let mut at = 0;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        at += line.len();
        let line = line.trim();
        if index > 0 && run_of(line, char) >= run && line.chars().all(|other| other == char) {
            return at;
        }
    }
    text.len()
}

fn run_of(text: &str, char: char) -> usize {
    text.len() - text.trim_start_matches(char).len()
}

/// The longest name of a GitLab user at the start of the text; it does not end with a dot or a hyphen.
fn name(text: &str) -> &str {
    let is_part = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-' | '.');
    let end = text.find(|char| !is_part(char)).unwrap_or(text.len());
    text[..end].trim_end_matches(['.', '-'])
}

fn is_part_of_a_word(char: char) -> bool {
    char.is_alphanumeric() || matches!(char, '_' | '@' | '/')
}

/// Whether the name is that of a user: not a subgroup, not everybody, not longer than GitLab allows.
fn is_user(name: &str, rest: &str) -> bool {
    let is_subgroup = rest
        .strip_prefix('/')
        .is_some_and(|rest| !self::name(rest).is_empty());
    let is_start = !name.starts_with('-') && !name.is_empty();
    is_start && !is_subgroup && name != "all" && name.len() <= LIMITS.texts.path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_users_outside_of_code_are_mentioned() {
        for (text, expected) in [
            ("@kim", "kim"),
            ("ping @kim, @robin. (@lee)", "kim robin lee"),
            ("@kim and @Kim again", "kim"),
            ("kim@example.org", ""),
            ("@all @acme/engines @", ""),
            ("@kim/", "kim"),
            ("**@kim** says @robin's", "kim robin"),
            ("`@kim` ``a ` @lee`` @robin", "robin"),
            ("a ` alone @kim", "kim"),
            ("one ` tick\n\n@kim ` later", "kim"),
            ("one ` tick\r\n\r\n@kim ` later", "kim"),
            ("```ruby\n@kim\n```\n@robin", "robin"),
            ("~~~\n@kim\n```\n@lee\n~~~\n@robin", "robin"),
            ("```\n@kim", ""),
            ("text\n  ```\n  @kim\n  ```\n@robin", "robin"),
            ("<!-- @kim --> @robin", "robin"),
            ("\\@kim @robin", "robin"),
            ("über@kim é@lee 山 @robin", "robin"),
            ("@first.last- @x_y", "first.last x_y"),
        ] {
            let names = mentions(text).into_iter().filter_map(|it| it.username);
            assert_eq!(names.collect::<Vec<_>>().join(" "), expected, "{text}");
        }
    }

    #[test]
    fn few_names_of_a_long_text_are_kept() {
        let names: Vec<_> = (0..1000).map(|number| format!("@user{number}")).collect();
        let text = names.join(" ");
        assert_eq!(mentions(&text).len(), LIMITS.events.max_list_entries);
        assert!(mentions(&"`@a".repeat(20_000)).len() <= 1);
    }

    #[test]
    fn a_run_of_many_grave_accents_delimits_no_code() {
        for (length, expected) in [(LONGEST_DELIMITER, 0), (LONGEST_DELIMITER + 1, 1)] {
            let run = "`".repeat(length);
            assert_eq!(mentions(&format!("a {run} @kim {run}")).len(), expected);
        }
        // Each run is unmatched; without the limit, each would be searched for in all that follows.
        let runs: Vec<_> = (1..3000).map(|length| "`".repeat(length)).collect();
        assert_eq!(mentions(&format!("{} @kim", runs.join(" "))).len(), 1);
    }
}
