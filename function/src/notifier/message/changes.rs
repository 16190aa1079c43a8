//! What a message says about an update whose changes a rule asks for. Owns the wording of each change;
//! which changes an update has is decided in [`gitlab::changes`](crate::gitlab::changes).

use std::iter;

use super::SkipReason;
use crate::gitlab::changes::ChangeAction;

/// All changes of one update, as the verb of the message.
pub(super) fn verb_of_changes(changes: &[ChangeAction]) -> Result<String, SkipReason> {
    let verbs = changes.iter().map(|change| verb(*change));
    joined(&verbs.collect::<Vec<_>>()).ok_or(SkipReason::MinorUpdate)
}

/// The verb of the message about an update with `first`, and all its changes.
pub(super) fn verb_with_changes(first: &'static str, changes: &[ChangeAction]) -> String {
    let changes = changes.iter().map(|change| verb(*change));
    let verbs = iter::once(first).chain(changes);
    joined(&verbs.collect::<Vec<_>>()).unwrap_or_default()
}

fn joined(verbs: &[&'static str]) -> Option<String> {
    match verbs.split_last()? {
        (only, []) => Some((*only).to_owned()),
        (last, others) => Some(format!("{} and {last}", others.join(", "))),
    }
}

fn verb(change: ChangeAction) -> &'static str {
    match change {
        ChangeAction::ReviewRequested => "got a review request",
        ChangeAction::Assigned => "got an assignee",
        ChangeAction::Ready => "marked as ready",
        ChangeAction::Draft => "marked as draft",
        ChangeAction::Retitled => "retitled",
        ChangeAction::Relabeled => "relabeled",
        ChangeAction::Retargeted => "retargeted",
        ChangeAction::Milestoned => "changed its milestone",
    }
}
