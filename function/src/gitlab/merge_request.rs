//! A merge request. Owns how it is parsed and which commit it is about: the one that merged it, or
//! else the last one of its source branch. Its message is rendered in [`message`](crate::notifier::message).

use serde::Deserialize;

use super::attributes::EventAttributes;
use super::change_details::ChangeDetails;
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
    /// The last commit of the source branch before new ones were pushed. `None` if the source branch
    /// is in another project, because GitLab compares only commits of the same project.
    pub(crate) old_head: Option<CommitSha>,
    /// The values that an update replaced.
    pub(crate) replaced: ChangeDetails,
    /// Whether GitLab took back approvals because of a push, whose author is the actor.
    pub(crate) is_reset: bool,
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
    system: Lenient,
    source_branch: Line,
    target_branch: Line,
    oldrev: Line,
    source_project_id: Lenient,
    target_project_id: Lenient,
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
        let old_head = request.old_head();
        let is_reset = request.system.flag() == Some(true)
            && matches!(action, Some(Action::Unapproved | Action::Unapproval));
        let commit = request.last_commit.unwrap_or_default();
        let (assignees, reviewers) = (self.assignees.people(), self.reviewers.people());
        let new = self.changes.0;
        let new = new.read(request.action.as_str(), Some(&reviewers), &assignees);
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
                old_head,
                replaced: new.details,
                is_reset,
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

    fn old_head(&self) -> Option<CommitSha> {
        let [source, target] =
            [&self.source_project_id, &self.target_project_id].map(Lenient::number);
        let is_one_project = source.is_some() && source == target;
        CommitSha::parse(self.oldrev.as_str()).filter(|_| is_one_project)
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::change_details::MilestoneChange;
    use super::super::event::EventKind;
    use super::super::fixtures::{body, event};
    use super::*;

    fn read(body: &Value) -> MergeRequest {
        match event(body).kind {
            EventKind::MergeRequest(request) => *request,
            kind => panic!("{kind:?}"),
        }
    }

    #[test]
    fn the_old_head_is_kept_if_the_source_branch_is_in_the_same_project() {
        let mut pushed = body("merge_request_with_new_commits");
        let old_head = |body: &Value| read(body).old_head.map(|sha| sha.short().to_owned());
        assert_eq!(old_head(&pushed).as_deref(), Some("122c5970"));
        assert_eq!(old_head(&body("merge_request_updated")), None);
        // A fork; a fork that was deleted; no commit.
        for (field, value) in [
            ("source_project_id", json!(43)),
            ("source_project_id", json!(null)),
            ("oldrev", json!("0".repeat(40))),
        ] {
            let mut other = pushed.clone();
            other["object_attributes"][field] = value;
            assert_eq!(old_head(&other), None, "{field}");
        }
        let ids = &mut pushed["object_attributes"];
        (ids["source_project_id"], ids["target_project_id"]) = (json!(null), json!(null));
        assert_eq!(old_head(&pushed), None);
    }

    #[test]
    fn an_update_keeps_the_values_that_it_replaced() {
        let label = |id: u64, title: &str| json!({ "id": id, "title": title });
        let mut updated = body("merge_request_updated");
        updated["changes"] = json!({
            "title": { "previous": "Draft: Add legs", "current": "Add landing legs" },
            "target_branch": { "previous": "next", "current": "main" },
            "milestone_id": { "previous": 3, "current": null },
            "labels": {
                "previous": [label(1, "ui"), label(2, "legs"), label(4, "old")],
                "current": [label(2, "legs"), label(3, "bug")],
            },
        });
        let replaced = ChangeDetails {
            old_title: Some("Draft: Add legs".to_owned()),
            old_target: Some("next".to_owned()),
            labels_added: vec!["bug".to_owned()],
            labels_removed: vec!["ui".to_owned(), "old".to_owned()],
            milestone: Some(MilestoneChange::Removed),
        };
        assert_eq!(read(&updated).replaced, replaced);
        updated["object_attributes"]["action"] = json!("open");
        assert_eq!(read(&updated).replaced, ChangeDetails::default());
    }

    #[test]
    fn a_prefix_is_no_title_and_a_new_milestone_is_set() {
        let mut updated = body("merge_request_updated");
        for previous in [json!(null), json!(2)] {
            updated["changes"] = json!({
                "title": { "previous": "Draft: Add legs", "current": "Add legs" },
                "milestone_id": { "previous": previous, "current": 3 },
            });
            let replaced = ChangeDetails {
                milestone: Some(MilestoneChange::Set),
                ..ChangeDetails::default()
            };
            assert_eq!(read(&updated).replaced, replaced);
        }
    }
}
