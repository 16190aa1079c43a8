//! Whether one rule hides a later one. Owns when everything that a rule matches is matched by an earlier
//! rule too; what else can never happen is in [`warnings`](super::warnings).

use super::conditions::Conditions;
use super::glob::Glob;
use super::rule::Rule;
use super::vocabulary::{FIXED, SUCCESS};
use crate::gitlab::changes::ChangeAction;

/// Whether every event that `rule` matches is matched by `earlier` too.
pub(super) fn covers(earlier: &Rule, rule: &Rule) -> bool {
    // A condition under not: makes the earlier rule narrower; only the same ones are comparable.
    if earlier.not != Conditions::default() && earlier.not != rule.not {
        return false;
    }
    let (wide, narrow) = (&earlier.conditions, &rule.conditions);
    let matches_more = contains(&wide.events, &narrow.events)
        && contains_globs(&wide.projects, &narrow.projects)
        && contains(&wide.refs, &narrow.refs)
        && contains(&actions_of(wide), &narrow.actions)
        && contains(&statuses_of(wide), &narrow.statuses)
        && contains_flag(wide.protected, narrow.protected)
        && contains_flag(wide.allowed_failure, narrow.allowed_failure)
        && contains(&wide.sources, &narrow.sources)
        && contains(&wide.labels, &narrow.labels)
        && contains_flag(wide.draft, narrow.draft)
        && contains(&wide.actors, &narrow.actors)
        && contains(&wide.authors, &narrow.authors)
        && contains(&wide.paths, &narrow.paths);
    let is_final = |status: &&'static str| FINAL_STATUSES.contains(status);
    let is_major = |action: &&'static str| MAJOR_ACTIONS.contains(action);
    // Only rules that ask for them match confidential events, events in progress and minor updates.
    let asks_for_more = (rule.confidential && !earlier.confidential)
        || (wide.statuses.is_empty() && !narrow.statuses.iter().all(is_final))
        || (wide.actions.is_empty()
            && !earlier.to.is_empty()
            && !narrow.actions.iter().all(is_major));
    matches_more && !asks_for_more
}

/// Statuses of events that have finished.
const FINAL_STATUSES: &[&str] = &["success", "failed", "canceled", "skipped", "fixed"];

/// Actions of no minor update.
const MAJOR_ACTIONS: &[&str] = &[
    "open",
    "close",
    "reopen",
    "merge",
    "approved",
    "approval",
    "unapproved",
    "unapproval",
    "create",
    "delete",
    "push",
    "award",
    "revoke",
    "detected",
    "confirmed",
    "dismissed",
    "resolved",
];

/// The statuses that a rule matches: one for fixes matches every success.
fn statuses_of(conditions: &Conditions) -> Vec<&'static str> {
    let mut statuses = conditions.statuses.clone();
    if statuses.contains(&FIXED) {
        statuses.push(SUCCESS);
    }
    statuses
}

/// The actions that a rule matches: `update` matches every change.
fn actions_of(conditions: &Conditions) -> Vec<&'static str> {
    let mut actions = conditions.actions.clone();
    if actions.contains(&"update") {
        actions.extend(ChangeAction::ALL.iter().map(|change| change.label()));
    }
    actions
}

/// Whether the first condition accepts every value that the second one accepts.
fn contains<T: PartialEq>(wide: &[T], narrow: &[T]) -> bool {
    wide.is_empty() || (!narrow.is_empty() && narrow.iter().all(|value| wide.contains(value)))
}

fn contains_globs(wide: &[Glob], narrow: &[Glob]) -> bool {
    wide.iter().any(|glob| glob.text() == "**") || contains(wide, narrow)
}

fn contains_flag(wide: Option<bool>, narrow: Option<bool>) -> bool {
    wide.is_none() || wide == narrow
}
