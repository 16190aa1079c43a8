//! Membership of a group or a project, from group hooks and system hooks. Owns what is read of a change
//! to it. Its message is rendered in [`message`](crate::notifier::message).

use serde::Deserialize;

use super::attributes::EventAttributes;
use super::event::{ParseError, Parsed};
use super::meta::{EventHints, digits};
use super::project::Project;
use super::text::Line;

/// The membership of a person changed. GitLab does not say who changed it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Member {
    /// The group, unless it is a project.
    pub(crate) group: Option<String>,
    /// What happened.
    pub(crate) action: Action,
    /// The person, by full name or else by user name.
    pub(crate) who: String,
    /// Their access level now, in GitLab's word.
    pub(crate) access: Option<String>,
}

/// What can happen to a membership.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Action {
    /// It began.
    Joined,
    /// Its level or its end changed.
    Changed,
    /// It ended.
    Left,
    /// The person asked for it.
    Requested,
    /// The request was denied.
    Denied,
    /// A word that this program does not know.
    Unknown,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Payload {
    user_name: Line,
    user_username: Line,
    user_id: Option<u64>,
    group_path: Line,
    group_name: Line,
    group_access: Line,
    access_level: Line,
    project_path_with_namespace: Line,
    project_name: Line,
    updated_at: Line,
}

impl Payload {
    pub(super) fn read(self, hints: &EventHints) -> Result<Parsed<Member>, ParseError> {
        let paths = [&self.project_path_with_namespace, &self.group_path];
        let project_path = paths.into_iter().find_map(|path| path.0.clone());
        let group = self.group_path.0.or(self.group_name.0);
        let project = match (self.project_path_with_namespace.0, self.project_name.0) {
            (Some(path), _) => Some(Project::at(path)),
            (None, name) => name.map(Project::named),
        };
        let place = project.as_ref().map(Project::label);
        let identity = [
            group.as_deref().or(place).unwrap_or_default(),
            &digits(self.user_id),
            self.access_level.as_str(),
            self.group_access.as_str(),
            self.updated_at.as_str(),
        ];
        let mut meta = hints.meta(None, None, &identity);
        meta.project = project;
        if meta.project.is_none() && group.is_none() {
            return Err(ParseError::Missing("group_path"));
        }
        let who = self.user_name.0.or(self.user_username.0);
        Ok(Parsed {
            meta,
            kind: Member {
                group,
                action: Action::parse(hints.name),
                who: who.ok_or(ParseError::Missing("user_name"))?,
                access: self.group_access.0.or(self.access_level.0),
            },
            attributes: EventAttributes {
                project_path: project_path.unwrap_or_default(),
                action: Some(hints.name.to_owned()),
                ..EventAttributes::default()
            },
        })
    }
}

impl Action {
    fn parse(event_name: &str) -> Self {
        match event_name {
            "user_add_to_group" | "user_add_to_team" => Self::Joined,
            "user_update_for_group" | "user_update_for_team" => Self::Changed,
            "user_remove_from_group" | "user_remove_from_team" => Self::Left,
            "user_access_request_to_group" | "user_access_request_to_project" => Self::Requested,
            "user_access_request_denied_for_group" | "user_access_request_denied_for_project" => {
                Self::Denied
            }
            _ => Self::Unknown,
        }
    }
}
