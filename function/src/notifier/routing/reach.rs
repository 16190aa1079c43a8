//! Which kinds of event a rule can match, and whom they can name. Owns why no event of a kind satisfies
//! all conditions of a rule. What each kind of hook says is in
//! [`hook_fields`](super::hook_fields); the warnings about it are in [`warnings`](super::warnings).

use super::condition::Condition;
use super::conditions::Conditions;
use super::coverage::{actions_accept, known};
use super::glob::Glob;
use super::hook_fields::{actions, names, says, statuses};
use super::rule::{Role, Rule};
use super::terms::{FIXED, SUCCESS};
use crate::gitlab::kind::Kind;

/// The kinds that a rule asks for, and those that it does not exclude if it names none.
pub(super) fn listed_kinds(rule: &Rule) -> Vec<Kind> {
    if rule.conditions.events.is_empty() {
        let excluded = |kind: &Kind| rule.not.events.contains(kind);
        Kind::known().filter(|kind| !excluded(kind)).collect()
    } else {
        rule.conditions.events.clone()
    }
}

/// Why no event of the kind matches the rule; `None` if one can.
pub(super) fn obstacle(kind: Kind, rule: &Rule) -> Option<String> {
    let conditions = &rule.conditions;
    if rule.not.events.contains(&kind) {
        return Some("the same event is under not:".to_owned());
    }
    let mut others = Condition::ALL.iter().copied();
    let failed = others.find(|condition| {
        let is_other = *condition != Condition::Event && conditions.has(*condition);
        is_other && !can_match(kind, *condition, conditions)
    });
    match failed {
        Some(condition) => Some(unanswered(kind, condition)),
        None => conflict(kind, rule).map(str::to_owned),
    }
}

fn unanswered(kind: Kind, condition: Condition) -> String {
    let known = match condition {
        Condition::Action => actions(kind),
        Condition::Status => statuses(kind),
        _ => Vec::new(),
    };
    if known.is_empty() {
        format!("GitLab does not say {}", condition.missing())
    } else {
        format!("their `{}` is one of {}", condition.key(), known.join(", "))
    }
}

/// Whether an event of the kind can satisfy the condition.
pub(super) fn can_match(kind: Kind, condition: Condition, conditions: &Conditions) -> bool {
    let any = |known: &[&str], named: &[&str]| named.iter().any(|word| known.contains(word));
    match condition {
        Condition::Action => any(&actions(kind), &conditions.actions),
        Condition::Status => any(&statuses(kind), &conditions.statuses),
        // An event without a project has an empty path.
        Condition::Project => {
            let is_empty = |glob: &Glob| glob.matches("");
            says(kind, condition) || conditions.projects.iter().any(is_empty)
        }
        _ => says(kind, condition),
    }
}

/// Conditions of which events of the kind satisfy each one, but never all.
fn conflict(kind: Kind, rule: &Rule) -> Option<&'static str> {
    let (it, not) = (&rule.conditions, &rule.not);
    let has = |condition| it.has(condition);
    let (asked, excluded) = (
        known(&it.actions, &actions(kind)),
        known(&not.actions, &actions(kind)),
    );
    if !asked.is_empty() && actions_accept(kind, &excluded, &asked) {
        return Some("every event with its `action` also has one that is under not:");
    }
    let may_pass = it.statuses.contains(&SUCCESS) || it.statuses.contains(&FIXED);
    let has_excluded_status = |status: &&'static str| match *status {
        FIXED => not.statuses.contains(&SUCCESS),
        status => not.statuses.contains(&status),
    };
    let statuses = known(&it.statuses, &statuses(kind));
    if !statuses.is_empty() && statuses.iter().all(has_excluded_status) {
        return Some("every value of `status` is also under not:");
    }
    match kind {
        Kind::Pipeline if has(Condition::Status) && !may_pass => (it.allowed_failure == Some(true))
            .then_some("a pipeline with `allowed_failure: true` passed with warnings, so that its `status` is success"),
        Kind::Push | Kind::TagPush if deletes_only(kind, it) => {
            let asks_for_commits = has(Condition::Paths) || has(Condition::Author);
            asks_for_commits.then_some("GitLab lists no commits of a branch or tag that is deleted")
        }
        Kind::MergeRequest => match (it.draft, &asked[..]) {
            (Some(true), ["ready"]) => Some("a merge request that became ready is no draft"),
            (Some(false), ["draft"]) => Some("a merge request that became a draft is one"),
            _ => None,
        },
        _ => None,
    }
}

/// Whether the rule asks for branches or tags that are deleted, and for no other action.
fn deletes_only(kind: Kind, conditions: &Conditions) -> bool {
    only(kind, conditions, &["delete"])
}

/// Whether all actions of the kind that the rule asks for are among these.
fn only(kind: Kind, conditions: &Conditions, words: &[&str]) -> bool {
    let known = actions(kind);
    let mut asked = conditions.actions.iter().filter(|it| known.contains(it));
    !conditions.actions.is_empty() && asked.all(|it| words.contains(it))
}

/// Actions that never come with a new reviewer or assignee.
const WITHOUT_NEW_PEOPLE: &[&str] = &[
    "close",
    "reopen",
    "merge",
    "approved",
    "approval",
    "unapproved",
    "unapproval",
];

/// Whether an event of the kind that matches the conditions can name users with the role.
pub(super) fn can_name(kind: Kind, role: Role, conditions: &Conditions) -> bool {
    let is_possible = match role {
        Role::Author | Role::Committer => {
            !matches!(kind, Kind::Push | Kind::TagPush) || !deletes_only(kind, conditions)
        }
        Role::NewReviewers | Role::NewAssignees => !only(kind, conditions, WITHOUT_NEW_PEOPLE),
        _ => true,
    };
    is_possible && names(kind, role)
}
