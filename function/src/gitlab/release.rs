//! A release. Owns how it is parsed; its fields are at the top level of the body, not in
//! `object_attributes`. Its message is rendered in [`message`](crate::notifier::message).

use serde::Deserialize;

use super::attributes::EventAttributes;
use super::commit::CommitPayload;
use super::event::{ParseError, Parsed};
use super::meta::{EventHints, digits};
use super::participants::Participants;
use super::project::{ProjectPayload, path_of};
use super::text::Line;

/// A release changed. Its title is the attribute `title`. GitLab does not send who changed it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Release {
    /// The action; `None` in a test delivery.
    pub(crate) action: Option<Action>,
    /// Name of its tag.
    pub(crate) tag: String,
    /// Title of the commit that it is made of.
    pub(crate) commit_title: Option<String>,
}

/// Actions on a release or wiki page.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Action {
    /// Created.
    Created,
    /// Edited.
    Updated,
    /// Deleted.
    Deleted,
    /// An action that this program does not know.
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
        // The body has no time of the change, so the texts distinguish two edits.
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
                commit_title: commit.first_line(),
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
    /// Parses GitLab's term, which is the same for releases and wiki pages.
    pub(super) fn parse(word: &str) -> Self {
        match word {
            "create" => Self::Created,
            "update" => Self::Updated,
            "delete" => Self::Deleted,
            _ => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::event::EventKind;
    use super::super::fixtures::{body, event};

    #[test]
    fn a_release_has_the_title_of_its_commit() {
        for name in ["release_published", "release_deleted"] {
            let EventKind::Release(release) = event(&body(name)).kind else {
                panic!("{name} is no release");
            };
            let title = release.commit_title.as_deref();
            assert_eq!(title, Some("Light the engines in order"), "{name}");
        }
    }
}
