//! The bodies of webhooks, written from what GitLab's API lists. Owns which field of the API becomes which field of a
//! body. A field that the API does not have is left out, except addresses of users, which are `[REDACTED]` as in most
//! webhooks.

use serde_json::{Value, json};

use super::listed::{
    Account, Activity, ChangedFile, CommitFacts, Comparison, JobFacts, MergeRequestFacts,
    PipelineFacts, ProjectFacts, RefFacts,
};
use super::{Object, Replacement, commit_or_empty, time};
use crate::gitlab::timestamp::unix_seconds;

/// What GitLab sends in place of an address.
const REDACTED: &str = "[REDACTED]";

/// Commits that GitLab lists in a webhook of a push: the newest ones.
const COMMITS: usize = 20;

/// The object of a push in the list of activities; `None` for another activity, and for a push of several branches at
/// once, for which GitLab sends no webhooks.
pub(crate) fn pushed(activity: &Activity) -> Option<Object> {
    let push = activity.push_data.as_ref()?;
    let folder = match push.ref_type.as_deref()? {
        "branch" => "heads",
        "tag" => "tags",
        _ => return None,
    };
    let name = push.reference.as_deref()?;
    let before = commit_or_empty(push.commit_from.clone());
    let after = commit_or_empty(push.commit_to.clone());
    let has_commit = !before.is_empty() || !after.is_empty();
    has_commit.then(|| Object::Push {
        reference: format!("refs/{folder}/{name}"),
        before,
        after,
        at: activity.created_at.as_deref().and_then(unix_seconds),
    })
}

/// The webhook of a push. `reference` is the branch or tag as it is now, if it exists.
pub(crate) fn push(
    project: &ProjectFacts,
    activity: &Activity,
    comparison: &Comparison,
    reference: Option<&RefFacts>,
) -> Option<Replacement> {
    let object = pushed(activity)?;
    let Object::Push {
        reference: name,
        before,
        after,
        ..
    } = &object
    else {
        return None;
    };
    let push = activity.push_data.as_ref()?;
    let author = activity.author.as_ref();
    let is_tag = name.starts_with("refs/tags/");
    // An annotated tag points to an object, and the webhook names its commit.
    let tagged = reference
        .filter(|_| is_tag)
        .and_then(|tag| tag.commit.as_ref());
    let commit = tagged.map_or(after, |commit| &commit.id);
    let kind = if is_tag { "tag_push" } else { "push" };
    let skipped = comparison.commits.len().saturating_sub(COMMITS);
    let mut commits: Vec<Value> = comparison.commits[skipped..]
        .iter()
        .map(pushed_commit)
        .collect();
    // The comparison has no changes per commit, so the newest one has those of all.
    if let Some(newest) = commits.last_mut() {
        changed_files(newest, &comparison.diffs);
    }
    let zeros = "0".repeat(before.len().max(after.len()));
    let or_zeros = |sha: &str| {
        if sha.is_empty() {
            zeros.clone()
        } else {
            sha.to_owned()
        }
    };
    let body = json!({
        "object_kind": kind,
        "event_name": kind,
        "before": or_zeros(before),
        "after": or_zeros(after),
        "ref": name,
        "ref_protected": reference.and_then(|reference| reference.protected),
        "checkout_sha": (!after.is_empty()).then_some(commit),
        "message": reference.and_then(|reference| reference.message.as_deref()),
        "user_id": author.and_then(|author| author.id),
        "user_name": author.and_then(|author| author.name.as_deref()),
        "user_username": author.and_then(|author| author.username.as_deref()),
        "user_email": REDACTED,
        "project_id": project.id,
        "project": project_of(project),
        "commits": commits,
        "total_commits_count": push.commit_count.unwrap_or(comparison.commits.len() as u64),
    });
    replacement(object, activity.created_at.as_deref(), body)
}

