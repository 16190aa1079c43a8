//! The message about a membership. Owns its wording; the event is parsed in
//! [`gitlab::member`](crate::gitlab::member).

use super::fragments::{code, optional_code, prefixed};
use super::{MAX_NAME, MAX_PATH, SkipReason};
use crate::gitlab::event::Event;
use crate::gitlab::member::{Action, Member};

pub(super) fn render(event: &Event, member: &Member) -> Result<String, SkipReason> {
    let who = code(&member.who, MAX_NAME);
    let place = match (&member.group, &event.meta.project) {
        (Some(group), _) => format!("group {}", code(group, MAX_PATH)),
        (None, Some(project)) => format!("project {}", code(project.label(), MAX_PATH)),
        (None, None) => return Err(SkipReason::UnknownAction),
    };
    let access = prefixed(" as ", optional_code(member.access.as_deref(), MAX_NAME));
    match member.action {
        Action::Joined => Ok(format!("{who} joined {place}{access}")),
        Action::Changed => Ok(format!(
            "Membership of {who} in {place} changed{}",
            now(member)
        )),
        Action::Left => Ok(format!("{who} left {place}")),
        Action::Requested => Ok(format!("{who} asks to join {place}{access}")),
        Action::Denied => Ok(format!("Request of {who} to join {place} denied")),
        Action::Unknown => Err(SkipReason::UnknownAction),
    }
}

fn now(member: &Member) -> String {
    prefixed(", now ", optional_code(member.access.as_deref(), MAX_NAME))
}
