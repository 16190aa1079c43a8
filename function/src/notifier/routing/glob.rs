//! Glob patterns for names that may contain slashes: projects, branches, users. Owns what `*`, `**`
//! and `?` match.

/// A pattern: `*` matches any characters but a slash, `**` any characters, `?` one character other
/// than a slash. `**/` at the start or after a slash matches any directories, or none, as in GitLab's own
/// patterns.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Glob {
    /// The pattern as it is written.
    text: Box<str>,
    /// The pattern that is compared.
    pattern: Box<str>,
    /// Its bytes before the first wildcard and after the last one, which are compared first: usual
    /// names differ there. The slash of `**/` belongs to the wildcard if it may match nothing. `None` for a
    /// pattern without wildcards.
    ends: Option<(usize, usize)>,
    /// The parts between them.
    parts: Vec<Part>,
    /// Whether the pattern is in lower case and matches texts in any.
    ignores_case: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Part {
    Literal(char),
    AnyChar,
    AnyInSegment,
    Any,
    /// The next part may match nothing. It stands before [`Part::Directories`] only.
    Optional,
    /// Any characters that end with a slash.
    Directories,
}

impl Glob {
    /// Compiles a pattern; every text is a valid one.
    pub(super) fn new(text: &str) -> Self {
        let mut parts = parts(text);
        let is_literal = |part: &&Part| matches!(part, Part::Literal(_));
        let suffix = parts.iter().rev().take_while(is_literal).count();
        let first = text.find(['*', '?']);
        let ends = first.map(|prefix| {
            let suffix = text.chars().rev().take(suffix);
            (prefix, suffix.map(char::len_utf8).sum())
        });
        parts.truncate(parts.len() - suffix);
        let prefix = parts.iter().take_while(is_literal).count();
        parts.drain(..prefix);
        Self {
            text: text.into(),
            pattern: text.into(),
            ends,
            parts,
            ignores_case: false,
        }
    }

    /// The same, and matches texts in upper and lower case.
    pub(super) fn ignoring_case(text: &str) -> Self {
        Self {
            ignores_case: true,
            ..Self::new(&text.to_lowercase()).written_as(text)
        }
    }

    /// The same pattern, which is written as `text`.
    pub(super) fn written_as(self, text: &str) -> Self {
        Self {
            text: text.into(),
            ..self
        }
    }

    /// The pattern as it is written.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether the pattern matches the whole of `text`.
    pub(super) fn matches(&self, text: &str) -> bool {
        let mut unlimited = usize::MAX;
        self.matches_within(text, &mut unlimited) == Some(true)
    }

    /// The same, and takes as many steps from `steps` as the comparison needs: one, and if both ends match,
    /// at most the product of both lengths. `None` if there are not as many; then there are none left.
    pub(super) fn matches_within(&self, text: &str, steps: &mut usize) -> Option<bool> {
        take(steps, 1)?;
        let lower = self.ignores_case.then(|| text.to_lowercase());
        let text = lower.as_deref().unwrap_or(text);
        let pattern = &*self.pattern;
        let Some((prefix, suffix)) = self.ends else {
            return Some(pattern == text);
        };
        let Some(middle) = text
            .strip_prefix(&pattern[..prefix])
            .and_then(|rest| rest.strip_suffix(&pattern[pattern.len() - suffix..]))
        else {
            return Some(false);
        };
        match self.parts[..] {
            [Part::Any] | [Part::Optional, Part::Directories, Part::AnyInSegment] => Some(true),
            [Part::AnyInSegment] => Some(!middle.contains('/')),
            [Part::Optional, Part::Directories] => Some(middle.is_empty() || middle.ends_with('/')),
            _ => {
                take(steps, middle.len() * self.parts.len())?;
                Some(accept(&self.parts, middle.chars().map(Part::Literal)))
            }
        }
    }

    /// Whether the pattern certainly matches every text that `narrow` matches, if both ignore the case or
    /// neither does. It may be false for a
    /// pair of patterns of which this is true only for all their stars together.
    pub(super) fn covers(&self, narrow: &Self) -> bool {
        accept(&parts(&self.pattern), parts(&narrow.pattern).into_iter())
    }
}

/// Whether the parts of a pattern match a text, which is a pattern of literals, or everything that
/// another pattern matches. A star of the other pattern is accepted by a star alone, which stays at its
/// place whatever text the other star matches.
fn accept(parts: &[Part], others: impl Iterator<Item = Part>) -> bool {
    // `matched[n]`: whether the first `n` parts match everything that was read so far.
    let mut matched = vec![false; parts.len() + 1];
    matched[0] = true;
    skip(parts, &mut matched);
    let mut next = matched.clone();
    for other in others {
        match other {
            Part::Optional => {}
            Part::Directories => {
                let without = matched.clone();
                step(parts, &mut matched, &mut next, Part::Any);
                step(parts, &mut matched, &mut next, Part::Literal('/'));
                let both = matched.iter_mut().zip(without);
                both.for_each(|(with, without)| *with &= without);
            }
            other => step(parts, &mut matched, &mut next, other),
        }
        if !matched.contains(&true) {
            return false;
        }
    }
    matched.last() == Some(&true)
}

