//! Projects, groups, accounts and SSH keys that are created, deleted or renamed, from system hooks
//! and group hooks. Owns how they are parsed. Their messages are rendered in
//! [`message`](crate::notifier::message).

use serde::Deserialize;

use super::attributes::EventAttributes;
use super::event::{ParseError, Parsed};
use super::kind::Kind;
use super::meta::{EventHints, digits};
use super::text::Line;

/// A project, group, subgroup, account or key was created, changed or deleted; the metadata has its
/// kind. GitLab does not send who did it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct SystemHook {
    /// The action.
    pub(crate) action: Action,
    /// What changed: a path, a username, or for a key the username of its owner.
    pub(crate) subject: String,
    /// The old path or name, if that changed.
    pub(crate) old_name: Option<String>,
    /// For a failed sign-in, the state of the account in GitLab's term.
    pub(crate) state: Option<String>,
}

/// Actions that a system hook reports.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Action {
    /// Created.
    Created,
    /// Deleted.
    Destroyed,
    /// Renamed.
    Renamed,
    /// Moved to another group or user.
    Transferred,
    /// Another change.
    Updated,
    /// A user failed to sign in.
    FailedLogin,
    /// An action that this program does not know.
    Unknown,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Payload {
    path_with_namespace: Line,
    old_path_with_namespace: Line,
    full_path: Line,
    old_full_path: Line,
    path: Line,
    username: Line,
    old_username: Line,
    name: Line,
    state: Line,
    id: Option<u64>,
    project_id: Option<u64>,
    group_id: Option<u64>,
    user_id: Option<u64>,
    updated_at: Line,
}

impl Payload {
    pub(super) fn read(self, hints: &EventHints) -> Result<Parsed<SystemHook>, ParseError> {
        let id = [self.id, self.project_id, self.group_id, self.user_id];
        let id = digits(id.into_iter().flatten().next());
        let paths = [&self.path_with_namespace, &self.full_path];
        let project_path = paths.into_iter().find_map(|path| path.0.clone());
        let title = self.name.0.clone();
        let (subject, old_name) = match hints.kind {
            Kind::Project => (self.path_with_namespace.0, self.old_path_with_namespace.0),
            Kind::Group | Kind::Subgroup => {
                (self.full_path.0.or(self.path.0), self.old_full_path.0)
            }
            _ => (self.username.0, self.old_username.0),
        };
        let subject = subject.or(self.name.0).ok_or(ParseError::Missing("name"))?;
        let identity = [
            &id,
            subject.as_str(),
            self.updated_at.as_str(),
            self.state.as_str(),
        ];
        Ok(Parsed {
            meta: hints.meta(None, None, &identity),
            attributes: EventAttributes {
                project_path: project_path.unwrap_or_default(),
                action: Some(hints.name.to_owned()),
                title,
                ..EventAttributes::default()
            },
            kind: SystemHook {
                action: Action::parse(hints.name),
                old_name,
                state: self.state.0,
                subject,
            },
        })
    }
}

impl Action {
    fn parse(event_name: &str) -> Self {
        if event_name == "user_failed_login" {
            return Self::FailedLogin;
        }
        match event_name.rsplit('_').next() {
            Some("create") => Self::Created,
            Some("destroy") => Self::Destroyed,
            Some("rename") => Self::Renamed,
            Some("transfer") => Self::Transferred,
            Some("update") => Self::Updated,
            _ => Self::Unknown,
        }
    }
}
