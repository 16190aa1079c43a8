//! Who belongs to a group or a project, from group hooks and system hooks. Owns what is read of a
//! change to it. The words for people are in [`message`](crate::notifier::message).

use serde::Deserialize;

use super::event::ParseError;
use super::meta::{EventHints, EventMeta, digits};
use super::project::Project;
use super::text::Line;

/// Somebody's membership changed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Member {
    /// Where, unless it is a group; GitLab does not say by whom.
    pub meta: EventMeta,
    /// The group, unless it is a project.
    pub group: Option<String>,
    /// What happened.
    pub action: Action,
    /// Who it happened to, by full name or else by user name.
    pub who: String,
    /// What they may do there now, in GitLab's word.
    pub access: Option<String>,
}

/// What can happen to a membership.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Action {
    /// It began.
    Joined,
    /// Its level or its end changed.
    Changed,
    /// It ended.
    Left,
    /// Somebody asked for it.
    Requested,
    /// The wish was not granted.
    Denied,
    /// A word we do not know.
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
    pub(super) fn read(self, hints: &EventHints) -> Result<Member, ParseError> {
        let group = self.group_path.0.or(self.group_name.0);
        let project = self.project_path_with_namespace.0.or(self.project_name.0);
        let identity = [
            group.as_deref().or(project.as_deref()).unwrap_or_default(),
            &digits(self.user_id),
            self.access_level.as_str(),
            self.group_access.as_str(),
            self.updated_at.as_str(),
        ];
        let mut meta = hints.meta(None, None, &identity);
        meta.project = project.map(|path| Project {
            path,
            web_url: None,
        });
        if meta.project.is_none() && group.is_none() {
            return Err(ParseError::Missing("group_path"));
        }
        Ok(Member {
            meta,
            group,
            action: Action::parse(hints.name),
            who: self
                .user_name
                .0
                .or(self.user_username.0)
                .ok_or(ParseError::Missing("user_name"))?,
            access: self.group_access.0.or(self.access_level.0),
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