/// Reads one part more; `next` is overwritten.
fn step(parts: &[Part], matched: &mut Vec<bool>, next: &mut Vec<bool>, other: Part) {
    next.fill(false);
    for (at, part) in parts.iter().enumerate() {
        next[at] |= matched[at] && part.absorbs(other);
        next[at + 1] |= matched[at] && part.equals(other);
    }
    skip(parts, next);
    std::mem::swap(matched, next);
}

/// Lets each star and each optional part match the empty string.
fn skip(parts: &[Part], matched: &mut [bool]) {
    for (at, part) in parts.iter().enumerate() {
        let is_empty = matches!(part, Part::AnyInSegment | Part::Any | Part::Optional);
        matched[at + 1] |= matched[at] && is_empty;
        if *part == Part::Optional {
            matched[at + 2] |= matched[at];
        }
    }
}

fn parts(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    for char in text.chars() {
        match (char, &parts[..]) {
            ('*', [.., Part::AnyInSegment | Part::Any]) => {
                parts.pop();
                parts.push(Part::Any);
            }
            // The directories before it match these too.
            ('/', [.., Part::Directories, Part::Any]) => {
                parts.pop();
            }
            ('/', [Part::Any] | [.., Part::Literal('/'), Part::Any]) => {
                parts.pop();
                parts.extend([Part::Optional, Part::Directories]);
            }
            ('*', _) => parts.push(Part::AnyInSegment),
            ('?', _) => parts.push(Part::AnyChar),
            (char, _) => parts.push(Part::Literal(char)),
        }
    }
    parts
}

/// Takes a number of steps, or all that are left and returns `None`.
fn take(steps: &mut usize, needed: usize) -> Option<()> {
    let left = steps.checked_sub(needed);
    *steps = left.unwrap_or_default();
    left.map(drop)
}

impl Part {
    /// Whether this matches any number of what the other part matches.
    fn absorbs(self, other: Self) -> bool {
        match self {
            Self::Any | Self::Directories => true,
            Self::AnyInSegment => !matches!(other, Self::Any | Self::Literal('/')),
            Self::AnyChar | Self::Literal(_) | Self::Optional => false,
        }
    }

