//! The search for changed paths that rules ask for. Owns that the paths of an event are parsed once for all
//! rules, and the limit of all comparisons together. What a pattern matches is in `glob`.

use super::glob::Glob;
use crate::gitlab::attributes::EventAttributes;
use crate::gitlab::changed_paths::{ChangedPaths, Paths};
use crate::limits::LIMITS;

/// The changed paths of one event.
pub(super) struct PathSearch<'a> {
    changed: Option<&'a ChangedPaths>,
    /// Parsed by the first rule that asks for a path.
    paths: Option<Paths>,
    /// Steps that are left for the following rules.
    steps: usize,
}

impl<'a> PathSearch<'a> {
    pub(super) fn new(event: &'a EventAttributes) -> Self {
        Self {
            changed: event.changed_paths.as_ref(),
            paths: None,
            steps: LIMITS.routing.max_path_steps,
        }
    }

    /// Whether a changed path matches one of the patterns; `None` if none is found, and there may be others.
    pub(super) fn any(&mut self, globs: &[Glob]) -> Option<bool> {
        let changed = self.changed?;
        let paths = self.paths.get_or_insert_with(|| changed.paths());
        for path in &paths.list {
            for glob in globs {
                if glob.matches_within(path, &mut self.steps)? {
                    return Some(true);
                }
            }
        }
        paths.is_complete.then_some(false)
    }

    /// Why a rule matches although the last search found no path.
    pub(super) fn remark(&self) -> &'static str {
        if self.steps == 0 {
            "matches, because comparing all paths of the push with all rules would take too long"
        } else if self.changed.is_some_and(ChangedPaths::has_more_commits) {
            "matches, because the push has more commits than GitLab lists"
        } else {
            "matches, because the push changes more files than webhook-app keeps of one event"
        }
    }

    /// The steps that all searches took.
    #[cfg(test)]
    fn steps_taken(&self) -> usize {
        LIMITS.routing.max_path_steps - self.steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(paths: &[String]) -> EventAttributes {
        EventAttributes {
            changed_paths: Some(ChangedPaths::listed(paths)),
            ..EventAttributes::default()
        }
    }

    fn globs(patterns: &[&str]) -> Vec<Glob> {
        patterns.iter().map(|pattern| Glob::new(pattern)).collect()
    }

    #[test]
    fn a_path_that_cannot_match_costs_one_step_per_pattern() {
        let paths: Vec<_> = (0..500)
            .map(|number| format!("src/module/{number}.rs"))
            .collect();
        let event = push(&paths);
        let mut search = PathSearch::new(&event);
        let rules = globs(&["docs/**", "**/*.md", "README", "*.toml", "web/*/index.?"]);
        for _ in 0..200 {
            assert_eq!(search.any(&rules), Some(false));
        }
        assert_eq!(search.steps_taken(), 200 * paths.len() * rules.len());
    }

    #[test]
    fn searches_beyond_the_limit_match() {
        let paths: Vec<_> = (0..10)
            .map(|number| format!("{}{number}", "a".repeat(1000)))
            .collect();
        let event = push(&paths);
        let mut search = PathSearch::new(&event);
        let slow = globs(&[&format!("{}b", "*a".repeat(1000)), &"*a?".repeat(1000)]);
        assert_eq!(search.any(&slow), None);
        assert_eq!(search.any(&globs(&["b"])), None);
        assert!(search.remark().contains("too long"));
        assert_eq!(search.steps_taken(), LIMITS.routing.max_path_steps);
    }
}
