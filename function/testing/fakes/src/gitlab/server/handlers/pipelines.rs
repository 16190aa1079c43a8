//! Pipelines of a project and their jobs.
//! Source: `lib/api/ci/pipelines.rb`, `lib/api/entities/ci/{pipeline_basic,pipeline,job}.rb`.

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

const STATUSES: [&str; 12] = [
    "created",
    "waiting_for_resource",
    "preparing",
    "waiting_for_callback",
    "pending",
    "running",
    "success",
    "failed",
    "canceling",
    "canceled",
    "skipped",
    "manual",
];
const COLUMNS: [&str; 5] = ["id", "status", "ref", "updated_at", "user_id"];

pub(super) fn list(
    server: &Server,
    call: &Call,
    caller: &Caller,
    project: &str,
) -> Result<Reply, Reply> {
    let state = server.state();
    let project = caller.project_with(&state, project, Access::Reporter)?;
    let query = call.query();
    let status = query.one_of("status", &STATUSES)?;
    let order = query.one_of("order_by", &COLUMNS)?;
    let sort = query.one_of("sort", &["asc", "desc"])?;
    let (after, before) = (query.time("updated_after")?, query.time("updated_before")?);
    let (ref_name, sha) = (query.text("ref")?, query.text("sha")?);
    let page = Page::of(&query)?;
    let mut pipelines = all(project);
    pipelines.retain(|pipeline| {
        after.is_none_or(|after| pipeline.updated_at > after)
            && before.is_none_or(|before| pipeline.updated_at < before)
    });
    let pipelines = ordered(pipelines, order.as_deref(), sort.as_deref());
    let mut shown: Vec<_> = pipelines
        .iter()
        .map(|pipeline| basic(server, project, pipeline))
        .collect();
    let wanted = [("status", status), ("ref", ref_name), ("sha", sha)];
    for (name, wanted) in &wanted {
        if let Some(wanted) = wanted {
            shown.retain(|pipeline| pipeline[*name] == wanted.as_str());
        }
    }
    Ok(page.reply(&shown, call, &server.settings.base_url))
}

pub(super) fn show(
    server: &Server,
    caller: &Caller,
    project: &str,
    id: u64,
) -> Result<Reply, Reply> {
    let state = server.state();
    let project = caller.project_with(&state, project, Access::Reporter)?;
    let pipeline = one(project, id)?;
    let attributes = &pipeline.last()["object_attributes"];
    let mut shown = basic(server, project, &pipeline);
    shown["before_sha"] = attributes["before_sha"].clone();
    shown["tag"] = attributes["tag"].clone();
    shown["user"] = people::shown(server, &pipeline.last()["user"]);
    shown["finished_at"] = attributes["finished_at"].clone();
    shown["duration"] = attributes["duration"].clone();
    shown["queued_duration"] = attributes["queued_duration"].clone();
    shown["yaml_errors"] = Value::Null;
    shown["coverage"] = Value::Null;
    let label = &attributes["detailed_status"];
    shown["detailed_status"] = json!({ "text": label, "label": label });
    Ok(Reply::ok(&shown))
}

pub(super) fn jobs(
    server: &Server,
    call: &Call,
    caller: &Caller,
    project: &str,
    id: u64,
) -> Result<Reply, Reply> {
    let state = server.state();
    let project = caller.project_with(&state, project, Access::Reporter)?;
    let page = Page::of(&call.query())?;
    let pipeline = one(project, id)?;
    let builds = pipeline.last()["builds"].as_array();
    let shown: Vec<_> = builds
        .into_iter()
        .flatten()
        .map(|build| {
            let mut job = build.clone();
            job["user"] = people::shown(server, &build["user"]);
            job["pipeline"] = json!({ "id": id, "project_id": project.id });
            job
        })
        .collect();
    Ok(page.reply(&shown, call, &server.settings.base_url))
}

/// By ID, the lowest first.
fn all(project: &Project) -> Vec<Lifetime> {
    project.repository.lifetimes(Trigger::Pipeline, "id")
}

fn one(project: &Project, id: u64) -> Result<Lifetime, Reply> {
    let mut all = all(project).into_iter();
    all.find(|pipeline| pipeline.id == id)
        .ok_or_else(Reply::no_record)
}

fn basic(server: &Server, project: &Project, pipeline: &Lifetime) -> Value {
    let attributes = &pipeline.last()["object_attributes"];
    // A webhook names the source branch of a merge request, the API the ref of the pipeline.
    let request = pipeline.last()["merge_request"]["iid"].as_u64();
    let ref_name = request.map_or_else(
        || attributes["ref"].clone(),
        |iid| format!("refs/merge-requests/{iid}/head").into(),
    );
    let url = format!(
        "{}/{}/-/pipelines/{}",
        server.settings.instance_url, project.path, pipeline.id
    );
    json!({
        "id": pipeline.id,
        "iid": attributes["iid"],
        "project_id": project.id,
        "sha": attributes["sha"],
        "ref": ref_name,
        "status": attributes["status"],
        "source": attributes["source"],
        "created_at": iso(pipeline.created_at),
        "updated_at": iso(pipeline.updated_at),
        "web_url": url,
        "name": attributes["name"],
    })
}