    /// Whether this ends with one character, and with every one that the other part matches.
    fn equals(self, other: Self) -> bool {
        match (self, other) {
            (Self::Literal(one), Self::Literal(other)) => one == other,
            (Self::AnyChar, Self::Literal(other)) => other != '/',
            (Self::AnyChar, Self::AnyChar) | (Self::Directories, Self::Literal('/')) => true,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stops_at_a_slash_and_two_do_not() {
        let cases = [
            ("main", "main", true),
            ("main", "main2", false),
            ("release-*", "release-2", true),
            ("release-*", "release-2/x", false),
            ("release-**", "release-2/x", true),
            ("acme/*", "acme/rocket", true),
            ("acme/*", "acme/engines/valve", false),
            ("acme/**", "acme/engines/valve", true),
            ("**/valve", "acme/engines/valve", true),
            ("*", "", true),
            ("?", "", false),
            ("v?", "v1", true),
            ("v?", "v/", false),
            ("***", "a/b", true),
            ("ü*", "über", true),
            ("ab*ba", "aba", false),
            ("ab*ba", "abba", true),
            ("**/*.md", "docs/a/b.md", true),
            ("**/*.md", "b.md", true),
            ("**/*.md", "b.md/", false),
            ("**/b", "b", true),
            ("**/b", "ab", false),
            ("**/b", "a/ab", false),
            ("src/**/*.rs", "src/a.rs", true),
            ("src/**/*.rs", "src/a/b/c.rs", true),
            ("src/**/*.rs", "srca.rs", false),
            ("src/**/ü", "src/ü", true),
            ("src**/a", "src", false),
            ("src**/a", "srca", false),
            ("src**/a", "src/b/a", true),
            ("**/**/a", "a", true),
            ("**/**", "a/b", true),
            ("a/**", "a", false),
            ("a/**/b/**/c?", "a/b/cc", true),
            ("*.?d", "b.md", true),
            ("a/*/z?", "a/b/c/zz", false),
            ("a/**/z?", "a/b/c/zz", true),
            ("?", "a", true),
            ("", "", true),
            ("", "a", false),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(
                Glob::new(pattern).matches(text),
                expected,
                "{pattern} {text}"
            );
        }
    }

    #[test]
    fn a_pattern_covers_what_is_surely_narrower() {
        let cases = [
            ("acme/**", "acme/rocket", true),
            ("acme/**", "acme/*", true),
            ("acme/**", "acme/engines/*-valve?", true),
            ("acme/*", "acme/**", false),
            ("acme/*", "acme/engines/valve", false),
            ("*", "main", true),
            ("*", "release/2", false),
            ("**", "release/2", true),
            ("**", "", true),
            ("v?", "v1", true),
            ("v?", "v*", false),
            ("v*", "v?", true),
            ("v*", "v*-rc*", true),
            ("*-rc*", "v*-rc?", true),
            ("a*", "*", false),
            ("main", "main", true),
            ("main", "m*", false),
            ("?", "/", false),
            ("**/b", "b", true),
            ("**/b", "**/b", true),
            ("**/b", "a/**/b", true),
            ("**/*.rs", "src/**/*.rs", true),
            ("**/*.rs", "*.rs", true),
            ("src/**", "src/**/*.rs", true),
            ("a/**/b", "a/*/b", true),
            ("a/*/b", "a/**/b", false),
            ("a/b", "a/**/b", false),
            ("**", "**/**", true),
            ("**/**", "**", true),
        ];
        for (wide, narrow, expected) in cases {
            let covers = Glob::new(wide).covers(&Glob::new(narrow));
            assert_eq!(covers, expected, "{wide} {narrow}");
        }
    }

    /// Every text of some of these parts, up to three.
    fn combined(parts: &[&str]) -> Vec<String> {
        let mut texts = vec![String::new()];
        let mut last = texts.clone();
        for _ in 0..3 {
            let mut longer = Vec::new();
            for text in &last {
                longer.extend(parts.iter().map(|part| format!("{text}{part}")));
            }
            last = longer;
            texts.extend_from_slice(&last);
        }
        texts.sort();
        texts.dedup();
        texts
    }

    /// What a pattern matches, as it is documented: slow, and without any of the shortcuts.
    fn matches_slowly(pattern: &[u8], text: &[u8], begins_segment: bool) -> bool {
        let ends = 0..=text.len();
        match pattern {
            [] => text.is_empty(),
            [b'*', b'*', b'*', ..] => matches_slowly(&pattern[1..], text, begins_segment),
            [b'*', b'*', b'/', rest @ ..] if begins_segment => {
                let mut ends = ends.filter(|end| *end == 0 || text[end - 1] == b'/');
                ends.any(|end| matches_slowly(rest, &text[end..], true))
            }
            [b'*', b'*', rest @ ..] => {
                let mut ends = ends;
                ends.any(|end| matches_slowly(rest, &text[end..], false))
            }
            [b'*', rest @ ..] => {
                let mut ends = ends.take_while(|end| *end == 0 || text[end - 1] != b'/');
                ends.any(|end| matches_slowly(rest, &text[end..], false))
            }
            [char, rest @ ..] => text.split_first().is_some_and(|(found, text)| {
                let is_equal = char == found || (*char == b'?' && *found != b'/');
                is_equal && matches_slowly(rest, text, *char == b'/')
            }),
        }
    }

    #[test]
    fn every_short_pattern_matches_and_covers_what_is_documented() {
        let texts = combined(&["a", "b", "/", "a/", "/b", "ab/"]);
        let patterns = combined(&["a", "/", "?", "*", "**", "**/", "/**/"]);
        let all: Vec<_> = patterns
            .iter()
            .map(|pattern| {
                let glob = Glob::new(pattern);
                let found: Vec<_> = texts.iter().map(|text| glob.matches(text)).collect();
                for (text, found) in texts.iter().zip(&found) {
                    let expected = matches_slowly(pattern.as_bytes(), text.as_bytes(), true);
                    assert_eq!(*found, expected, "{pattern} {text}");
                }
                (glob, found)
            })
            .collect();
        for (wide, of_wide) in &all {
            for (narrow, of_narrow) in &all {
                if wide.covers(narrow) {
                    let mut both = of_wide.iter().zip(of_narrow);
                    let is_wider = both.all(|(wide, narrow)| wide >= narrow);
                    assert!(is_wider, "{} {}", wide.text(), narrow.text());
                }
            }
        }
    }

    #[test]
    fn a_hostile_pattern_is_matched_in_bounded_time() {
        let pattern = "*a".repeat(100);
        assert!(!Glob::new(&pattern).matches(&"b".repeat(1000)));
    }
}
