//! The inspection API under `/inspect/`, which Rocket.Chat does not have: for tests in another process, such as in a cluster.

use serde_json::{Value, json};

use super::Route;
use super::middleware::Call;
use super::reply::Reply;
use super::server::Server;

/// The reply, if the path is part of this API.
pub(super) fn respond(server: &Server, call: &Call) -> Option<Reply> {
    let rest = call.path.strip_prefix("/inspect/")?;
    let mut store = server.store();
    Some(match (call.method.as_str(), rest) {
        ("GET", "health") => Reply::json(200, &json!({ "ready": true })),
        ("GET", "messages") => {
            let messages = store.messages.iter().map(|stored| &stored.message);
            let messages = messages.map(|message| {
                let mut json = serde_json::to_value(message).unwrap_or_default();
                json["inserts"] = store.inserts.get(&message.id).copied().into();
                json["attempts"] = store.attempts.get(&message.id).copied().into();
                json
            });
            Reply::json(200, &Value::Array(messages.collect()))
        }
        ("GET", "violations") => Reply::json(200, &json!(store.violations)),
        ("GET", "calls") => {
            let calls = Route::ALL.map(|route| {
                let count = store.calls.get(&route).copied().unwrap_or_default();
                (route.path().to_owned(), Value::from(count))
            });
            Reply::json(200, &Value::Object(calls.into_iter().collect()))
        }
        ("DELETE", "messages") => {
            store.messages.clear();
            Reply::json(200, &json!({ "ready": true }))
        }
        ("DELETE", "deactivations") => {
            for user in &mut store.users {
                user.active = true;
            }
            for room in store.rooms.values_mut() {
                room.read_only = Some(false);
            }
            Reply::json(200, &json!({ "ready": true }))
        }
        ("DELETE", "faults") => {
            store.faults.clear();
            Reply::json(200, &json!({ "ready": true }))
        }
        _ => Reply::unknown_route(),
    })
}
