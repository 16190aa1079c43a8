//! A comment, which GitLab's API calls a note. Owns its noteable, the commit it is about, and when
//! it is confidential. Its message is rendered in [`message`](crate::notifier::message).

use serde::Deserialize;

use super::attributes::EventAttributes;
use super::commit::{CommitPayload, CommitSha, MaybeCommit};
use super::event::{ParseError, Parsed};
use super::labels::Labels;
use super::lenient::{Lenient, LenientNumbers, LenientObject};
use super::mention::Markdown;
use super::meta::{EventHints, digits};
use super::object::Object;
use super::participants::{Account, Participants, User};
use super::project::{ProjectPayload, path_of};
use super::text::Line;

/// A comment was added or edited. Its first line is the attribute `text`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Note {
    /// What was commented on.
    pub(crate) noteable: Noteable,
    /// The action; GitLab before 16.11 sends none, which counts as new.
    pub(crate) action: Action,
    /// Whether GitLab generated the comment.
    pub(crate) system: bool,
}

/// Actions on a comment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Action {
    /// Added.
    Created,
    /// Edited.
    Updated,
    /// An action that this program does not know.
    Unknown,
}

/// An object that can have comments and reactions.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Noteable {
    /// A commit, if GitLab sends a valid id.
    Commit(Option<CommitSha>),
    /// A merge request, with its number and last commit.
    MergeRequest(Option<u64>, Option<CommitSha>),
    /// An issue or work item, with its number.
    Issue(Option<u64>),
    /// A snippet.
    Snippet,
    /// Another type, or a type that this program does not know.
    Other,
}

impl Noteable {
    /// The commit that the noteable is about.
    pub(crate) fn sha(&self) -> Option<&CommitSha> {
        match self {
            Self::Commit(sha) | Self::MergeRequest(_, sha) => sha.as_ref(),
            Self::Issue(_) | Self::Snippet | Self::Other => None,
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Payload {
    user: User,
    project: Option<ProjectPayload>,
    object_attributes: Option<Object<Attributes>>,
    commit: Option<CommitPayload>,
    merge_request: Option<Issuable>,
    issue: Option<Issuable>,
    snippet: LenientObject<Snippet>,
}

/// The objects in a body, one of which is the noteable.
#[derive(Default)]
pub(super) struct Noteables {
    pub(super) commit: Option<CommitPayload>,
    pub(super) merge_request: Option<Issuable>,
    pub(super) issue: Option<Issuable>,
    pub(super) snippet: Snippet,
}

/// A merge request or an issue.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Issuable {
    iid: Option<u64>,
    title: Lenient,
    author_id: Lenient,
    assignee: LenientObject<Account>,
    assignee_ids: LenientNumbers,
    reviewer_ids: LenientNumbers,
    source_branch: Lenient,
    target_branch: Lenient,
    last_commit: Option<CommitPayload>,
    confidential: Option<bool>,
    labels: Option<Labels>,
    draft: Lenient,
    work_in_progress: Lenient,
}

/// A snippet.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Snippet {
    title: Lenient,
    author_id: Lenient,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Attributes {
    id: Option<u64>,
    #[serde(deserialize_with = "Markdown::strict")]
    note: Markdown,
    noteable_type: Line,
    author_id: Lenient,
    commit_id: MaybeCommit,
    action: Line,
    system: Option<bool>,
    internal: Option<bool>,
    confidential: Option<bool>,
    updated_at: Line,
    url: Line,
}

impl Payload {
    pub(super) fn read(self, hints: &EventHints) -> Result<Parsed<Note>, ParseError> {
        let Object(note) = self
            .object_attributes
            .ok_or(ParseError::Missing("object_attributes"))?;
        let identity = [
            &digits(note.id),
            note.action.as_str(),
            note.updated_at.as_str(),
        ];
        let noteables = Noteables {
            commit: self.commit,
            merge_request: self.merge_request,
            issue: self.issue,
            snippet: self.snippet.0,
        };
        let project = self.project.and_then(ProjectPayload::read);
        let project_path = path_of(project.as_ref());
        let mut meta = hints.meta(project, note.url.0.as_deref(), &identity);
        let is_internal = note.is_internal() || noteables.is_confidential();
        meta.confidential = hints.confidential || is_internal;
        let mut about = noteables.attributes(self.user, &note.author_id);
        about.participants.mentioned = note.note.mentions;
        let action = Action::parse(note.action.as_str());
        let system = note.system == Some(true);
        let noteable = noteables.read(note.noteable_type.as_str(), note.commit_id);
        Ok(Parsed {
            meta,
            attributes: EventAttributes {
                project_path,
                action: note.action.0,
                minor_update: action == Action::Updated && !system,
                sha: noteable.sha().cloned(),
                text: note.note.line,
                page: note.url.0,
                ..about
            },
            kind: Note {
                noteable,
                action,
                system,
            },
        })
    }
}

impl Attributes {
    /// Whether only members may see it, by either of GitLab's fields.
    pub(super) fn is_internal(&self) -> bool {
        self.internal == Some(true) || self.confidential == Some(true)
    }

    /// The noteable of the comment.
    pub(super) fn read_noteable(self, noteables: Noteables) -> Noteable {
        noteables.read(self.noteable_type.as_str(), self.commit_id)
    }
}

impl Noteables {
    /// A confidential issue or merge request makes its comments and reactions confidential.
    pub(super) fn is_confidential(&self) -> bool {
        let issuable = [&self.merge_request, &self.issue].into_iter().flatten();
        issuable
            .into_iter()
            .any(|object| object.confidential == Some(true))
    }

    /// The attributes that a comment or reaction takes from its noteable. `author` is the id of the
    /// comment's author, used if the noteable has no author.
    pub(super) fn attributes(&self, user: User, author: &Lenient) -> EventAttributes {
        let issuable = self.merge_request.as_ref().or(self.issue.as_ref());
        let last_commit = issuable.and_then(|on| on.last_commit.as_ref());
        let commit = self.commit.as_ref();
        let assignee = issuable.and_then(|on| on.assignee.0.clone().read());
        let participants = Participants {
            actor: user.person(),
            assignees: assignee.into_iter().collect(),
            committer: last_commit.or(commit).and_then(CommitPayload::author),
            ..Participants::default()
        };
        let participants = match issuable {
            Some(on) => participants.with_ids(&on.assignee_ids.0, &on.reviewer_ids.0),
            None => participants,
        };
        let author_id = match (issuable, commit) {
            // For a comment on a commit, the author is the author of the commit.
            (_, Some(_)) => &Lenient::Missing,
            (Some(on), None) => &on.author_id,
            (None, None) if self.snippet.author_id != Lenient::Missing => &self.snippet.author_id,
            (None, None) => author,
        };
        let title = issuable.map_or(&self.snippet.title, |on| &on.title).clone();
        EventAttributes {
            participants: participants.with_author(author_id),
            number: issuable.and_then(|on| on.iid),
            title: title.text().or_else(|| commit?.first_line()),
            labels: issuable.and_then(|on| Some(on.labels.clone()?.titles())),
            draft: issuable.and_then(|on| on.draft.flag().or(on.work_in_progress.flag())),
            reference: issuable.and_then(|on| on.target_branch.clone().text()),
            source_branch: issuable.and_then(|on| on.source_branch.clone().text()),
            target_branch: issuable.and_then(|on| on.target_branch.clone().text()),
            ..EventAttributes::default()
        }
    }

    /// The noteable of the type that GitLab sends; `commit` is `commit_id` of the comment.
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
