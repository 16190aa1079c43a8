//! The message about an issue or another work item. Owns its wording; the event is parsed in
//! [`gitlab::issue`](crate::gitlab::issue).

use super::SkipReason;
use super::changes::verb_of_changes;
use super::fragments::{in_project_by_actor, lines, numbered_page, title};
use crate::gitlab::event::Event;
use crate::gitlab::issue::{Action, Issue, State, WorkItemType};

pub(super) fn render(event: &Event, issue: &Issue) -> Result<String, SkipReason> {
    let verb = match (issue.action, issue.state) {
        (Some(Action::Opened), _) => "opened",
        (Some(Action::Closed), _) => "closed",
        (Some(Action::Reopened), _) => "reopened",
        (Some(Action::Updated), _) => &verb_of_changes(&event.attributes.changes)?,
        (None, Some(State::Open)) => "is open",
        (None, Some(State::Closed)) => "is closed",
        (Some(Action::Unknown), _) | (None, None) => return Err(SkipReason::UnknownAction),
    };
    let noun = numbered_page(event, noun(issue.work_item_type), "issues");
    let headline = format!("{noun} {verb}{}", in_project_by_actor(event));
    Ok(lines(headline, title(event.attributes.title.as_deref())))
}

fn noun(work_item_type: WorkItemType) -> &'static str {
    match work_item_type {
        WorkItemType::Issue => "Issue",
        WorkItemType::Incident => "Incident",
        WorkItemType::Task => "Task",
        WorkItemType::TestCase => "Test case",
        WorkItemType::Requirement => "Requirement",
        WorkItemType::Objective => "Objective",
        WorkItemType::KeyResult => "Key result",
        WorkItemType::Epic => "Epic",
        WorkItemType::Ticket => "Ticket",
        WorkItemType::Other => "Work item",
    }
}
