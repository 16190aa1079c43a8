//! The message about a milestone. Owns its wording; the event is parsed in
//! [`gitlab::milestone`](crate::gitlab::milestone). A milestone of a group has no link, because GitLab
//! sends no address with it.

use super::fragments::{code, in_project_by_actor, lines, optional_code, prefixed, project_page};
use super::{MAX_NAME, MAX_PATH, MAX_TITLE, SkipReason};
use crate::gitlab::event::Event;
use crate::gitlab::milestone::{Action, Milestone};

pub(super) fn render(event: &Event, milestone: &Milestone) -> Result<String, SkipReason> {
    let verb = match milestone.action {
        Some(Action::Created) => "created",
        Some(Action::Closed) => "closed",
        Some(Action::Reopened) => "reopened",
        Some(Action::Deleted) => "deleted",
        Some(Action::Unknown) => return Err(SkipReason::UnknownAction),
        None => "exists",
    };
    let noun = match event.attributes.number {
        // A deleted milestone has no page.
        Some(number) if milestone.action == Some(Action::Deleted) => format!("Milestone {number}"),
        Some(number) => project_page(
            event,
            &format!("-/milestones/{number}"),
            &format!("Milestone {number}"),
        ),
        None => "Milestone".to_owned(),
    };
    let group = optional_code(milestone.group.as_deref(), MAX_PATH);
    let place = prefixed(" in group ", group);
    let headline = format!("{noun} {verb}{place}{}", in_project_by_actor(event));
    let title = code(&milestone.title, MAX_TITLE);
    let details = match optional_code(milestone.due.as_deref(), MAX_NAME) {
        Some(due) => format!("{title}, due {due}"),
        None => title,
    };
    Ok(lines(headline, Some(details)))
}
