//! Glob patterns for names that may contain slashes: projects, branches, users. Owns what `*`, `**`
//! and `?` match.

/// A pattern: `*` matches any characters but a slash, `**` any characters, `?` one character other
/// than a slash.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Glob {
    text: Box<str>,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Part {
    Literal(char),
    AnyChar,
    AnyInSegment,
    Any,
}

impl Glob {
    /// Compiles a pattern; every text is a valid one.
    pub(super) fn new(text: &str) -> Self {
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
        Self {
            text: text.into(),
            parts,
        }
    }

    /// The pattern as it is written.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether the pattern matches the whole of `text`, in time proportional to the product of both
    /// lengths at most.
    pub(super) fn matches(&self, text: &str) -> bool {
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
            // Usual names differ in their first characters.
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
