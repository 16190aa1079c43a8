//! Glob patterns for names that may contain slashes: projects, branches, users. Owns what `*`, `**`
//! and `?` match.

/// A pattern: `*` matches any characters but a slash, `**` any characters, `?` one character other
/// than a slash.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Glob {
    text: Box<str>,
    /// The bytes of the pattern before its first wildcard and after its last one, which are compared
    /// first: usual names differ there. `None` for a pattern without wildcards.
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
            ends,
            parts: parts(middle),
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
        let Some((prefix, suffix)) = self.ends else {
            return Some(*self.text == *text);
        };
        let (prefix, suffix) = (&self.text[..prefix], &self.text[self.text.len() - suffix..]);
        let Some(middle) = text
            .strip_prefix(prefix)
            .and_then(|rest| rest.strip_suffix(suffix))
        else {
            return Some(false);
        };
        match self.parts[..] {
            [Part::Any] => Some(true),
            [Part::AnyInSegment] => Some(!middle.contains('/')),
            _ => {
                take(steps, middle.len() * self.parts.len())?;
                Some(self.matches_middle(middle))
            }
        }
    }

    fn matches_middle(&self, text: &str) -> bool {
        // `matched[n]`: whether the first `n` parts of the pattern match the text so far.
        let mut matched = vec![false; self.parts.len() + 1];
        matched[0] = true;
        self.skip_stars(&mut matched);
        let mut next = matched.clone();
        for char in text.chars() {
            next.fill(false);
            for (at, part) in self.parts.iter().enumerate() {
                let stays = match part {
                    Part::Any => true,
                    Part::AnyInSegment => char != '/',
                    Part::AnyChar | Part::Literal(_) => false,
                };
                let moves = match part {
                    Part::Literal(expected) => *expected == char,
                    Part::AnyChar => char != '/',
                    Part::AnyInSegment | Part::Any => false,
                };
                next[at] |= matched[at] && stays;
                next[at + 1] |= matched[at] && moves;
            }
            self.skip_stars(&mut next);
            std::mem::swap(&mut matched, &mut next);
            if !matched.contains(&true) {
                return false;
            }
        }
        matched.last() == Some(&true)
    }

    /// Lets each star match the empty string.
    fn skip_stars(&self, matched: &mut [bool]) {
        for (at, part) in self.parts.iter().enumerate() {
            matched[at + 1] |= matched[at] && matches!(part, Part::AnyInSegment | Part::Any);
        }
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
    fn a_hostile_pattern_is_matched_in_bounded_time() {
        let pattern = "*a".repeat(100);
        assert!(!Glob::new(&pattern).matches(&"b".repeat(1000)));
    }
}
