//! The routes of the API and what each does.
//! Owns which path leads to which handler; connections are in `connection`. A method that a path does not have is 404, too: the
//! API ends with a route for everything else (`lib/api/api.rb`).

mod activity;
mod commits;
mod events;
mod hook_test;
mod hooks;
mod merge_requests;
mod people;
mod pipelines;
mod projects;
mod refs;
mod settings;
mod system_hooks;

use serde_json::json;

pub(super) use hooks::apply;

use super::access::Caller;
use super::call::{Call, is_invalid};
use super::reply::Reply;
use super::{RecordedRequest, Server};

/// The response to a request, which is recorded.
pub(super) async fn respond(server: &Server, call: &Call) -> Reply {
    let (caller, replacement, meeting) = {
        let mut state = server.state();
        let queued = state.replacements.pop_front();
        let replacement = queued.or_else(|| state.replacement.clone());
        let is_list = call.method == "GET" && call.path.ends_with("/hooks");
        let meeting = is_list.then(|| state.meeting()).flatten();
        (Caller::of(&state, call), replacement, meeting)
    };
    let username = caller.as_ref().ok().map(|caller| caller.username.clone());
    let reply = match (replacement, caller) {
        (Some(replacement), _) => replacement,
        (None, caller) => handled(server, call, caller).await,
    };
    server.state().requests.push(RecordedRequest {
        method: call.method.clone(),
        path: call.path.clone(),
        query: call.query.clone(),
        body: String::from_utf8_lossy(&call.body).into_owned(),
        username,
        status: reply.status,
    });
    if let Some(meeting) = meeting {
        meeting.wait().await;
    }
    reply
}

async fn handled(server: &Server, call: &Call, caller: Result<Caller, Reply>) -> Reply {
    let segments = call.segments();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let ["api", "v4", path @ ..] = segments.as_slice() else {
        return Reply::unknown_route();
    };
    let result = match caller {
        Err(rejection) if is_route(path) => Err(rejection),
        Err(_) => Err(Reply::unknown_route()),
        Ok(caller) => match limited(server, &caller) {
            Err(rejection) => Err(rejection),
            Ok(()) => routed(server, call, &caller, path).await,
        },
    };
    result.unwrap_or_else(|rejection| rejection)
}

fn limited(server: &Server, caller: &Caller) -> Result<(), Reply> {
    let Some(limit) = server.settings.requests_a_minute else {
        return Ok(());
    };
    let now = server.clock.now();
    server.state().limiter.user(caller.id, limit, now)
}

/// Whether the first part of the path is one of this API.
fn is_route(path: &[&str]) -> bool {
    let known = [
        "version",
        "user",
        "projects",
        "groups",
        "hooks",
        "personal_access_tokens",
        "application",
    ];
    path.first().is_some_and(|first| known.contains(first))
}

async fn routed(
    server: &Server,
    call: &Call,
    caller: &Caller,
    path: &[&str],
) -> Result<Reply, Reply> {
    // A HEAD request is answered as GET.
    let method = match call.method.as_str() {
        "HEAD" => "GET",
        method => method,
    };
    match (method, path) {
        ("GET", ["version"]) => Ok(Reply::ok(&json!({
            "version": server.settings.version.to_string(), "revision": "0123456789a",
        }))),
        ("GET", ["user"]) => Ok(projects::user(server, caller)),
        ("GET", ["personal_access_tokens", "self"]) => Ok(projects::token(caller)),
        ("GET", ["projects"]) => projects::list(server, call, caller, None),
        ("GET", ["groups", group, "projects"]) => projects::list(server, call, caller, Some(group)),
        ("GET", ["groups", group]) => projects::group(server, caller, group),
        ("GET", ["projects", project]) => projects::show(server, caller, project),
        (_, ["projects", project, "hooks", rest @ ..]) => {
            hook_route(server, call, caller, method, project, rest).await
        }
        ("GET", ["application", "settings"]) => settings::show(server, caller),
        ("PUT", ["application", "settings"]) => settings::edit(server, call, caller),
        ("GET", ["projects", project, rest @ ..]) => {
            read_route(server, call, caller, project, rest)
        }
        ("GET", ["hooks"]) => system_hooks::list(server, call, caller),
        ("POST", ["hooks"]) => system_hooks::create(server, call, caller),
        (_, ["hooks", hook]) => {
            caller.administrator()?;
            let hook = id(hook, "hook_id")?;
            match method {
                "GET" => system_hooks::show(server, hook),
                "PUT" => system_hooks::edit(server, call, hook),
                "POST" => system_hooks::test(server, hook).await,
                "DELETE" => system_hooks::delete(server, hook),
                _ => Err(Reply::unknown_route()),
            }
        }
        _ => Err(Reply::unknown_route()),
    }
}

/// What a reconciler reads to find events that were never recorded.
fn read_route(
    server: &Server,
    call: &Call,
    caller: &Caller,
    project: &str,
    rest: &[&str],
) -> Result<Reply, Reply> {
    match rest {
        ["events"] => activity::list(server, call, caller, project),
        ["repository", "compare"] => commits::compare(server, call, caller, project),
        ["repository", "commits"] => commits::list(server, call, caller, project),
        ["repository", "commits", commit] => commits::show(server, caller, project, commit),
        ["repository", "branches", name] => refs::branch(server, caller, project, name),
        ["repository", "tags", name] => refs::tag(server, caller, project, name),
        ["pipelines"] => pipelines::list(server, call, caller, project),
        ["pipelines", pipeline] => {
            pipelines::show(server, caller, project, id(pipeline, "pipeline_id")?)
        }
        ["pipelines", pipeline, "jobs"] => {
            let pipeline = id(pipeline, "pipeline_id")?;
            pipelines::jobs(server, call, caller, project, pipeline)
        }
        ["merge_requests"] => merge_requests::list(server, call, caller, project),
        ["merge_requests", request] => {
            let request = id(request, "merge_request_iid")?;
            merge_requests::show(server, caller, project, request)
        }
        _ => Err(Reply::unknown_route()),
    }
}

async fn hook_route(
    server: &Server,
    call: &Call,
    caller: &Caller,
    method: &str,
    project: &str,
    rest: &[&str],
) -> Result<Reply, Reply> {
    // Who may not manage hooks learns nothing about parameters.
    let project = hooks::authorized(server, caller, project)?;
    match (method, rest) {
        ("GET", []) => hooks::list(server, call, project),
        ("POST", []) => hooks::create(server, call, project),
        ("GET", [hook]) => hooks::show(server, project, id(hook, "hook_id")?),
        ("PUT", [hook]) => hooks::edit(server, call, project, id(hook, "hook_id")?),
        ("DELETE", [hook]) => hooks::delete(server, project, id(hook, "hook_id")?),
        ("GET", [hook, "events"]) => events::list(server, call, project, id(hook, "hook_id")?),
        ("POST", [hook, "events", event, "resend"]) => {
            let (hook, event) = (id(hook, "hook_id")?, id(event, "hook_log_id")?);
            events::resend(server, caller, project, hook, event).await
        }
        ("POST", [hook, "test", trigger]) => {
            hook_test::run(server, caller, project, id(hook, "hook_id")?, trigger).await
        }
        _ => Err(Reply::unknown_route()),
    }
}

fn id(text: &str, name: &str) -> Result<u64, Reply> {
    text.parse().map_err(|_| is_invalid(name))
}
