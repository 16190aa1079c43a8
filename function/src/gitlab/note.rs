//! A comment, called note on the wire. Owns what it stands on, which commit that is, and when nobody
//! outside may read it. The words for people are in [`message`](crate::notifier::message).

use serde::Deserialize;

use super::commit::{CommitSha, MaybeCommit};
use super::event::ParseError;
use super::merge_request::LastCommit;
use super::meta::{EventHints, EventMeta, Person, digits};
use super::project::ProjectPayload;
use super::text::Line;

/// Somebody wrote a comment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Note {
    /// Where and by whom.
    pub meta: EventMeta,
    /// What it is a comment on.
    pub on: Noteable,
    /// What happened; GitLab before 16.11 does not say, and then it is new.
    pub action: Action,
    /// Only members may see it.
    pub confidential: bool,
    /// GitLab wrote it itself.
    pub system: bool,
    /// Its first line.
    pub text: Option<String>,
    /// Its place on the page, as GitLab sent it; not yet safe to link to.
    pub page: Option<String>,
}

/// What can happen to a comment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Action {
    /// It is new.
    Created,
    /// It was edited.
    Updated,
    /// A word we do not know.
    Unknown,
}

/// What people comment on and react to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Noteable {
    /// A commit.
    Commit(Option<CommitSha>),
    /// A merge request: its number and its last commit.
    MergeRequest(Option<u64>, Option<CommitSha>),
    /// An issue or work item: its number.
    Issue(Option<u64>),
    /// A snippet.
    Snippet,
    /// Something else.
    Other,
}

impl Noteable {
    /// The commit it is about.
    pub fn sha(&self) -> Option<&CommitSha> {
        match self {
            Self::Commit(sha) | Self::MergeRequest(_, sha) => sha.as_ref(),
            Self::Issue(_) | Self::Snippet | Self::Other => None,
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Payload {
    user: Option<Person>,
    project: Option<ProjectPayload>,
    object_attributes: Option<Attributes>,
    commit: Option<LastCommit>,
    merge_request: Option<Numbered>,
    issue: Option<Numbered>,
}

/// What a comment or a reaction stands on; at most one is there.
pub(super) struct Destination {
    pub(super) commit: Option<LastCommit>,
    pub(super) merge_request: Option<Numbered>,
    pub(super) issue: Option<Numbered>,
}

/// A merge request or an issue.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Numbered {
    iid: Option<u64>,
    last_commit: Option<LastCommit>,
    confidential: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Attributes {
    id: Option<u64>,
    note: Line,
    noteable_type: Line,
    commit_id: MaybeCommit,
    action: Line,
    system: Option<bool>,
    internal: Option<bool>,
    confidential: Option<bool>,
    updated_at: Line,
    url: Line,
}

impl Payload {
    pub(super) fn read(self, hints: &EventHints) -> Result<Note, ParseError> {
        let mut attributes = self
            .object_attributes
            .ok_or(ParseError::Missing("object_attributes"))?;
        let identity = [
            &digits(attributes.id),
            attributes.action.as_str(),
            attributes.updated_at.as_str(),
        ];
        let target = Destination {
            commit: self.commit,
            merge_request: self.merge_request,
            issue: self.issue,
        };
        let hidden = attributes.is_internal() || target.is_confidential();
        Ok(Note {
            meta: hints.meta(self.project, self.user, &identity),
            action: Action::parse(attributes.action.as_str()),
            confidential: hints.confidential || hidden,
            system: attributes.system == Some(true),
            text: attributes.note.0.take(),
            page: attributes.url.0.take(),
            on: attributes.read_target(target),
        })
    }
}

impl Attributes {
    /// Meant for members only, in either of GitLab's words for it.
    pub(super) fn is_internal(&self) -> bool {
        self.internal == Some(true) || self.confidential == Some(true)
    }

    /// What the comment stands on.
    pub(super) fn read_target(self, target: Destination) -> Noteable {
        target.read(self.noteable_type.as_str(), self.commit_id)
    }
}

impl Destination {
    /// An issue that only members may see makes everything on it confidential.
    pub(super) fn is_confidential(&self) -> bool {
        let numbered = [&self.merge_request, &self.issue].into_iter().flatten();
        numbered.into_iter().any(|on| on.confidential == Some(true))
    }

    /// The thing of the type that GitLab names; `commit` is the comment's own word for its commit.
    pub(super) fn read(self, noteable: &str, commit: MaybeCommit) -> Noteable {
        match noteable {
            "Commit" => Noteable::Commit(self.commit.and_then(|commit| commit.id.0).or(commit.0)),
            "MergeRequest" => {
                let on = self.merge_request.unwrap_or_default();
                Noteable::MergeRequest(on.iid, on.last_commit.and_then(|commit| commit.id.0))
            }
            "Issue" | "WorkItem" => Noteable::Issue(self.issue.and_then(|issue| issue.iid)),
            "Snippet" | "ProjectSnippet" => Noteable::Snippet,
            _ => Noteable::Other,
        }
    }
}

impl Action {
    fn parse(word: &str) -> Self {
        match word {
            "" | "create" => Self::Created,
            "update" => Self::Updated,
            _ => Self::Unknown,
        }
    }
}
