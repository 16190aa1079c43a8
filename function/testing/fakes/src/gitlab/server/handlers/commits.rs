//! Commits of a project, and which of them one has and another lacks.
//! Source: `lib/api/{repositories,commits}.rb` and `lib/api/entities/{compare,commit}.rb`. Only commits that a push lists are known.

use serde_json::{Value, json};

use crate::gitlab::server::Server;
use crate::gitlab::server::access::{Access, Caller};
use crate::gitlab::server::call::Call;
use crate::gitlab::server::pagination::Page;
use crate::gitlab::server::reply::Reply;
use crate::gitlab::server::repository::Commit;
use crate::gitlab::server::state::Project;

pub(super) fn compare(
    server: &Server,
    call: &Call,
    caller: &Caller,
    project: &str,
) -> Result<Reply, Reply> {
    let state = server.state();
    let project = caller.project_with(&state, project, Access::Reporter)?;
    let query = call.query();
    let missing: Vec<_> = ["from", "to"]
        .into_iter()
        .filter(|name| !query.has(name))
        .map(|name| format!("{name} is missing"))
        .collect();
    let (Some(from), Some(to)) = (query.text("from")?, query.text("to")?) else {
        return Err(Reply::error(400, &missing.join(", ")));
    };
    let repository = &project.repository;
    let (Some(from), Some(to)) = (repository.resolve(&from), repository.resolve(&to)) else {
        return Err(Reply::not_found("Ref"));
    };
    let commits = repository.between(&from, &to);
    let diffs: Vec<_> = commits.iter().flat_map(diffs).collect();
    let commits: Vec<_> = commits
        .iter()
        .map(|commit| shown(server, project, commit))
        .collect();
    let web_url = format!(
        "{}/{}/-/compare/{from}...{to}",
        server.settings.instance_url, project.path
    );
    Ok(Reply::ok(&json!({
        "commit": commits.last(),
        "commits": commits,
        "diffs": diffs,
        "compare_timeout": false,
        "compare_same_ref": from == to,
        "web_url": web_url,
    })))
}

/// Newest first. Unlike other lists it does not count, so there is no `X-Total`.
pub(super) fn list(
    server: &Server,
    call: &Call,
    caller: &Caller,
    project: &str,
) -> Result<Reply, Reply> {
    let state = server.state();
    let project = caller.project_with(&state, project, Access::Reporter)?;
    let query = call.query();
    let page = Page::of(&query)?;
    let named = query.text("ref_name")?.unwrap_or_else(|| "main".to_owned());
    let Some(head) = project.repository.resolve(&named) else {
        return Err(Reply::not_found("Ref"));
    };
    let commits = project.repository.ancestors(&head);
    let shown: Vec<_> = commits
        .iter()
        .map(|commit| shown(server, project, commit))
        .collect();
    let mut reply = page.reply(&shown, call, &server.settings.base_url);
    reply
        .headers
        .retain(|(name, _)| !name.starts_with("X-Total"));
    Ok(reply)
}

pub(super) fn show(
    server: &Server,
    caller: &Caller,
    project: &str,
    commit: &str,
) -> Result<Reply, Reply> {
    let state = server.state();
    let project = caller.project_with(&state, project, Access::Reporter)?;
    let head = project.repository.resolve(commit);
    let commit = head.and_then(|id| project.repository.commit(&id));
    let commit = commit.ok_or_else(|| Reply::not_found("Commit"))?;
    Ok(Reply::ok(&shown(server, project, &commit)))
}

/// Unlike in records and in webhooks, the address of the author is shown.
pub(super) fn shown(server: &Server, project: &Project, commit: &Commit) -> Value {
    let body = &commit.body;
    let id = body["id"].as_str().unwrap_or_default();
    let web_url = format!(
        "{}/{}/-/commit/{id}",
        server.settings.instance_url, project.path
    );
    json!({
        "id": id,
        "short_id": id.get(..8),
        "created_at": body["timestamp"],
        "parent_ids": commit.parent.iter().collect::<Vec<_>>(),
        "title": body["title"],
        "message": body["message"],
        "author_name": body["author"]["name"],
        "author_email": body["author"]["email"],
        "authored_date": body["timestamp"],
        "committer_name": body["author"]["name"],
        "committer_email": body["author"]["email"],
        "committed_date": body["timestamp"],
        "trailers": {},
        "web_url": web_url,
    })
}

fn diffs(commit: &Commit) -> Vec<Value> {
    let changes = [
        ("added", true, false),
        ("modified", false, false),
        ("removed", false, true),
    ];
    let changes = changes.into_iter().flat_map(|(name, is_new, is_deleted)| {
        let paths = commit.body[name].as_array().cloned().unwrap_or_default();
        paths.into_iter().map(move |path| {
            json!({
                "old_path": path, "new_path": path, "a_mode": "100644", "b_mode": "100644",
                "new_file": is_new, "renamed_file": false, "deleted_file": is_deleted, "diff": "",
            })
        })
    });
    changes.collect()
}
