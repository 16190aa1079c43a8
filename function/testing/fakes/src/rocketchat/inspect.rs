//! What the container tells beside Rocket.Chat's own interface, under `/inspect/`: for tests in a cluster that have no handle.

use serde_json::{Value, json};

use super::Route;
use super::middleware::Call;
use super::reply::Reply;
use super::server::Server;

/// The answer, if the address is one of ours.
pub(super) fn answer(server: &Server, call: &Call) -> Option<Reply> {
    let rest = call.path.strip_prefix("/inspect/")?;
    let mut store = server.store();
    Some(match (call.method.as_str(), rest) {
        ("GET", "health") => Reply::json(200, &json!({ "ready": true })),
        ("GET", "messages") => {
            let messages = store.messages.iter().map(|stored| &stored.message);
            let shown = messages.map(|message| {
                let mut shown = serde_json::to_value(message).unwrap_or_default();
                shown["inserts"] = store.inserts.get(&message.id).copied().into();
                shown["attempts"] = store.attempts.get(&message.id).copied().into();
                shown
            });
            Reply::json(200, &Value::Array(shown.collect()))
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
        ("POST", "behave") => {
            store.faults.clear();
            Reply::json(200, &json!({ "ready": true }))
        }
        _ => Reply::route_unknown(),
    })
}