/// The webhook of a pipeline. `request` is the merge request that it runs for.
pub(crate) fn pipeline(
    project: &ProjectFacts,
    pipeline: &PipelineFacts,
    jobs: &[JobFacts],
    commit: Option<&CommitFacts>,
    request: Option<&MergeRequestFacts>,
) -> Option<Replacement> {
    let source_branch = request.and_then(|request| request.source_branch.as_deref());
    let detailed = pipeline.detailed_status.as_ref();
    let body = json!({
        "object_kind": "pipeline",
        "object_attributes": {
            "id": pipeline.id,
            "iid": pipeline.iid,
            "name": pipeline.name,
            "ref": source_branch.or(pipeline.reference.as_deref()),
            "tag": pipeline.tag,
            "sha": pipeline.sha,
            "before_sha": pipeline.before_sha,
            "source": pipeline.source,
            "status": pipeline.status,
            "detailed_status": detailed.and_then(|status| status.label.as_deref()),
            "created_at": pipeline.created_at,
            "finished_at": pipeline.finished_at,
            "duration": pipeline.duration,
            "url": pipeline.web_url,
        },
        "merge_request": request.map(|request| json!({
            "id": request.id,
            "iid": request.iid,
            "title": request.title,
            "source_branch": request.source_branch,
            "source_project_id": request.source_project_id,
            "target_branch": request.target_branch,
            "target_project_id": request.target_project_id,
            "state": request.state,
            "url": request.web_url,
        })),
        "user": user(pipeline.user.as_ref()),
        "project": project_of(project),
        "commit": commit.map(commit_of),
        "builds": jobs.iter().map(|job| json!({
            "id": job.id,
            "stage": job.stage,
            "name": job.name,
            "status": job.status,
            "allow_failure": job.allow_failure,
        })).collect::<Vec<_>>(),
    });
    let object = Object::Pipeline {
        id: pipeline.id,
        status: pipeline.status.clone(),
    };
    let ended = pipeline.finished_at.as_deref();
    replacement(object, ended.or(pipeline.updated_at.as_deref()), body)
}

pub(super) fn replacement(
    object: Object,
    at: Option<&str>,
    mut body: Value,
) -> Option<Replacement> {
    let occurred_at = time(at)?;
    body["webhook_app"] = super::super::occurred_at(occurred_at);
    let body = serde_json::to_vec(&body).ok()?;
    Some(Replacement {
        object,
        occurred_at,
        body,
    })
}

pub(super) fn project_of(project: &ProjectFacts) -> Value {
    json!({
        "id": project.id,
        "name": project.name,
        "web_url": project.web_url,
        "git_ssh_url": project.ssh_url_to_repo,
        "git_http_url": project.http_url_to_repo,
        "path_with_namespace": project.path_with_namespace,
        "default_branch": project.default_branch,
    })
}

pub(super) fn user(account: Option<&Account>) -> Value {
    let Some(account) = account else {
        return Value::Null;
    };
    json!({
        "id": account.id,
        "name": account.name,
        "username": account.username,
        "email": REDACTED,
    })
}

pub(super) fn commit_of(commit: &CommitFacts) -> Value {
    json!({
        "id": commit.id,
        "message": commit.message,
        "title": commit.title,
        "timestamp": commit.committed_date,
        "url": commit.web_url,
        "author": { "name": commit.author_name, "email": commit.author_email },
    })
}

fn pushed_commit(commit: &CommitFacts) -> Value {
    let mut commit = commit_of(commit);
    for list in ["added", "modified", "removed"] {
        commit[list] = json!([]);
    }
    commit
}

fn changed_files(commit: &mut Value, files: &[ChangedFile]) {
    let paths = |wanted: fn(&ChangedFile) -> Option<&String>| -> Value {
        files
            .iter()
            .filter_map(wanted)
            .map(String::as_str)
            .collect()
    };
    commit["added"] = paths(|file| {
        let is_new = file.new_file || file.renamed_file;
        file.new_path.as_ref().filter(|_| is_new)
    });
    commit["removed"] = paths(|file| {
        let is_gone = file.deleted_file || file.renamed_file;
        file.old_path.as_ref().filter(|_| is_gone)
    });
    commit["modified"] = paths(|file| {
        let is_changed = !file.new_file && !file.renamed_file && !file.deleted_file;
        file.new_path.as_ref().filter(|_| is_changed)
    });
}
