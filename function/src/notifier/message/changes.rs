//! What a message says about an update whose changes a rule asks for. Owns the wording of each change;
//! which changes an update has is decided in [`gitlab::changes`](crate::gitlab::changes).

use super::SkipReason;
use crate::gitlab::changes::ChangeAction;

/// All changes of one update, as the verb of the message.
pub(super) fn verb_of_changes(changes: &[ChangeAction]) -> Result<String, SkipReason> {
    let verbs: Vec<_> = changes.iter().map(|change| verb(*change)).collect();
    match verbs.split_last() {
        None => Err(SkipReason::MinorUpdate),
        Some((only, [])) => Ok((*only).to_owned()),
        Some((last, others)) => Ok(format!("{} and {last}", others.join(", "))),
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
