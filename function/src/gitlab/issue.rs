//! An issue and its kin: incidents, tasks, epics and other work items. Owns what is read of them and
//! when they are confidential. The words for people are in [`message`](crate::notifier::message).

use serde::Deserialize;

use super::event::ParseError;
use super::meta::{CommonPayload, EventHints, EventMeta, digits};
use super::text::Line;

/// Something happened to an issue or work item.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Issue {
    /// Where and by whom.
    pub meta: EventMeta,
    /// What work_item_type of work item it is.
    pub work_item_type: WorkItemType,
    /// Its number within the project or group.
    pub number: Option<u64>,
    /// What happened; none in a test delivery.
    pub action: Option<Action>,
    /// Whether it is open, where GitLab said so.
    pub state: Option<State>,
    /// Only members may see it.
    pub confidential: bool,
    /// Its title.
    pub title: Option<String>,
    /// Its page, as GitLab sent it; not yet safe to link to.
    pub page: Option<String>,
}

/// What can happen to an issue.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Action {
    /// It is new.
    Opened,
    /// It is done.
    Closed,
    /// It is not done after all.
    Reopened,
    /// Something about it changed.
    Updated,
    /// A word we do not know.
    Unknown,
}

/// Whether work on it goes on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum State {
    /// It goes on.
    Open,
    /// It has ended.
    Closed,
}

/// The sorts of work items of GitLab 19.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(missing_docs, reason = "the names are GitLab's and say it")]
pub enum WorkItemType {
    Issue,
    Incident,
    Task,
    TestCase,
    Requirement,
    Objective,
    KeyResult,
    Epic,
    Ticket,
    /// One that we do not know.
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
    state: Line,
    action: Line,
    confidential: Option<bool>,
    updated_at: Line,
    url: Line,
}

impl Payload {
    pub(super) fn read(mut self, hints: &EventHints) -> Result<Issue, ParseError> {
        let attributes = self.attributes()?;
        if attributes.iid.is_none() && attributes.title.0.is_none() {
            return Err(ParseError::Missing("object_attributes.iid"));
        }
        let identity = [
            &digits(attributes.id),
            attributes.action.as_str(),
            attributes.updated_at.as_str(),
        ];
        Ok(Issue {
            meta: hints.meta(self.project, self.user, &identity),
            work_item_type: WorkItemType::parse(attributes.work_item_type.as_str(), hints),
            number: attributes.iid,
            action: attributes.action.0.as_deref().map(Action::parse),
            state: State::parse(attributes.state.as_str()),
            confidential: hints.confidential || attributes.confidential == Some(true),
            title: attributes.title.0,
            page: attributes.url.0,
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
    /// GitLab before 16 names no type for an issue.
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
            "" if hints.kind == super::kind::Kind::Issue => Self::Issue,
            _ => Self::Other,
        }
    }
}
