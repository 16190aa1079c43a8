//! Whether earlier rules hide a later one. Owns when every event of a kind that a rule matches is matched by
//! an earlier rule too; what else can never happen is in [`warnings`](super::warnings).

use super::condition::Condition;
use super::conditions::Conditions;
use super::glob::Glob;
use super::hook_fields::{actions, can_be_confidential, statuses};
use super::reach::can_match;
use super::rule::Rule;
use super::terms::{FIXED, SUCCESS};
use super::values::Values;
use crate::gitlab::changes::ChangeAction;
use crate::gitlab::kind::Kind;

/// Whether every event of the kind that `rule` matches is matched by `earlier` too.
pub(super) fn covers(earlier: &Rule, rule: &Rule, kind: Kind) -> bool {
    let mut all = Condition::ALL.iter().copied();
    all.all(|condition| {
        let (wide, narrow) = (&earlier.conditions, &rule.conditions);
        let is_wider = !wide.has(condition) || accepts(wide, narrow, condition, kind);
        is_wider && excludes_no_more(earlier, rule, condition, kind)
    }) && !asks_for_more(earlier, rule, kind)
}

/// Whether `wide` accepts every value that `narrow` accepts of the condition.
fn accepts(wide: &Conditions, narrow: &Conditions, condition: Condition, kind: Kind) -> bool {
    match condition {
        Condition::Event => wide.events.contains(&kind),
        Condition::Action => {
            let narrow = known(&narrow.actions, &actions(kind));
            !narrow.is_empty() && actions_accept(kind, &wide.actions, &narrow)
        }
        Condition::Status => {
            let narrow = known(&narrow.statuses, &statuses(kind));
            Values::Words(&with_successes(&wide.statuses)).accept(Values::Words(&narrow))
        }
        // It matches events without a project too.
        Condition::Project if wide.projects.iter().any(is_everything) => true,
        _ => wide.values(condition).accept(narrow.values(condition)),
    }
}

fn is_everything(glob: &Glob) -> bool {
    glob.covers(&Glob::new("**"))
}

/// Whether `rule` never matches what `earlier` leaves out with its `not:`.
fn excludes_no_more(earlier: &Rule, rule: &Rule, condition: Condition, kind: Kind) -> bool {
    if !earlier.not.has(condition) || !can_match(kind, condition, &earlier.not) {
        return condition != Condition::Event || !earlier.not.events.contains(&kind);
    }
    let asked_flag = match (
        earlier.not.values(condition),
        rule.conditions.values(condition),
    ) {
        (Values::Flag(excluded), Values::Flag(asked)) => asked.is_some() && asked != excluded,
        _ => false,
    };
    asked_flag || (rule.not.has(condition) && accepts(&rule.not, &earlier.not, condition, kind))
}

/// Whether `rule` matches events that rules do not match unless they ask for them: confidential events,
/// events in progress and minor updates.
fn asks_for_more(earlier: &Rule, rule: &Rule, kind: Kind) -> bool {
    let (wide, narrow) = (&earlier.conditions, &rule.conditions);
    let is_final = |status: &&'static str| FINAL_STATUSES.contains(status);
    let asked = known(&narrow.actions, &actions(kind));
    let asks_for_minor = if narrow.actions.is_empty() {
        rule.to.is_empty() && actions(kind).iter().any(|it| is_minor(kind, it))
    } else {
        asked.iter().any(|it| is_minor(kind, it))
    };
    (rule.confidential.match_rule()
        && !earlier.confidential.match_rule()
        && can_be_confidential(kind))
        || (wide.statuses.is_empty()
            && !known(&narrow.statuses, &statuses(kind))
                .iter()
                .all(is_final))
        || (wide.actions.is_empty() && !earlier.to.is_empty() && asks_for_minor)
}

/// Statuses of events that have finished.
const FINAL_STATUSES: &[&str] = &["success", "failed", "canceled", "skipped", FIXED];

/// Whether events of the kind with this action can be minor updates.
fn is_minor(kind: Kind, action: &str) -> bool {
    match kind {
        Kind::Note => action == "update",
        Kind::MergeRequest | Kind::Issue | Kind::WorkItem => {
            action == "update" || is_change(action)
        }
        _ => false,
    }
}

fn is_change(action: &str) -> bool {
    ChangeAction::ALL.iter().any(|it| it.label() == action)
}

/// Whether every event of the kind with one of the `narrow` actions has one of the `wide` ones too: one
/// event can have several.
pub(super) fn actions_accept(kind: Kind, wide: &[&str], narrow: &[&str]) -> bool {
    let has = |word: &str| wide.contains(&word);
    narrow.iter().all(|action| {
        let comes_with_update = match *action {
            // These are changes of objects that are opened, too.
            "review_requested" | "assigned" => has("open"),
            "push" => kind == Kind::MergeRequest,
            action => is_change(action),
        };
        has(action) || (comes_with_update && has("update"))
    })
}

/// The statuses that a rule matches: one for fixes matches every success.
fn with_successes(statuses: &[&'static str]) -> Vec<&'static str> {
    let mut statuses = statuses.to_vec();
    if statuses.contains(&FIXED) {
        statuses.push(SUCCESS);
    }
    statuses
}

/// The words that events of a kind can have.
pub(super) fn known(words: &[&'static str], known: &[&str]) -> Vec<&'static str> {
    let words = words.iter().copied();
    words.filter(|word| known.contains(word)).collect()
}
