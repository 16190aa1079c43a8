//! What can never happen with the rules. Owns the warnings about it: rules that no event matches, rules
//! after one that matches everything they match, and roles that no event has. Which hooks say what is in
//! `hook_fields`, and which rule hides which one in `coverage`.

use super::RoutingRules;
use super::conditions::{Condition, Conditions};
use super::coverage::covers;
use super::glob::Glob;
use super::hook_fields::{self, actions, names, says, statuses};
use super::rule::{RecipientSpec, Rule};
use crate::gitlab::kind::Kind;

impl RoutingRules {
    /// What can never happen, one sentence per mistake; empty if every rule can have an effect.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        for (index, rule) in self.rules.iter().enumerate() {
            let mut found = impossible(rule);
            let earlier = self.rules[..index].iter();
            let hides = |earlier: &&Rule| !earlier.continue_ && covers(earlier, rule);
            if let Some(earlier) = earlier.clone().find(hides) {
                found.push(format!(
                    "is never evaluated: {} matches the same events first; set continue: true there, or write this rule before it",
                    earlier.name
                ));
            }
            warnings.extend(
                found
                    .into_iter()
                    .map(|text| format!("ROUTES: {} {text}", rule.name)),
            );
        }
        warnings
    }
}

/// What of one rule can never happen.
fn impossible(rule: &Rule) -> Vec<String> {
    let conditions = &rule.conditions;
    let mut found = patterns(conditions, &conditions.events);
    found.extend(patterns(&rule.not, &conditions.events));
    if let Some(condition) = contradiction(conditions, &rule.not) {
        found.push(format!(
            "never matches: every value of `{}` is also under not:",
            condition.key()
        ));
        return found;
    }
    let excluded = |kind: &Kind| rule.not.events.contains(kind);
    let listed: Vec<Kind> = if conditions.events.is_empty() {
        Kind::known().filter(|kind| !excluded(kind)).collect()
    } else {
        conditions.events.clone()
    };
    let mut possible = Vec::new();
    for kind in &listed {
        match obstacle(*kind, conditions) {
            _ if excluded(kind) => found.push(format!(
                "never matches {} events: the same event is under not:",
                kind.label()
            )),
            None => possible.push(*kind),
            Some(why) if !conditions.events.is_empty() => {
                found.push(format!("never matches {} events: {why}", kind.label()));
            }
            Some(_) => {}
        }
    }
    if possible.is_empty() {
        if conditions.events.is_empty() {
            found.push(format!(
                "never matches: no kind of event has {} together",
                keys(conditions)
            ));
        }
        return found;
    }
    for condition in Condition::ALL {
        let has_effect = possible
            .iter()
            .any(|kind| can_match(*kind, *condition, &rule.not));
        if rule.not.has(*condition) && *condition != Condition::Event && !has_effect {
            found.push(format!(
                "has `{}` under not:, which never matches; leave it out, or name other events",
                condition.key()
            ));
        }
    }
    for role in rule.to.iter().filter_map(RecipientSpec::role) {
        if !possible.iter().any(|kind| names(*kind, role)) {
            found.push(format!(
                "never notifies `{}`: the events that it matches name no such user",
                role.label()
            ));
        }
    }
    found
}

/// Why no event of the kind satisfies the conditions.
fn obstacle(kind: Kind, conditions: &Conditions) -> Option<String> {
    let mut failed = Condition::ALL.iter().filter(|condition| {
        **condition != Condition::Event
            && conditions.has(**condition)
            && !can_match(kind, **condition, conditions)
    });
    let condition = *failed.next()?;
    let known = match condition {
        Condition::Action => actions(kind),
        Condition::Status => statuses(kind),
        _ => &[],
    };
    Some(if known.is_empty() {
        format!("GitLab does not say {}", condition.missing())
    } else {
        format!("their `{}` is one of {}", condition.key(), known.join(", "))
    })
}

