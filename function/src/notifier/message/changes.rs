//! What a message says about an update. Owns the words for each change; which changes an update has is
//! decided in [`gitlab::changes`](crate::gitlab::changes).

use super::SkipReason;
use super::fragments::{code, list, people, short_title};
use super::sign::Sign;
use crate::gitlab::change_details::{ChangeDetails, MilestoneChange};
use crate::gitlab::changes::ChangeAction;
use crate::gitlab::event::Event;

/// The sign and the verb of an update: those of its change, or general ones if it has several.
pub(super) fn verb(
    changes: &[ChangeAction],
    other: Sign,
) -> Result<(Sign, &'static str), SkipReason> {
    let asks = |change: &ChangeAction| {
        matches!(change, ChangeAction::ReviewRequested | ChangeAction::Ready)
    };
    let sign = if changes.iter().any(asks) {
        Sign::Look
    } else {
        other
    };
    match changes {
        [] => Err(SkipReason::MinorUpdate),
        [only] => Ok((sign, verb_of(*only))),
        _ => Ok((sign, "updated")),
    }
}

fn verb_of(change: ChangeAction) -> &'static str {
    match change {
        ChangeAction::ReviewRequested => "got a review request",
        ChangeAction::Assigned => "assigned",
        ChangeAction::Ready => "marked as ready",
        ChangeAction::Draft => "marked as draft",
        ChangeAction::Retitled => "retitled",
        ChangeAction::Relabeled => "relabeled",
        ChangeAction::Retargeted => "retargeted",
        ChangeAction::Milestoned => "changed its milestone",
    }
}

/// What the update changed, in detail.
pub(super) fn facts(event: &Event, replaced: &ChangeDetails) -> Vec<String> {
    let changes = &event.attributes.changes;
    let is_one = changes.len() == 1;
    let facts = changes.iter().map(|change| fact(*change, event, replaced));
    // The verb says a single change whose details GitLab does not send.
    let others = facts.zip(changes).filter_map(|(fact, change)| {
        fact.or_else(|| (!is_one).then(|| verb_of(*change).to_owned()))
    });
    others.collect()
}

fn fact(change: ChangeAction, event: &Event, replaced: &ChangeDetails) -> Option<String> {
    let who = &event.attributes.participants;
    match change {
        ChangeAction::ReviewRequested => {
            people(&who.new_reviewers).map(|names| format!("review requested from {names}"))
        }
        ChangeAction::Assigned => {
            people(&who.new_assignees).map(|names| format!("assigned to {names}"))
        }
        ChangeAction::Ready | ChangeAction::Draft => None,
        ChangeAction::Retitled => {
            short_title(replaced.old_title.as_deref()).map(|title| format!("was: {title}"))
        }
        ChangeAction::Retargeted => {
            code(replaced.old_target.as_deref()?).map(|branch| format!("target was {branch}"))
        }
        ChangeAction::Relabeled => {
            let [added, removed] = [&replaced.labels_added, &replaced.labels_removed]
                .map(|labels| list(labels.iter().map(String::as_str)));
            let added = added.map(|labels| format!("labels added: {labels}"));
            let removed = removed.map(|labels| format!("labels removed: {labels}"));
            super::fragments::facts([added, removed])
        }
        ChangeAction::Milestoned => Some(
            match replaced.milestone? {
                MilestoneChange::Set => "milestone set",
                MilestoneChange::Removed => "milestone removed",
            }
            .to_owned(),
        ),
    }
}

/// The labels and the people of a new object.
pub(super) fn facts_of_new(event: &Event) -> Vec<String> {
    let attributes = &event.attributes;
    let who = &attributes.participants;
    let reviewers = people(&who.reviewers).map(|names| format!("reviewers: {names}"));
    let assignees = people(&who.assignees).map(|names| format!("assignees: {names}"));
    let labels = attributes.labels.iter().flatten().map(String::as_str);
    let labels = list(labels).map(|labels| format!("labels: {labels}"));
    [reviewers, assignees, labels]
        .into_iter()
        .flatten()
        .collect()
}
