//! The message about an issue or another work item. Owns its wording; the event is parsed in
//! [`gitlab::issue`](crate::gitlab::issue).

use super::changes;
use super::fragments::{facts, title};
use super::headline::Headline;
use super::noun::Noun;
use super::sign::Sign;
use super::{Message, SkipReason};
use crate::gitlab::event::Event;
use crate::gitlab::issue::{Action, Issue, State, WorkItemType};

pub(super) fn render(event: &Event, issue: &Issue) -> Result<Message, SkipReason> {
    let open = match issue.work_item_type {
        WorkItemType::Incident => Sign::Alarm,
        _ => Sign::Issue,
    };
    let (sign, verb) = match (issue.action, issue.state) {
        (Some(Action::Opened), _) => (open, "opened"),
        (Some(Action::Closed), _) => (Sign::Done, "closed"),
        (Some(Action::Reopened), _) => (open, "reopened"),
        (Some(Action::Updated), _) => changes::verb(&event.attributes.changes, Sign::Issue)?,
        (None, Some(State::Open)) => (open, "is open"),
        (None, Some(State::Closed)) => (Sign::Done, "is closed"),
        (Some(Action::Unknown), _) | (None, None) => return Err(SkipReason::UnknownAction),
    };
    let headline = Headline::new(sign)
        .noun(&Noun::numbered(event, noun(issue.work_item_type), "issues"))
        .words(" ")
        .words(verb)
        .in_project_by_actor(event);
    Ok(Message::new(headline)
        .line(title(event.attributes.title.as_deref()))
        .line(facts(details(event, issue).into_iter().map(Some))))
}

/// The labels and assignees of a new issue, or what an update changed.
pub(super) fn details(event: &Event, issue: &Issue) -> Vec<String> {
    match issue.action {
        Some(Action::Opened) => changes::facts_of_new(event),
        Some(Action::Updated) => changes::facts(event, &issue.replaced),
        _ => Vec::new(),
    }
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
