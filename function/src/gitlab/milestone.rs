//! A milestone. Owns what is read of it; its action stands beside it, not in it. The words for people
//! are in [`message`](crate::notifier::message).

use serde::Deserialize;

use super::event::ParseError;
use super::meta::{EventHints, EventMeta, Person, digits};
use super::project::ProjectPayload;
use super::text::Line;

/// Something happened to a milestone.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Milestone {
    /// Where and by whom.
    pub meta: EventMeta,
    /// What happened; none in a test delivery.
    pub action: Option<Action>,
    /// Its number within the project.
    pub number: Option<u64>,
    /// Its title.
    pub title: String,
    /// The day it should be reached.
    pub due: Option<String>,
}

/// What can happen to a milestone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Action {
    /// It is new.
    Created,
    /// It is reached or given up.
    Closed,
    /// It is worked on again.
    Reopened,
    /// A word we do not know.
    Unknown,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Payload {
    user: Option<Person>,
    project: Option<ProjectPayload>,
    action: Line,
    object_attributes: Option<Attributes>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Attributes {
    id: Option<u64>,
    iid: Option<u64>,
    title: Line,
    due_date: Line,
    action: Line,
    updated_at: Line,
}

impl Payload {
    pub(super) fn read(self, hints: &EventHints) -> Result<Milestone, ParseError> {
        let attributes = self
            .object_attributes
            .ok_or(ParseError::Missing("object_attributes"))?;
        let action = self.action.0.or(attributes.action.0);
        let identity = [
            &digits(attributes.id),
            action.as_deref().unwrap_or_default(),
            attributes.updated_at.as_str(),
        ];
        Ok(Milestone {
            meta: hints.meta(self.project, self.user, &identity),
            action: action.as_deref().map(Action::parse),
            number: attributes.iid,
            title: attributes
                .title
                .0
                .ok_or(ParseError::Missing("object_attributes.title"))?,
            due: attributes.due_date.0,
        })
    }
}

impl Action {
    fn parse(word: &str) -> Self {
        match word {
            "create" => Self::Created,
            "close" => Self::Closed,
            "reopen" => Self::Reopened,
            _ => Self::Unknown,
        }
    }
}
