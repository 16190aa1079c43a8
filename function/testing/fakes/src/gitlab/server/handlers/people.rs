//! People as the API shows them: never with an address.
//! Source: `lib/api/entities/user_basic.rb`.

use serde_json::{Value, json};

use crate::gitlab::server::Server;

/// The user of a body of a webhook, such as its `user`.
pub(super) fn shown(server: &Server, user: &Value) -> Value {
    if user["username"].is_null() {
        return Value::Null;
    }
    let username = user["username"].as_str().unwrap_or_default();
    json!({
        "id": user["id"],
        "username": username,
        "name": user["name"],
        "state": "active",
        "locked": false,
        "avatar_url": user["avatar_url"],
        "web_url": format!("{}/{username}", server.settings.instance_url),
    })
}

/// Who pushed.
pub(super) fn pusher(server: &Server, body: &Value) -> Value {
    let user = json!({
        "id": body["user_id"],
        "username": body["user_username"],
        "name": body["user_name"],
        "avatar_url": body["user_avatar"],
    });
    shown(server, &user)
}
