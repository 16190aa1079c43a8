//! Where something happened: a project. Owns its path and its page. A group, which some events
//! happen in instead, is read by [`member`](super::member) and its neighbours.

use serde::Deserialize;

use super::text::Line;

/// A project on GitLab.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Project {
    /// Path with its groups, such as `acme/rocket`.
    pub path: String,
    /// Its page, as GitLab sent it; not yet safe to link to.
    pub web_url: Option<String>,
}

/// A project in a body.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct ProjectPayload {
    path_with_namespace: Line,
    name: Line,
    web_url: Line,
}

impl ProjectPayload {
    /// The project, by its path or else its name; none if it has neither.
    pub(super) fn read(self) -> Option<Project> {
        Some(Project {
            path: self.path_with_namespace.0.or(self.name.0)?,
            web_url: self.web_url.0,
        })
    }
}
