//! The branch filter of a hook: which branches GitLab sends pushes of. Owns the meaning of its patterns. GitLab's regular
//! expressions are not those of this program, so with one nobody but GitLab knows.

use super::Object;
use crate::gitlab_api::Hook;

/// Whether a hook receives a push.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Verdict {
    Passes,
    Filtered,
    /// Only GitLab knows.
    Unknown,
}

/// Whether the hook receives this push. Tags are not filtered.
pub(crate) fn verdict(hook: &Hook, object: &Object) -> Verdict {
    let Object::Push { reference, .. } = object else {
        return Verdict::Passes;
    };
    if reference.starts_with("refs/tags/") {
        return Verdict::Passes;
    }
    match (&hook.branch_filter, hook.branch_filter_strategy.as_deref()) {
        (None, _) | (_, Some("all_branches")) => Verdict::Passes,
        (Some(_), Some("regex")) => Verdict::Unknown,
        (Some(pattern), _) if matches(pattern, branch(reference)) => Verdict::Passes,
        (Some(_), _) => Verdict::Filtered,
    }
}

/// The name of a branch without `refs/heads/`.
pub(crate) fn branch(reference: &str) -> &str {
    reference.strip_prefix("refs/heads/").unwrap_or(reference)
}

/// Whether a name matches a pattern, in which `*` stands for any characters.
fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else {
        return false;
    };
    let Some(last) = parts.next_back() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.find(part) {
            Some(position) => rest = &rest[position + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_of_a_branch_filter_stands_for_any_characters() {
        for (pattern, name, expected) in [
            ("main", "main", true),
            ("main", "main2", false),
            ("*", "a/b", true),
            ("release/*", "release/1/2", true),
            ("release/*", "release", false),
            ("*-stable", "1-2-stable", true),
            ("*-stable", "1-stable-2", false),
            ("a*b*c", "a1b2b3c", true),
            ("a*b*c", "ac", false),
            ("a*a", "a", false),
            ("", "", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}
