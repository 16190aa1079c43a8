//! What is said of an issue or another work item. Owns the words; what they are made of is read in
//! [`gitlab::issue`](crate::gitlab::issue).

use super::Ignored;
use super::phrase::{lines, numbered_page, place_and_actor, title};
use crate::gitlab::issue::{Action, Issue, Sort, State};

pub(super) fn words(issue: &Issue) -> Result<String, Ignored> {
    let verb = match (issue.action, issue.state) {
        (Some(Action::Opened), _) => "opened",
        (Some(Action::Closed), _) => "closed",
        (Some(Action::Reopened), _) => "reopened",
        (Some(Action::Updated), _) => return Err(Ignored::MinorUpdate),
        (None, Some(State::Open)) => "is open",
        (None, Some(State::Closed)) => "is closed",
        (Some(Action::Unknown), _) | (None, None) => return Err(Ignored::UnknownAction),
    };
    let noun = numbered_page(
        &issue.scene,
        issue.page.as_deref(),
        noun(issue.sort),
        "issues",
        issue.number,
    );
    let headline = format!("{noun} {verb}{}", place_and_actor(&issue.scene));
    Ok(lines(headline, title(issue.title.as_deref())))
}

fn noun(sort: Sort) -> &'static str {
    match sort {
        Sort::Issue => "Issue",
        Sort::Incident => "Incident",
        Sort::Task => "Task",
        Sort::TestCase => "Test case",
        Sort::Requirement => "Requirement",
        Sort::Objective => "Objective",
        Sort::KeyResult => "Key result",
        Sort::Epic => "Epic",
        Sort::Ticket => "Ticket",
        Sort::Other => "Work item",
    }
}
