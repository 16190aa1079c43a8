//! An issue or another work item, such as an incident, a task or an epic. Owns how they are parsed
//! and when they are confidential. Their messages are rendered in
//! [`message`](crate::notifier::message).

use serde::Deserialize;

use super::attributes::EventAttributes;
use super::change_details::ChangeDetails;
use super::event::{ParseError, Parsed};
use super::kind::Kind;
use super::labels::Labels;
use super::lenient::Lenient;
use super::mention::Markdown;
use super::meta::{CommonPayload, EventHints, digits};
use super::participants::Participants;
use super::project::path_of;
use super::text::Line;

/// An issue or work item new.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Issue {
    /// Type of the work item.
    pub(crate) work_item_type: WorkItemType,
    /// The action; `None` in a test delivery.
    pub(crate) action: Option<Action>,
    /// Whether it is open, if GitLab sends the state.
    pub(crate) state: Option<State>,
    /// The values that an update replaced.
    pub(crate) replaced: ChangeDetails,
}

/// Actions on an issue.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Action {
    /// Opened for the first time.
    Opened,
    /// Closed.
    Closed,
    /// Opened again.
    Reopened,
    /// Another change, such as to its labels.
    Updated,
    /// An action that this program does not know.
    Unknown,
}

/// Whether an issue is open.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum State {
    /// Open.
    Open,
    /// Closed.
    Closed,
}

/// The work item types of GitLab 19.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum WorkItemType {
    Issue,
    Incident,
    Task,
    TestCase,
    Requirement,
    Objective,
    KeyResult,
    Epic,
    Ticket,
    /// A type that this program does not know.
    Other,
}

pub(super) type Payload = CommonPayload<Attributes>;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Attributes {
    id: Option<u64>,
    iid: Option<u64>,
    #[serde(rename = "type")]
    work_item_type: Line,
    title: Line,
    description: Markdown,
    author_id: Lenient,
    state: Line,
    action: Line,
    confidential: Option<bool>,
    updated_at: Line,
    url: Line,
}

impl Payload {
    pub(super) fn read(mut self, hints: &EventHints) -> Result<Parsed<Issue>, ParseError> {
        let issue = self.attributes()?;
        if issue.iid.is_none() && issue.title.0.is_none() {
            return Err(ParseError::Missing("object_attributes.iid"));
        }
        let identity = [
            &digits(issue.id),
            issue.action.as_str(),
            issue.updated_at.as_str(),
            issue.state.as_str(),
        ];
        let project = self.project();
        let project_path = path_of(project.as_ref());
        let mut meta = hints.meta(project, issue.url.0.as_deref(), &identity);
        meta.confidential = hints.confidential || issue.confidential == Some(true);
        let assignees = self.assignees.people();
        let new = self.changes.0;
        let new = new.read(issue.action.as_str(), None, &assignees);
        let participants = Participants {
            actor: self.user.person(),
            assignees,
            new_assignees: new.assignees,
            mentioned: issue.description.mentions,
            ..Participants::default()
        };
        let action = issue.action.0.as_deref().map(Action::parse);
        Ok(Parsed {
            meta,
            kind: Issue {
                work_item_type: WorkItemType::parse(issue.work_item_type.as_str(), hints),
                action,
                state: State::parse(issue.state.as_str()),
                replaced: new.details,
            },
            attributes: EventAttributes {
                project_path,
                action: issue.action.0.or(issue.state.0),
                minor_update: action == Some(Action::Updated) && !new.actions.is_empty(),
                changes: new.actions,
                labels: self.labels.map(Labels::titles),
                participants: participants.with_author(&issue.author_id),
                number: issue.iid,
                title: issue.title.0,
                text: issue.description.line,
                page: issue.url.0,
                ..EventAttributes::default()
            },
        })
    }
}

impl Action {
    fn parse(word: &str) -> Self {
        match word {
            "open" => Self::Opened,
            "close" => Self::Closed,
            "reopen" => Self::Reopened,
            "update" => Self::Updated,
            _ => Self::Unknown,
        }
    }
}

impl State {
    fn parse(word: &str) -> Option<Self> {
        match word {
            "opened" => Some(Self::Open),
            "closed" => Some(Self::Closed),
            _ => None,
        }
    }
}

impl WorkItemType {
    /// GitLab before 16 sends no type for issues.
    fn parse(word: &str, hints: &EventHints) -> Self {
        match word {
            "Issue" => Self::Issue,
            "Incident" => Self::Incident,
            "Task" => Self::Task,
            "Test Case" => Self::TestCase,
            "Requirement" => Self::Requirement,
            "Objective" => Self::Objective,
            "Key Result" => Self::KeyResult,
            "Epic" => Self::Epic,
            "Ticket" => Self::Ticket,
            "" if hints.kind == Kind::Issue => Self::Issue,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::event::EventKind;
    use super::super::fixtures::{body, event};

    #[test]
    fn an_update_keeps_the_values_that_it_replaced() {
        for name in ["issue_updated", "work_item_updated"] {
            let mut updated = body(name);
            updated["changes"]["title"] = json!({ "previous": "Stop", "current": "Go" });
            let EventKind::Issue(issue) = event(&updated).kind else {
                panic!("{name} is no issue");
            };
            let old_title = issue.replaced.old_title.as_deref();
            assert_eq!(old_title, Some("Stop"), "{name}");
        }
    }
}
