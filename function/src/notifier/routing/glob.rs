//! Patterns for names with slashes in them: projects, branches, people. Owns what `*`, `**` and `?`
//! stand for.

/// A pattern: `*` stands for anything but a slash, `**` for anything, `?` for one character that is
/// no slash.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Glob(Vec<Part>);

#[derive(Clone, Debug, Eq, PartialEq)]
enum Part {
    Char(char),
    One,
    Some,
    All,
}

impl Glob {
    /// Every text is a pattern.
    pub(super) fn new(text: &str) -> Self {
        let mut parts = Vec::new();
        for char in text.chars() {
            match (char, parts.last()) {
                ('*', Some(Part::Some | Part::All)) => {
                    parts.pop();
                    parts.push(Part::All);
                }
                ('*', _) => parts.push(Part::Some),
                ('?', _) => parts.push(Part::One),
                (char, _) => parts.push(Part::Char(char)),
            }
        }
        Self(parts)
    }

    /// Whether the pattern stands for the whole of `text`. Takes time in proportion to the product
    /// of both lengths at most.
    pub(super) fn matches(&self, text: &str) -> bool {
        // Which ends of the pattern's beginnings fit the text so far.
        let mut fits = vec![false; self.0.len() + 1];
        fits[0] = true;
        self.skip_stars(&mut fits);
        for char in text.chars() {
            let mut next = vec![false; fits.len()];
            for (at, part) in self.0.iter().enumerate() {
                let stays = match part {
                    Part::All => true,
                    Part::Some => char != '/',
                    Part::One | Part::Char(_) => false,
                };
                let moves = match part {
                    Part::Char(own) => *own == char,
                    Part::One => char != '/',
                    Part::Some | Part::All => false,
                };
                next[at] |= fits[at] && stays;
                next[at + 1] |= fits[at] && moves;
            }
            self.skip_stars(&mut next);
            fits = next;
        }
        fits.last() == Some(&true)
    }

    /// A star may stand for nothing.
    fn skip_stars(&self, fits: &mut [bool]) {
        for (at, part) in self.0.iter().enumerate() {
            fits[at + 1] |= fits[at] && matches!(part, Part::Some | Part::All);
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
    fn a_hostile_pattern_takes_no_time() {
        let pattern = "*a".repeat(100);
        assert!(!Glob::new(&pattern).matches(&"b".repeat(1000)));
    }
}
