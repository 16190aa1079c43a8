//! Merge requests of a project.
//! Source: `lib/api/merge_requests.rb`, `lib/api/entities/merge_request_basic.rb`.

use serde_json::{Value, json};

use super::people;
use crate::clock::iso;
use crate::gitlab::server::access::{Access, Caller};
use crate::gitlab::server::call::Call;
use crate::gitlab::server::pagination::Page;
use crate::gitlab::server::reply::Reply;
use crate::gitlab::server::repository::{Lifetime, ordered};
use crate::gitlab::server::state::Project;
use crate::gitlab::server::{Server, Trigger};

const STATES: [&str; 5] = ["opened", "closed", "locked", "merged", "all"];

pub(super) fn list(
    server: &Server,
    call: &Call,
    caller: &Caller,
    project: &str,
) -> Result<Reply, Reply> {
    let state = server.state();
    let project = caller.project_with(&state, project, Access::Reporter)?;
    let query = call.query();
    let wanted = query.one_of("state", &STATES)?;
    let wanted = wanted.filter(|wanted| wanted != "all");
    let order = query.one_of(
        "order_by",
        &["created_at", "updated_at", "merged_at", "title"],
    )?;
    let sort = query.one_of("sort", &["asc", "desc"])?;
    let (after, before) = (query.time("updated_after")?, query.time("updated_before")?);
    let page = Page::of(&query)?;
    let mut requests = all(project);
    requests.retain(|request| {
        let state = &request.last()["object_attributes"]["state"];
        after.is_none_or(|after| request.updated_at >= after)
            && before.is_none_or(|before| request.updated_at <= before)
            && wanted.as_deref().is_none_or(|wanted| state == wanted)
    });
    let requests = ordered(requests, order.as_deref(), sort.as_deref());
    let shown: Vec<_> = requests
        .iter()
        .map(|request| shown(server, project, request))
        .collect();
    Ok(page.reply(&shown, call, &server.settings.base_url))
}

pub(super) fn show(
    server: &Server,
    caller: &Caller,
    project: &str,
    iid: u64,
) -> Result<Reply, Reply> {
    let state = server.state();
    let project = caller.project_with(&state, project, Access::Reporter)?;
    let requests = all(project);
    let request = requests.iter().find(|request| request.id == iid);
    let request = request.ok_or_else(Reply::no_record)?;
    Ok(Reply::ok(&shown(server, project, request)))
}

/// By number, the lowest first.
fn all(project: &Project) -> Vec<Lifetime> {
    project.repository.lifetimes(Trigger::MergeRequest, "iid")
}

fn shown(server: &Server, project: &Project, request: &Lifetime) -> Value {
    let last = request.last();
    let attributes = &last["object_attributes"];
    let everybody = |people: &Value| -> Value {
        let people = people.as_array().into_iter().flatten();
        people.map(|user| people::shown(server, user)).collect()
    };
    let labels = last["labels"].as_array().into_iter().flatten();
    let labels: Value = labels.map(|label| label["title"].clone()).collect();
    // Who did it and when, if it happened.
    let did = |action: &str| {
        let body = request.bodies.iter().rev();
        let mut found = body.filter(|(body, _)| body["object_attributes"]["action"] == action);
        let found = found.next();
        found.map_or((Value::Null, Value::Null), |(body, at)| {
            (people::shown(server, &body["user"]), iso(*at).into())
        })
    };
    let (merged_by, merged_at) = did("merge");
    let (closed_by, closed_at) = did("close");
    let url = format!(
        "{}/{}/-/merge_requests/{}",
        server.settings.instance_url, project.path, request.id
    );
    json!({
        "id": attributes["id"],
        "iid": request.id,
        "project_id": project.id,
        "title": attributes["title"],
        "description": attributes["description"],
        "state": attributes["state"],
        "created_at": iso(request.created_at),
        "updated_at": iso(request.updated_at),
        "merged_by": merged_by,
        "merge_user": merged_by,
        "merged_at": merged_at,
        "closed_by": closed_by,
        "closed_at": closed_at,
        "target_branch": attributes["target_branch"],
        "source_branch": attributes["source_branch"],
        "author": people::shown(server, &request.first()["user"]),
        "assignees": everybody(&last["assignees"]),
        "reviewers": everybody(&last["reviewers"]),
        "source_project_id": attributes["source_project_id"],
        "target_project_id": attributes["target_project_id"],
        "labels": labels,
        "draft": attributes["draft"],
        "work_in_progress": attributes["draft"],
        "sha": attributes["last_commit"]["id"],
        "merge_commit_sha": attributes["merge_commit_sha"],
        "squash_commit_sha": attributes["squash_commit_sha"],
        "web_url": url,
    })
}
