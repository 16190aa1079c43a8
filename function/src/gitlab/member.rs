//! The membership of a user in a group or a project, from group hooks and system hooks. Owns how a
//! change to it is parsed. Its message is rendered in [`message`](crate::notifier::message).

use serde::Deserialize;

use super::attributes::EventAttributes;
use super::event::{ParseError, Parsed};
use super::meta::{EventHints, digits};
use super::project::Project;
use super::text::Line;

/// A membership changed. GitLab does not send who changed it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Member {
    /// Path or name of the group; `None` for a membership of a project.
    pub(crate) group: Option<String>,
    /// The action.
    pub(crate) action: Action,
    /// The member's full name, or else the username.
    pub(crate) who: String,
    /// The member's current access level, in GitLab's term.
    pub(crate) access: Option<String>,
}

/// Actions on a membership.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Action {
    /// The user became a member.
    Joined,
    /// The access level or the expiry date changed.
    Changed,
    /// The user is no longer a member.
    Left,
    /// The user asked for membership.
    Requested,
    /// The request for membership was denied.
    Denied,
    /// An action that this program does not know.
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
            "user_access_request_denied_for_group"
            | "user_access_request_denied_for_project"
            | "user_access_request_revoked_for_group"
            | "user_access_request_revoked_for_project" => Self::Denied,
            _ => Self::Unknown,
        }
    }
}
