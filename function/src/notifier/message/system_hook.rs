//! The message about a project, group, account or key. Owns its wording; the event is parsed in
//! [`gitlab::system_hook`](crate::gitlab::system_hook).

use super::fragments::{code, optional_code, prefixed};
use super::{MAX_NAME, MAX_PATH, SkipReason};
use crate::gitlab::event::Event;
use crate::gitlab::kind::Kind;
use crate::gitlab::system_hook::{Action, SystemHook};

pub(super) fn render(event: &Event, hook: &SystemHook) -> Result<String, SkipReason> {
    let noun = noun(event.meta.kind);
    let subject = code(&hook.subject, MAX_PATH);
    let old_name = optional_code(hook.old_name.as_deref(), MAX_PATH);
    match (hook.action, old_name) {
        (Action::Created, _) if event.meta.kind == Kind::Key => {
            Ok(format!("{noun} {subject} added"))
        }
        (Action::Destroyed, _) if event.meta.kind == Kind::Key => {
            Ok(format!("{noun} {subject} removed"))
        }
        (Action::Created, _) => Ok(format!("{noun} {subject} created")),
        (Action::Destroyed, _) => Ok(format!("{noun} {subject} deleted")),
        (Action::Renamed, Some(old)) => Ok(format!("{noun} {old} renamed to {subject}")),
        (Action::Renamed, None) => Ok(format!("{noun} {subject} renamed")),
        (Action::Transferred, Some(old)) => Ok(format!("{noun} {old} moved to {subject}")),
        (Action::Transferred, None) => Ok(format!("{noun} {subject} moved")),
        (Action::FailedLogin, _) => {
            let state = optional_code(hook.state.as_deref(), MAX_NAME);
            let state = prefixed(", the account is ", state);
            Ok(format!("Sign in of user {subject} failed{state}"))
        }
        // GitLab does not send what changed.
        (Action::Updated, _) => Err(SkipReason::MinorUpdate),
        (Action::Unknown, _) => Err(SkipReason::UnknownAction),
    }
}

fn noun(kind: Kind) -> &'static str {
    match kind {
        Kind::Project => "Project",
        Kind::Subgroup => "Subgroup",
        Kind::Group => "Group",
        Kind::Key => "SSH key of",
        _ => "User",
    }
}
