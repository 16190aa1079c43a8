//! A merge request. Owns how it is parsed and which commit it is about: the one that merged it, or
//! else the last one of its source branch. Its message is rendered in [`message`](crate::notifier::message).

use serde::Deserialize;

use super::attributes::EventAttributes;
use super::commit::{CommitPayload, CommitSha};
use super::event::{ParseError, Parsed};
use super::labels::Labels;
use super::lenient::Lenient;
use super::mention::Markdown;
use super::meta::{CommonPayload, EventHints, digits};
use super::participants::Participants;
use super::project::path_of;
use super::text::Line;

/// A merge request new.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct MergeRequest {
    /// The action; `None` in a test delivery.
    pub(crate) action: Option<Action>,
    /// The state, if GitLab sends it.
    pub(crate) state: Option<State>,
}

/// Actions on a merge request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Action {
    /// Opened for the first time.
    Opened,
    /// Closed without a merge.
    Closed,
    /// Opened again.
    Reopened,
    /// Merged.
    Merged,
    /// A user approved it, and it now has all required approvals.
    Approved,
    /// A user approved it.
    Approval,
    /// A user revoked an approval, and it now lacks a required one.
    Unapproved,
    /// A user revoked an approval.
    Unapproval,
    /// The source branch has new commits.
    Pushed,
    /// Another change, such as to its labels.
    Updated,
    /// An action that this program does not know.
    Unknown,
}

/// The state of a merge request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum State {
    /// Open.
    Open,
    /// Closed without a merge.
    Closed,
    /// The merge is in progress.
    Locked,
    /// Merged.
    Merged,
}

pub(super) type Payload = CommonPayload<Attributes>;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Attributes {
    id: Option<u64>,
    iid: Option<u64>,
    title: Line,
    description: Markdown,
    draft: Lenient,
    work_in_progress: Lenient,
    author_id: Lenient,
    state: Line,
    action: Line,
    source_branch: Line,
    target_branch: Line,
    oldrev: Line,
    last_commit: Option<CommitPayload>,
    merge_commit_sha: Lenient,
    squash_commit_sha: Lenient,
    updated_at: Line,
    url: Line,
}

impl Payload {
    pub(super) fn read(mut self, hints: &EventHints) -> Result<Parsed<MergeRequest>, ParseError> {
        let request = self.attributes()?;
        if request.iid.is_none() && request.title.0.is_none() {
            return Err(ParseError::Missing("object_attributes.iid"));
        }
        let identity = [
            &digits(request.id),
            request.action.as_str(),
            request.oldrev.as_str(),
            request.updated_at.as_str(),
            request.state.as_str(),
        ];
        let project = self.project();
        let project_path = path_of(project.as_ref());
        let meta = hints.meta(project, request.url.0.as_deref(), &identity);
        let action = request.action();
        let merged = request.merged_as(action);
        let commit = request.last_commit.unwrap_or_default();
        let (assignees, reviewers) = (self.assignees.people(), self.reviewers.people());
        let new = self.changes.0;
        let new = new.read(request.action.as_str(), &reviewers, &assignees);
        let participants = Participants {
            actor: self.user.person(),
            assignees,
            reviewers,
            committer: commit.author(),
            author: None,
            new_assignees: new.assignees,
            new_reviewers: new.reviewers,
            mentioned: request.description.mentions,
        };
        let (word, generic_action) = match action {
            Some(Action::Pushed) => (Some("push".to_owned()), Some("update")),
            _ => (request.action.0.or_else(|| request.state.0.clone()), None),
        };
        Ok(Parsed {
            meta,
            kind: MergeRequest {
                action,
                state: State::parse(request.state.as_str()),
            },
            attributes: EventAttributes {
                project_path,
                action: word,
                generic_action,
                minor_update: action == Some(Action::Updated) && !new.actions.is_empty(),
                changes: new.actions,
                labels: self.labels.map(Labels::titles),
                draft: request.draft.flag().or(request.work_in_progress.flag()),
                reference: request.target_branch.0.clone(),
                participants: participants.with_author(&request.author_id),
                sha: merged.or(commit.id.0),
                number: request.iid,
                title: request.title.0,
                text: request.description.line,
                page: request.url.0,
                source_branch: request.source_branch.0,
                target_branch: request.target_branch.0,
                ..EventAttributes::default()
            },
        })
    }
}

impl Attributes {
    /// The commit on the target branch that a merge created. A fast-forward merge creates none,
    /// unless it squashes. After a squash, the last commit of the source branch is on no branch.
    fn merged_as(&self, action: Option<Action>) -> Option<CommitSha> {
        let is_merge = match action {
            Some(action) => action == Action::Merged,
            None => State::parse(self.state.as_str()) == Some(State::Merged),
        };
        let shas = [&self.merge_commit_sha, &self.squash_commit_sha];
        let mut created = shas
            .into_iter()
            .filter_map(|sha| CommitSha::parse(sha.as_str()));
        created.next().filter(|_| is_merge)
    }

    /// GitLab's action; an update with `oldrev` is a push to the source branch.
    fn action(&self) -> Option<Action> {
        Some(match self.action.0.as_deref()? {
            "open" => Action::Opened,
            "close" => Action::Closed,
            "reopen" => Action::Reopened,
            "merge" => Action::Merged,
            "approved" => Action::Approved,
            "approval" => Action::Approval,
            "unapproved" => Action::Unapproved,
            "unapproval" => Action::Unapproval,
            "update" if self.oldrev.0.is_some() => Action::Pushed,
            "update" => Action::Updated,
            _ => Action::Unknown,
        })
    }
}

impl State {
    fn parse(word: &str) -> Option<Self> {
        match word {
            "opened" => Some(Self::Open),
            "closed" => Some(Self::Closed),
            "locked" => Some(Self::Locked),
            "merged" => Some(Self::Merged),
            _ => None,
        }
    }
}
