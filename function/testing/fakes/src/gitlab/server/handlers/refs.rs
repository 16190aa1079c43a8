//! Branches and tags of a project, as the last push left them.
//! Source: `lib/api/{branches,tags}.rb` and `lib/api/entities/{branch,tag}.rb`.

use serde_json::{Value, json};

use super::commits;
use crate::gitlab::server::Server;
use crate::gitlab::server::access::{Access, Caller};
use crate::gitlab::server::reply::Reply;
use crate::gitlab::server::repository::is_blank;

pub(super) fn branch(
    server: &Server,
    caller: &Caller,
    project: &str,
    name: &str,
) -> Result<Reply, Reply> {
    reference(
        server,
        caller,
        project,
        &format!("refs/heads/{name}"),
        "Branch",
    )
}

pub(super) fn tag(
    server: &Server,
    caller: &Caller,
    project: &str,
    name: &str,
) -> Result<Reply, Reply> {
    reference(server, caller, project, &format!("refs/tags/{name}"), "Tag")
}

fn reference(
    server: &Server,
    caller: &Caller,
    project: &str,
    full_name: &str,
    what: &str,
) -> Result<Reply, Reply> {
    let state = server.state();
    let project = caller.project_with(&state, project, Access::Reporter)?;
    let pushes = project.repository.history.iter().rev();
    let mut pushes = pushes.filter(|one| one.body["ref"] == full_name);
    let push = pushes.next().filter(|push| !is_blank(&push.body["after"]));
    let body = &push.ok_or_else(|| Reply::not_found(what))?.body;
    let commit = body["checkout_sha"].as_str().unwrap_or_default();
    let commit = project.repository.commit(commit);
    let name = full_name.splitn(3, '/').last();
    Ok(Reply::ok(&json!({
        "name": name,
        "protected": body["ref_protected"].as_bool().unwrap_or(false),
        "message": body["message"],
        "target": body["after"],
        "commit": commit.map_or(Value::Null, |commit| commits::shown(server, project, &commit)),
    })))
}
