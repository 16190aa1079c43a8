//! Merge requests: what their list says about their past, and the webhooks about it. Owns which changes can be told from
//! the list: GitLab keeps neither when one was reopened nor what an update changed.

use std::time::UNIX_EPOCH;

use serde_json::{Value, json};

use super::bodies::{commit_of, project_of, replacement, user};
use super::listed::{Account, CommitFacts, MergeRequestFacts, ProjectFacts};
use super::{Object, Replacement, time};

/// What happened to a merge request, of what its list says.
pub(crate) fn changes(request: &MergeRequestFacts) -> Vec<Object> {
    let change = |action: &str, at: &Option<String>| {
        let at = time(at.as_deref())?.duration_since(UNIX_EPOCH).ok()?;
        Some(Object::MergeRequest {
            iid: request.iid,
            action: action.to_owned(),
            at: at.as_secs(),
        })
    };
    let is = |state: &str| request.state.as_deref() == Some(state);
    let opened = change("open", &request.created_at);
    let closed = change("close", &request.closed_at).filter(|_| is("closed"));
    let merged = change("merge", &request.merged_at).filter(|_| is("merged"));
    [opened, closed, merged].into_iter().flatten().collect()
}

/// The webhook of one of [`changes`].
pub(crate) fn merge_request(
    project: &ProjectFacts,
    request: &MergeRequestFacts,
    object: Object,
    commit: Option<&CommitFacts>,
) -> Option<Replacement> {
    let Object::MergeRequest { action, .. } = &object else {
        return None;
    };
    let (actor, at, state) = match action.as_str() {
        "open" => (&request.author, &request.created_at, "opened"),
        "close" => (&request.closed_by, &request.closed_at, "closed"),
        _ => (&request.merge_user, &request.merged_at, "merged"),
    };
    let labels: Vec<_> = request
        .labels
        .iter()
        .map(|title| json!({ "title": title }))
        .collect();
    let users = |accounts: &[Account]| -> Vec<Value> {
        accounts.iter().map(|account| user(Some(account))).collect()
    };
    let body = json!({
        "object_kind": "merge_request",
        "event_type": "merge_request",
        "user": user(actor.as_ref()),
        "project": project_of(project),
        "object_attributes": {
            "id": request.id,
            "iid": request.iid,
            "title": request.title,
            "description": request.description,
            "state": state,
            "action": action,
            "draft": request.draft,
            "author_id": request.author.as_ref().and_then(|author| author.id),
            "source_branch": request.source_branch,
            "target_branch": request.target_branch,
            "source_project_id": request.source_project_id,
            "target_project_id": request.target_project_id,
            "created_at": request.created_at,
            "updated_at": at,
            "merge_commit_sha": request.merge_commit_sha,
            "squash_commit_sha": request.squash_commit_sha,
            "last_commit": commit.map(commit_of)
                .or(request.sha.as_ref().map(|sha| json!({ "id": sha }))),
            "labels": labels,
            "url": request.web_url,
        },
        "labels": labels,
        "changes": {},
        "assignees": users(&request.assignees),
        "reviewers": users(&request.reviewers),
    });
    replacement(object, at.as_deref(), body)
}
