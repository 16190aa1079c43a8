//! A milestone. Owns how it is parsed; its action is at the top level of the body, not in
//! `object_attributes`. Its message is rendered in [`message`](crate::notifier::message).

use serde::Deserialize;

use super::attributes::EventAttributes;
use super::event::{ParseError, Parsed};
use super::group::GroupPayload;
use super::lenient::Lenient;
use super::meta::{EventHints, digits};
use super::object::Object;
use super::participants::{Participants, User};
use super::project::{ProjectPayload, path_of};
use super::text::Line;

/// A milestone changed. Its number is the attribute `number`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Milestone {
    /// Path or name of its group, if the milestone belongs to a group.
    pub(crate) group: Option<String>,
    /// The action; `None` in a test delivery.
    pub(crate) action: Option<Action>,
    /// Title of the milestone.
    pub(crate) title: String,
    /// Due date, as GitLab writes it.
    pub(crate) due: Option<String>,
}

/// Actions on a milestone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Action {
    /// Created.
    Created,
    /// Closed.
    Closed,
    /// Opened again.
    Reopened,
    /// Deleted.
    Deleted,
    /// An action that this program does not know.
    Unknown,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Payload {
    user: User,
    project: Option<ProjectPayload>,
    /// Instead of a project, for a milestone of a group.
    group: Option<GroupPayload>,
    action: Line,
    object_attributes: Option<Object<Attributes>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Attributes {
    id: Option<u64>,
    iid: Option<u64>,
    title: Line,
    description: Lenient,
    due_date: Line,
    action: Line,
    state: Lenient,
    updated_at: Line,
}

impl Payload {
    pub(super) fn read(self, hints: &EventHints) -> Result<Parsed<Milestone>, ParseError> {
        let Object(milestone) = self
            .object_attributes
            .ok_or(ParseError::Missing("object_attributes"))?;
        let action = self.action.0.or(milestone.action.0);
        let identity = [
            &digits(milestone.id),
            action.as_deref().unwrap_or_default(),
            milestone.updated_at.as_str(),
            milestone.state.as_str(),
        ];
        let project = self.project.and_then(ProjectPayload::read);
        let group = self.group.filter(|_| project.is_none());
        let project_path = match &group {
            Some(group) => group.path(),
            None => path_of(project.as_ref()),
        };
        let meta = hints.meta(project, None, &identity);
        let title = milestone.title.0;
        let title = title.ok_or(ParseError::Missing("object_attributes.title"))?;
        Ok(Parsed {
            meta,
            kind: Milestone {
                group: group.and_then(GroupPayload::label),
                action: action.as_deref().map(Action::parse),
                title: title.clone(),
                due: milestone.due_date.0,
            },
            attributes: EventAttributes {
                project_path,
                action: action.or_else(|| milestone.state.text()),
                participants: Participants::of_actor(self.user.person()),
                number: milestone.iid,
                title: Some(title),
                text: milestone.description.text(),
                ..EventAttributes::default()
            },
        })
    }
}

impl Action {
    fn parse(word: &str) -> Self {
        match word {
            "create" => Self::Created,
            "close" => Self::Closed,
            "reopen" => Self::Reopened,
            "delete" => Self::Deleted,
            _ => Self::Unknown,
        }
    }
}
