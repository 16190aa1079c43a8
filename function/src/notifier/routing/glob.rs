//! Glob patterns for names that may contain slashes: projects, branches, users. Owns what `*`, `**`
//! and `?` match.

/// A pattern: `*` matches any characters but a slash, `**` any characters, `?` one character other
/// than a slash.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Glob {
    /// The pattern as it is written.
    text: Box<str>,
    /// The pattern that is compared.
    pattern: Box<str>,
    /// Its bytes before the first wildcard and after the last one, which are compared first: usual
    /// names differ there. `None` for a pattern without wildcards.
    ends: Option<(usize, usize)>,
    /// The parts between them.
    parts: Vec<Part>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Part {
    Literal(char),
    AnyChar,
    AnyInSegment,
    Any,
}

impl Glob {
    /// Compiles a pattern; every text is a valid one.
    pub(super) fn new(text: &str) -> Self {
        let is_wildcard = |char| matches!(char, '*' | '?');
        let first = text.find(is_wildcard);
        let last = text.rfind(is_wildcard);
        let ends = first
            .zip(last)
            .map(|(first, last)| (first, text.len() - last - 1));
        let middle = ends.map_or("", |(prefix, suffix)| &text[prefix..text.len() - suffix]);
        Self {
            text: text.into(),
            pattern: text.into(),
            ends,
            parts: parts(middle),
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
            [Part::Any] => Some(true),
            [Part::AnyInSegment] => Some(!middle.contains('/')),
            _ => {
                take(steps, middle.len() * self.parts.len())?;
                Some(accept(&self.parts, middle.chars().map(Part::Literal)))
            }
        }
    }

    /// Whether the pattern certainly matches every text that `narrow` matches. It may be false for a
    /// pair of patterns of which this is true only for all their stars together.
    pub(super) fn covers(&self, narrow: &Self) -> bool {
        accept(&parts(&self.pattern), parts(&narrow.pattern).into_iter())
    }
}

/// Whether the parts of a pattern match a text, which is a pattern of literals, or everything that
/// another pattern matches. A star of the other pattern is accepted by a star alone, which stays at its
/// place whatever text the other star matches.
fn accept(parts: &[Part], others: impl Iterator<Item = Part>) -> bool {
    // `matched[n]`: whether the first `n` parts match what was read so far.
    let mut matched = vec![false; parts.len() + 1];
    matched[0] = true;
    skip_stars(parts, &mut matched);
    let mut next = matched.clone();
    for other in others {
        next.fill(false);
        for (at, part) in parts.iter().enumerate() {
            next[at] |= matched[at] && part.absorbs(other);
            next[at + 1] |= matched[at] && part.equals(other);
        }
        skip_stars(parts, &mut next);
        std::mem::swap(&mut matched, &mut next);
        if !matched.contains(&true) {
            return false;
        }
    }
    matched.last() == Some(&true)
}

/// Lets each star match the empty string.
fn skip_stars(parts: &[Part], matched: &mut [bool]) {
    for (at, part) in parts.iter().enumerate() {
        matched[at + 1] |= matched[at] && matches!(part, Part::AnyInSegment | Part::Any);
    }
}

fn parts(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    for char in text.chars() {
        match (char, parts.last()) {
            ('*', Some(Part::AnyInSegment | Part::Any)) => {
                parts.pop();
                parts.push(Part::Any);
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
    /// Whether this is a star that matches everything that the other part matches.
    fn absorbs(self, other: Self) -> bool {
        match self {
            Self::Any => true,
            Self::AnyInSegment => !matches!(other, Self::Any | Self::Literal('/')),
            Self::AnyChar | Self::Literal(_) => false,
        }
    }

    /// Whether this matches one character, and every one that the other part matches.
    fn equals(self, other: Self) -> bool {
        match (self, other) {
            (Self::Literal(one), Self::Literal(other)) => one == other,
            (Self::AnyChar, Self::Literal(other)) => other != '/',
            (Self::AnyChar, Self::AnyChar) => true,
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
            ("**/*.md", "b.md", false),
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
        ];
        for (wide, narrow, expected) in cases {
            let covers = Glob::new(wide).covers(&Glob::new(narrow));
            assert_eq!(covers, expected, "{wide} {narrow}");
        }
    }

    #[test]
    fn a_hostile_pattern_is_matched_in_bounded_time() {
        let pattern = "*a".repeat(100);
        assert!(!Glob::new(&pattern).matches(&"b".repeat(1000)));
    }
}
