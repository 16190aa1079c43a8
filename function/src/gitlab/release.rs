//! A release. Owns what is read of it; its action stands beside it, not in it. The words for people
//! are in [`message`](crate::notifier::message).

use serde::Deserialize;

use super::commit::CommitSha;
use super::event::ParseError;
use super::merge_request::LastCommit;
use super::meta::{EventHints, EventMeta, digits};
use super::project::ProjectPayload;
use super::text::Line;

/// Something happened to a release.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Release {
    /// Where; GitLab does not say by whom.
    pub meta: EventMeta,
    /// What happened; none in a test delivery.
    pub action: Option<Action>,
    /// The tag it belongs to.
    pub tag: String,
    /// Its title.
    pub name: Option<String>,
    /// The commit the tag stands on.
    pub sha: Option<CommitSha>,
    /// Its page, as GitLab sent it; not yet safe to link to.
    pub page: Option<String>,
}

/// What can happen to a release.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Action {
    /// It is new.
    Created,
    /// It was edited.
    Updated,
    /// It is gone.
    Deleted,
    /// A word we do not know.
    Unknown,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Payload {
    project: Option<ProjectPayload>,
    id: Option<u64>,
    action: Line,
    tag: Line,
    name: Line,
    commit: Option<LastCommit>,
    released_at: Line,
    description: Line,
    url: Line,
}

impl Payload {
    pub(super) fn read(self, hints: &EventHints) -> Result<Release, ParseError> {
        // There is no time of the change in it; the texts stand in for one.
        let identity = [
            &digits(self.id),
            self.action.as_str(),
            self.released_at.as_str(),
            self.name.as_str(),
            self.description.as_str(),
        ];
        Ok(Release {
            meta: hints.meta(self.project, None, &identity),
            action: self.action.0.as_deref().map(Action::parse),
            tag: self.tag.0.ok_or(ParseError::Missing("tag"))?,
            name: self.name.0,
            sha: self.commit.and_then(|commit| commit.id.0),
            page: self.url.0,
        })
    }
}

impl Action {
    /// Reads GitLab's word, the same for releases and pages of a wiki.
    pub(super) fn parse(word: &str) -> Self {
        match word {
            "create" => Self::Created,
            "update" => Self::Updated,
            "delete" => Self::Deleted,
            _ => Self::Unknown,
        }
    }
}
