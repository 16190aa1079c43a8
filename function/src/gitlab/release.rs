//! A release. Owns what is read of it; its action is a field beside it, not in it. Its message is rendered
//! in [`message`](crate::notifier::message).

use serde::Deserialize;

use super::attributes::EventAttributes;
use super::commit::CommitPayload;
use super::event::{ParseError, Parsed};
use super::meta::{EventHints, digits};
use super::participants::Participants;
use super::project::{ProjectPayload, path_of};
use super::text::Line;

/// Something happened to a release. Its title is the attribute `title`; GitLab does not say who did it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Release {
    /// What happened; `None` in a test delivery.
    pub(crate) action: Option<Action>,
    /// The tag it belongs to.
    pub(crate) tag: String,
}

/// What can happen to a release.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Action {
    /// It is new.
    Created,
    /// It was edited.
    Updated,
    /// It was deleted.
    Deleted,
    /// A word that this program does not know.
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
    commit: Option<CommitPayload>,
    released_at: Line,
    description: Line,
    url: Line,
}

impl Payload {
    pub(super) fn read(self, hints: &EventHints) -> Result<Parsed<Release>, ParseError> {
        // The body has no time of the change; the texts take its place.
        let identity = [
            &digits(self.id),
            self.action.as_str(),
            self.released_at.as_str(),
            self.name.as_str(),
            self.description.as_str(),
        ];
        let project = self.project.and_then(ProjectPayload::read);
        let project_path = path_of(project.as_ref());
        let meta = hints.meta(project, self.url.0.as_deref(), &identity);
        let tag = self.tag.0.ok_or(ParseError::Missing("tag"))?;
        let commit = self.commit.unwrap_or_default();
        Ok(Parsed {
            meta,
            kind: Release {
                action: self.action.0.as_deref().map(Action::parse),
                tag: tag.clone(),
            },
            attributes: EventAttributes {
                project_path,
                action: self.action.0,
                reference: Some(tag),
                title: self.name.0,
                text: self.description.0,
                page: self.url.0,
                participants: Participants::of_commit(None, commit.author()),
                sha: commit.id.0,
                ..EventAttributes::default()
            },
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
