//! A group on GitLab, in the field `group` of a body. Owns its path; a project is in
//! [`project`](super::project). The events of the group itself are parsed by their kind.

use serde::Deserialize;

use super::text::Line;

/// The field `group` of a body.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct GroupPayload {
    group_path: Line,
    full_path: Line,
    group_name: Line,
}

impl GroupPayload {
    /// The path as rules match it, with the groups around it; `""` if there is none.
    pub(super) fn path(&self) -> String {
        let path = self.full_path.0.as_ref().or(self.group_path.0.as_ref());
        path.cloned().unwrap_or_default()
    }

    /// The path, or else the name.
    pub(super) fn label(self) -> Option<String> {
        self.full_path.0.or(self.group_path.0).or(self.group_name.0)
    }
}
