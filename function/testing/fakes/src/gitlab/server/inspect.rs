//! The inspection API under `/inspect/`, for tests in another process: it moves the clock, lets things happen and lists requests.
//! Owns its routes; none of them is one of GitLab's.

use std::time::Duration;

use serde_json::{Value, json};

use super::call::Call;
use super::reply::Reply;
use super::{Server, Trigger};

/// The response, or `None` for a path of GitLab.
pub(super) async fn respond(server: &Server, call: &Call) -> Option<Reply> {
    let path = call.path.strip_prefix("/inspect/")?;
    if !server.settings.is_inspectable {
        return None;
    }
    let body: Value = serde_json::from_slice(&call.body).unwrap_or_default();
    Some(match (call.method.as_str(), path) {
        ("GET", "requests") => Reply::ok(&requests(server)),
        ("DELETE", "requests") => {
            server.state().requests.clear();
            Reply::no_content()
        }
        ("POST", "clock") => {
            let seconds = body["advance_seconds"].as_u64().unwrap_or_default();
            server.clock.advance(Duration::from_secs(seconds));
            Reply::no_content()
        }
        ("POST", "happen") => happen(server, &body).await,
        _ => Reply::unknown_route(),
    })
}

fn requests(server: &Server) -> Value {
    let state = server.state();
    let requests = state.requests.iter();
    requests
        .map(|request| {
            json!({
                "method": request.method, "path": request.path, "query": request.query,
                "username": request.username, "status": request.status,
            })
        })
        .collect()
}

/// `{"project": "acme/rocket", "trigger": "push_events", "body": {…}}` happens, and is sent to the hooks.
async fn happen(server: &Server, body: &Value) -> Reply {
    let trigger = body["trigger"].as_str().and_then(Trigger::of_field);
    let (Some(project), Some(trigger)) = (body["project"].as_str(), trigger) else {
        return Reply::error(400, "expected project and trigger, such as push_events");
    };
    if server.state().project(project).is_none() {
        return Reply::not_found("Project");
    }
    server.record_event(project, trigger, &body["body"]);
    let attempts = server.deliver(project, trigger, &body["body"]).await;
    let attempts: Vec<_> = attempts
        .iter()
        .map(|attempt| {
            json!({
                "hook_id": attempt.hook_id, "event_id": attempt.event_id,
                "idempotency_key": attempt.idempotency_key, "status": attempt.status,
            })
        })
        .collect();
    Reply::ok(&attempts.into())
}
