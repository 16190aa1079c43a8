//! A merge request. Owns what is read of it and which commit it is about: the last one of its source
//! branch. The words for people are in [`message`](crate::notifier::message).

use serde::Deserialize;

use super::commit::{CommitSha, MaybeCommit};
use super::event::ParseError;
use super::meta::{CommonPayload, EventHints, EventMeta, digits};
use super::text::Line;

/// Something happened to a merge request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MergeRequest {
    /// Where and by whom.
    pub meta: EventMeta,
    /// Its number within the project.
    pub number: Option<u64>,
    /// What happened; none in a test delivery.
    pub action: Option<Action>,
    /// How it stands, where GitLab said so.
    pub state: Option<State>,
    /// Its title.
    pub title: Option<String>,
    /// The branch that is to be merged.
    pub source: Option<String>,
    /// The branch it is to be merged into.
    pub target: Option<String>,
    /// The last commit of the source branch.
    pub sha: Option<CommitSha>,
    /// Its page, as GitLab sent it; not yet safe to link to.
    pub page: Option<String>,
}

/// What can happen to a merge request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Action {
    /// It is new.
    Opened,
    /// It was given up.
    Closed,
    /// It was not given up after all.
    Reopened,
    /// It is done.
    Merged,
    /// Somebody approved it, and that was enough.
    Approved,
    /// Somebody approved it.
    Approval,
    /// Somebody took an approval back, and now it lacks one.
    Unapproved,
    /// Somebody took an approval back.
    Unapproval,
    /// Its source branch moved.
    Pushed,
    /// Something else about it changed.
    Updated,
    /// A word we do not know.
    Unknown,
}

/// How a merge request stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum State {
    /// It can still change.
    Open,
    /// It was given up.
    Closed,
    /// It is being merged.
    Locked,
    /// It is done.
    Merged,
}

pub(super) type Payload = CommonPayload<Attributes>;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Attributes {
    id: Option<u64>,
    iid: Option<u64>,
    title: Line,
    state: Line,
    action: Line,
    source_branch: Line,
    target_branch: Line,
    oldrev: Line,
    last_commit: Option<LastCommit>,
    updated_at: Line,
    url: Line,
}

/// The commit a merge request stands on, also in comments and reactions.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct LastCommit {
    pub(super) id: MaybeCommit,
}

impl Payload {
    pub(super) fn read(mut self, hints: &EventHints) -> Result<MergeRequest, ParseError> {
        let attributes = self.attributes()?;
        if attributes.iid.is_none() && attributes.title.0.is_none() {
            return Err(ParseError::Missing("object_attributes.iid"));
        }
        let identity = [
            &digits(attributes.id),
            attributes.action.as_str(),
            attributes.oldrev.as_str(),
            attributes.updated_at.as_str(),
        ];
        Ok(MergeRequest {
            meta: hints.meta(self.project, self.user, &identity),
            number: attributes.iid,
            action: attributes.action(),
            state: State::parse(attributes.state.as_str()),
            title: attributes.title.0,
            source: attributes.source_branch.0,
            target: attributes.target_branch.0,
            sha: attributes.last_commit.and_then(|commit| commit.id.0),
            page: attributes.url.0,
        })
    }
}

impl Attributes {
    /// An update with `oldrev` is a push to the source branch.
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