/// Whether an event of the kind can satisfy the condition.
fn can_match(kind: Kind, condition: Condition, conditions: &Conditions) -> bool {
    let any = |known: &[&str], named: &[&str]| named.iter().any(|word| known.contains(word));
    match condition {
        Condition::Action => any(actions(kind), &conditions.actions),
        Condition::Status => any(statuses(kind), &conditions.statuses),
        _ => says(kind, condition),
    }
}

fn keys(conditions: &Conditions) -> String {
    let keys = Condition::ALL.iter().filter(|it| conditions.has(**it));
    let keys: Vec<_> = keys.map(|it| format!("`{}`", it.key())).collect();
    keys.join(" and ")
}

/// Patterns of another language than that of globs.
fn patterns(conditions: &Conditions, events: &[Kind]) -> Vec<String> {
    let mut found = Vec::new();
    let globs = [
        (Condition::Project, &conditions.projects),
        (Condition::Ref, &conditions.refs),
        (Condition::Labels, &conditions.labels),
        (Condition::Actor, &conditions.actors),
        (Condition::Author, &conditions.authors),
        (Condition::Paths, &conditions.paths),
    ];
    for (condition, globs) in globs {
        for glob in globs {
            if let Some(why) = misuse(condition, glob, events) {
                found.push(format!(
                    "has the {} `{}`, {why}",
                    condition.key(),
                    glob.text()
                ));
            }
        }
    }
    found
}

fn misuse(condition: Condition, glob: &Glob, events: &[Kind]) -> Option<String> {
    let text = glob.text();
    let is_regex = text.len() > 2 && text.starts_with('/') && text.ends_with('/');
    let is_anchored =
        text.starts_with('^') && (condition != Condition::Labels || text.ends_with('$'));
    if (is_regex && condition != Condition::Labels) || is_anchored {
        let why = "which never matches: patterns are no regular expressions; * matches any text without a slash, ** any text";
        return Some(why.to_owned());
    }
    if condition == Condition::Labels {
        return None;
    }
    if let Some(rest) = text.strip_prefix('!') {
        return Some(format!(
            "which never matches: write not: {{{}: \"{rest}\"}} to exclude it",
            condition.key()
        ));
    }
    let is_person = matches!(condition, Condition::Actor | Condition::Author);
    if is_person && text.starts_with('@') {
        return Some("which never matches: user names of GitLab begin without an @".to_owned());
    }
    if condition == Condition::Paths && text.starts_with('/') {
        return Some("which never matches: paths begin without a slash".to_owned());
    }
    let about_groups = |kind: &Kind| hook_fields::is_about_groups(*kind);
    let needs_group = condition == Condition::Project
        && !text.contains('/')
        && !text.contains("**")
        && !events.iter().any(about_groups);
    needs_group.then(|| {
        format!("which never matches a project: its path begins with its group, such as acme/{text} or **/{text}")
    })
}

/// The first condition of which every value is also under `not:`.
fn contradiction(conditions: &Conditions, not: &Conditions) -> Option<Condition> {
    let contradicts = |condition: &&Condition| match condition {
        // Events are judged one by one.
        Condition::Event => false,
        Condition::Project => all_in(&conditions.projects, &not.projects),
        Condition::Ref => all_in(&conditions.refs, &not.refs),
        Condition::Action => all_in(&conditions.actions, &not.actions),
        Condition::Status => all_in(&conditions.statuses, &not.statuses),
        Condition::Protected => not.protected.is_some() && conditions.protected == not.protected,
        Condition::AllowedFailure => {
            not.allowed_failure.is_some() && conditions.allowed_failure == not.allowed_failure
        }
        Condition::Source => all_in(&conditions.sources, &not.sources),
        Condition::Labels => all_in(&conditions.labels, &not.labels),
        Condition::Draft => not.draft.is_some() && conditions.draft == not.draft,
        Condition::Paths => all_in(&conditions.paths, &not.paths),
        Condition::Actor => all_in(&conditions.actors, &not.actors),
        Condition::Author => all_in(&conditions.authors, &not.authors),
    };
    Condition::ALL.iter().find(contradicts).copied()
}

fn all_in<T: PartialEq>(values: &[T], not: &[T]) -> bool {
    !values.is_empty() && values.iter().all(|value| not.contains(value))
}
