//! Patterns that match nothing, or not what was meant. Owns the signs of it in the text of a pattern, and what
//! to write instead. What a pattern matches is decided in [`glob`](super::glob).

use super::condition::Condition;
use super::conditions::Conditions;
use super::glob::Glob;
use super::hook_fields::{has_branches, has_tags, is_about_groups};
use super::pattern_list::{quoted, several};
use super::regular_expression::is_regular_expression;
use super::vocabulary::labels;
use crate::gitlab::kind::Kind;

/// The mistakes in the patterns of a rule for `events`, which are all if there is none.
pub(super) fn pattern_mistakes(conditions: &Conditions, events: &[Kind]) -> Vec<String> {
    let mut found = Vec::new();
    for condition in Condition::ALL.iter().copied() {
        let globs = conditions.values(condition).patterns();
        for glob in globs {
            let (key, text) = (condition.key(), glob.text());
            if let Some(why) = in_any(condition, text).or_else(|| of_condition(condition, text)) {
                found.push(format!(
                    "has the {key} `{text}`, which never matches: {why}"
                ));
            } else if let Some(why) = doubt(condition, text, globs, events) {
                found.push(format!("has the {key} `{text}`, {why}"));
            }
        }
    }
    found
}

/// Why a pattern matches nothing, whatever the condition.
fn in_any(condition: Condition, text: &str) -> Option<String> {
    let (is_path, is_label) = (
        condition == Condition::Paths,
        condition == Condition::Labels,
    );
    let plain = text.trim();
    if plain.is_empty() && condition != Condition::Project {
        return Some("it is empty; leave the condition out to match all".to_owned());
    }
    if plain != text && !is_path && !plain.is_empty() {
        return Some(format!("write `{plain}` without spaces around it"));
    }
    if is_regular_expression(condition, text) {
        return Some(
            "patterns are no regular expressions; * matches any text without a slash, ** any text, and a list has several patterns"
                .to_owned(),
        );
    }
    match text.strip_prefix('!') {
        Some(rest) if !is_label => Some(format!(
            "write not: {{{}: \"{rest}\"}} to exclude it",
            condition.key()
        )),
        _ => None,
    }
}

/// Why a pattern matches nothing for this condition.
fn of_condition(condition: Condition, text: &str) -> Option<String> {
    match condition {
        Condition::Labels => several(text, Some(",")),
        Condition::Actor | Condition::Author => person(text),
        Condition::Project => project(text).or_else(|| segments(text, "paths of projects")),
        Condition::Ref => {
            let has_space = text.contains(char::is_whitespace);
            let space = || has_space.then(|| "branches and tags have no spaces".to_owned());
            let other = several(text, Some(", ")).or_else(space);
            other.or_else(|| segments(text, "branches and tags"))
        }
        Condition::Paths => paths(text),
        _ => None,
    }
}

fn person(text: &str) -> Option<String> {
    if text.starts_with('@') {
        return Some("user names of GitLab begin without an @".to_owned());
    }
    let has_space = text.contains(char::is_whitespace);
    let name = || {
        has_space.then(|| {
            "write the user name or the e-mail address, which have no spaces, instead of the full name".to_owned()
        })
    };
    several(text, Some(",")).or_else(name)
}

fn project(text: &str) -> Option<String> {
    if text.contains("://") {
        let why =
            "write the path alone, such as acme/rocket, without the address of GitLab".to_owned();
        return Some(why);
    }
    let address = text.rsplit_once(':').filter(|(_, path)| !path.is_empty());
    let path = address.map_or(text, |(_, path)| path).trim_matches('/');
    let without = path.strip_suffix(".git");
    let plain = quoted(without.unwrap_or(path));
    match (address, without) {
        (Some(_), _) => Some(format!(
            "write the path alone, `{plain}`, without the address of GitLab"
        )),
        (None, Some(_)) => Some(format!(
            "paths of projects end without .git; write `{plain}`"
        )),
        (None, None) => several(text, Some(",")),
    }
}

