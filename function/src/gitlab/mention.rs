//! Users whom a comment or a description mentions. Owns which `@name` is the name of a user: not after a
//! letter, not in an address, not the path of a subgroup. Which parts of a text can have one is in
//! [`markdown_text`]. The text is read while it is parsed, and only the names are kept.
//!
//! GitLab's source is the authority: `User.reference_pattern` and `lib/gitlab/path_regex.rb`.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::json;
use super::markdown_line::shown_line;
use super::markdown_text::{self, Part};
use super::participants::{Mentions, Person};
use super::text::deserialize_nullable;
use crate::limits::LIMITS;

/// A text in Markdown: its first line, and whom it mentions.
#[derive(Clone, Debug, Default)]
pub(super) struct Markdown {
    pub(super) line: Option<String>,
    pub(super) mentions: Mentions,
}

impl Markdown {
    fn new(text: &str) -> Self {
        let line = shown_line(text);
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
fn mentions(text: &str) -> Mentions {
    let (text, is_cut) = match text.strip_suffix(json::CUT) {
        // Its last word may be half a name.
        Some(start) => (
            start.trim_end_matches(|char: char| !char.is_whitespace()),
            true,
        ),
        None => (text, false),
    };
    let mut found = Found::default();
    let is_read = !text.contains('@') || markdown_text::read(text, |part| found.read(part));
    let left_out = found.distinct.len() - found.names.len();
    let people = found.names.into_iter().map(|name| Person {
        username: Some(name),
        ..Person::default()
    });
    Mentions {
        people: people.collect(),
        left_out,
        is_complete: is_read && !is_cut,
    }
}

/// The names that were found.
#[derive(Default)]
struct Found {
    /// The first ones.
    names: Vec<String>,
    /// All, in lower case.
    distinct: HashSet<String>,
}

impl Found {
    fn read(&mut self, part: Part) {
        match part {
            Part::Text(text) => text
                .split_whitespace()
                .for_each(|word| self.read_word(word)),
            Part::Destination(link) => {
                let name = link.strip_prefix('@').unwrap_or_default();
                if self::name(name) == name && is_user(name, "") {
                    self.add(name);
                }
            }
        }
    }

    fn read_word(&mut self, word: &str) {
        let word = &word[..start_of_address(word)];
        for (at, sign) in word.match_indices('@') {
            let is_inside_a_word = word[..at].ends_with(is_part_of_a_word);
            let after = &word[at + sign.len()..];
            let name = name(after);
            if !is_inside_a_word && is_user(name, &after[name.len()..]) {
                self.add(name);
            }
        }
    }

    fn add(&mut self, name: &str) {
        let is_new = self.distinct.insert(name.to_ascii_lowercase());
        if is_new && self.names.len() < LIMITS.events.max_list_entries {
            self.names.push(name.to_owned());
        }
    }
}

/// Where an address such as `https://example.org/@kim` begins in a word, which GitLab makes a link; the
/// length of the word if there is none.
fn start_of_address(word: &str) -> usize {
    let scheme = word.find("://");
    let host = word.find("www.").filter(|at| {
        let before = &word[..*at];
        !before.ends_with(|char| char == '@' || is_part_of_a_word(char))
    });
    scheme.or(host).unwrap_or(word.len())
}

/// The longest name of a GitLab user or group at the start of the text. It does not end with a dot.
fn name(text: &str) -> &str {
    let is_part = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-' | '.');
    let end = text.find(|char| !is_part(char)).unwrap_or(text.len());
    text[..end].trim_end_matches('.')
}

/// A letter, in the sense of GitLab's pattern: only those of ASCII.
fn is_part_of_a_word(char: char) -> bool {
    char.is_ascii_alphanumeric() || char == '_'
}

/// Whether the name is that of a user: not a subgroup, not everybody, not longer than GitLab allows.
fn is_user(name: &str, rest: &str) -> bool {
    let is_subgroup = rest
        .strip_prefix('/')
        .is_some_and(|rest| !self::name(rest).is_empty());
    let is_start = !name.starts_with('-') && !name.is_empty();
    let is_all = name.eq_ignore_ascii_case("all");
    is_start && !is_subgroup && !is_all && name.len() <= LIMITS.texts.path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> String {
        let names = mentions(text).people.into_iter();
        let names: Vec<_> = names.filter_map(|it| it.username).collect();
        names.join(" ")
    }

    #[test]
    fn a_name_is_a_mention_as_in_gitlab() {
        for (text, expected) in [
            ("@kim", "kim"),
            ("ping @kim, @robin. (@lee)", "kim robin lee"),
            ("@kim and @Kim again", "kim"),
            ("kim@example.org mailto:kim@example.org _@lee", ""),
            ("@all @All @acme/engines @a/b/c @ @. @-kim", ""),
            ("@kim/ @robin/@lee", "kim robin lee"),
            ("**@kim** says @robin's _@lee_", "kim robin lee"),
            ("über@kim é@lee 山@robin @@ada", "lee robin ada"),
            (
                "@first.last.. @x_y @_z @.w @kim-",
                "first.last x_y _z .w kim-",
            ),
            (
                "https://example.org/@kim (@lee:www.example.org/@robin)",
                "lee",
            ),
            ("@www.kim", "www.kim"),
            ("@kim\n\n@robin", "kim robin"),
        ] {
            assert_eq!(names(text), expected, "{text}");
        }
    }

    #[test]
    fn code_in_quotes_lists_and_html_mentions_nobody() {
        for (text, expected) in [
            ("`@kim` ``a ` @lee`` @robin", "robin"),
            ("a ` alone @kim", "kim"),
            ("one ` tick\n\n@kim ` later", "kim"),
            ("one ` tick\r\n\r\n@kim ` later", "kim"),
            ("```ruby\n@kim\n```\n@robin", "robin"),
            ("~~~\n@kim\n```\n@lee\n~~~\n@robin", "robin"),
            ("```\n@kim", ""),
            ("text\n  ```\n  @kim\n  ```\n@robin", "robin"),
            ("- ```\n  @kim\n  ```\n\n  @robin", "robin"),
            ("- ```\n@robin", "robin"),
            ("> ```\n> @kim\n> ```\n@robin", "robin"),
            ("> ```\n\n@robin", "robin"),
            ("1. > ~~~\n   > @kim\n\n@robin", "robin"),
            ("text\n\n    @kim\n\n@robin", "robin"),
            ("text\n    @kim", "kim"),
            ("-     @kim\n- @robin", "robin"),
            ("| a | b |\n|---|---|\n| `@kim` | @robin |", "robin"),
            ("<code>@kim</code> @robin", "robin"),
            ("<CODE class=\"a>b\">@kim</CODE> @robin", "robin"),
            ("<pre>\n\n@kim\n\n</pre>\n@robin", "robin"),
            ("<pre><code>\n@kim\n</code></pre>\n@robin", "robin"),
            ("<code>\n\n@kim\n\n</code>\n\n@robin", "robin"),
            ("*a <code> b* @robin", "robin"),
            (
                "<details><summary>@kim</summary>\n\n@robin\n</details>",
                "kim robin",
            ),
            ("<div title='@lee'>@kim</div>\n\n@robin", "kim robin"),
            ("<!-- @kim --> @robin", "robin"),
            ("a <!-- @kim --> @robin", "robin"),
            ("<!--\n\n@kim\n\n-->\n@robin", "robin"),
            ("</code> @kim 1 < 2 @lee <3 @robin", "kim lee robin"),
        ] {
            assert_eq!(names(text), expected, "{text}");
        }
    }

    #[test]
    fn an_escaped_sign_is_none_and_an_escaped_backslash_changes_nothing() {
        for (text, expected) in [
            ("\\@kim @robin", "robin"),
            ("\\\\@kim \\\\\\@robin", "kim"),
            ("a\\\n@kim", "kim"),
            ("first\\_@kim", "kim"),
            ("`\\`@kim", "kim"),
        ] {
            assert_eq!(names(text), expected, "{text}");
        }
    }

    #[test]
    fn a_link_mentions_only_the_name_that_it_leads_to() {
        for (text, expected) in [
            ("[@kim](https://example.org) @robin", "robin"),
            (
                "[Kim](@kim) [x](@robin/y) [y](@lee?) <https://example.org/@ada>",
                "kim",
            ),
            ("![@kim](x.png) @robin", "robin"),
            ("<a href=\"@lee\">@kim</a> @robin", "robin"),
            ("<a name=\"top\">\n\n@robin", "robin"),
            ("[a]: https://example.org/ '@kim'\n\n[a] @robin", "robin"),
            ("a[^1]\n\n[^1]: @kim", "kim"),
        ] {
            assert_eq!(names(text), expected, "{text}");
        }
    }

    #[test]
    fn names_beyond_the_limit_are_counted_once_each() {
        let limit = LIMITS.events.max_list_entries;
        let many: Vec<_> = (0..limit + 7)
            .map(|it| format!("@user{it} @User{it}"))
            .collect();
        let found = mentions(&many.join(" "));
        assert_eq!((found.people.len(), found.left_out), (limit, 7));
        assert!(found.is_complete);
    }

    #[test]
    fn a_text_that_is_not_read_to_its_end_is_incomplete() {
        let cut = format!("@kim @rob{}", json::CUT);
        assert!(!mentions(&cut).is_complete);
        assert_eq!(names(&cut), "kim");
        let depth = LIMITS.events.max_markdown_depth;
        for (marker, count, expected) in [
            (">", depth, true),
            (">", depth + 1, false),
            ("- ", depth + 1, false),
            ("1. ", depth + 1, false),
            ("-", depth + 1, true),
        ] {
            let text = format!("@kim\n\n{}\n\n@robin", marker.repeat(count));
            assert_eq!(mentions(&text).is_complete, expected, "{marker} {count}");
            assert!(names(&text).starts_with("kim"), "{marker} {count}");
        }
    }
}