fn paths(text: &str) -> Option<String> {
    let slashes = || {
        let plain = quoted(&without_empty_parts(&text.replace('\\', "/")));
        let has_backslash = text.contains('\\');
        has_backslash.then(|| format!("paths have slashes, also on Windows; write `{plain}`"))
    };
    several(text, None)
        .or_else(slashes)
        .or_else(|| segments(text, "paths"))
}

/// Names with slashes have no empty parts, and no `.` or `..` among them.
fn segments(text: &str, what: &str) -> Option<String> {
    if text.is_empty() || text.split('/').all(is_name) {
        return None;
    }
    let plain = quoted(&without_empty_parts(text));
    Some(format!(
        "{what} begin without a slash or ./, and end without a slash; write `{plain}`"
    ))
}

/// Whether it can be one part of a name with slashes.
fn is_name(part: &str) -> bool {
    !matches!(part, "" | "." | "..")
}

/// The pattern that was meant: a slash at the end means everything in a folder.
fn without_empty_parts(text: &str) -> String {
    let parts: Vec<_> = text.split('/').filter(|part| is_name(part)).collect();
    let mut plain = parts.join("/");
    if plain.is_empty() {
        "**".clone_into(&mut plain);
    } else if text.ends_with('/') && !plain.ends_with("**") {
        plain += "/**";
    }
    plain
}

/// What a pattern matches that was hardly meant.
fn doubt(condition: Condition, text: &str, globs: &[Glob], events: &[Kind]) -> Option<String> {
    match condition {
        Condition::Labels => sign_of_label(text),
        Condition::Ref if text.starts_with("refs/tags/") => {
            wrong_refs(events, has_tags).map(|kinds| {
                format!("but {kinds} events are about branches; for tags, write event: tag_push")
            })
        }
        Condition::Ref if text.starts_with("refs/heads/") => {
            wrong_refs(events, has_branches).map(|kinds| {
                format!("but {kinds} events are about tags; for branches, write event: push")
            })
        }
        Condition::Project => group_alone(text, globs, events),
        _ => None,
    }
}

/// A label may begin with either sign, but hardly does.
fn sign_of_label(text: &str) -> Option<String> {
    let only = "which matches only labels with that sign in their name";
    if let Some(rest) = text.strip_prefix('!') {
        return Some(format!(
            "{only}; write not: {{labels: \"{rest}\"}} to exclude it"
        ));
    }
    let name = text.strip_prefix('~')?;
    Some(format!("{only}; write {name} without ~"))
}

/// The kinds of the rule, if none of them is about such refs.
fn wrong_refs(events: &[Kind], is_about: fn(Kind) -> bool) -> Option<String> {
    let is_wrong = !events.is_empty() && !events.iter().any(|kind| is_about(*kind));
    is_wrong.then(|| labels(events))
}

/// A pattern without a slash matches groups and no project. Another pattern may match the projects.
fn group_alone(text: &str, globs: &[Glob], events: &[Kind]) -> Option<String> {
    let projects = Glob::new(&format!("{text}/*"));
    if text.contains('/') || text.contains("**") || globs.iter().any(|it| it.covers(&projects)) {
        return None;
    }
    if text.trim().is_empty() {
        let why =
            "which matches only events without a project; leave the condition out to match all";
        return Some(why.to_owned());
    }
    let listed: Vec<_> = match events {
        [] => Kind::known().collect(),
        events => events.to_vec(),
    };
    let of_groups: Vec<_> = listed
        .iter()
        .copied()
        .filter(|kind| is_about_groups(*kind))
        .collect();
    match of_groups.len() {
        0 => Some(format!(
            "which never matches a project: its path begins with its group, such as acme/{text} or **/{text}"
        )),
        count if count == listed.len() => None,
        _ => Some(format!(
            "which has no slash, so that it matches {} events of a group and no project; write {text}/** for the projects of a group, or **/{text} for projects of that name",
            labels(&of_groups)
        )),
    }
}
