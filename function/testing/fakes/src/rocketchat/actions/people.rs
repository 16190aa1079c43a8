//! `me` and `users.info`.

use serde_json::{Value, json};

use super::Done;
use crate::rocketchat::people::User;
use crate::rocketchat::reply::Reply;
use crate::rocketchat::server::Server;

pub(in crate::rocketchat) fn me(user: &User) -> Reply {
    let mut body = shown(user);
    body["success"] = true.into();
    Reply::json(200, &body)
}

pub(in crate::rocketchat) fn user_info(server: &Server, parameters: &Value) -> Done {
    let (username, id) = (&parameters["username"], &parameters["userId"]);
    let store = server.store();
    let found = store
        .users
        .iter()
        .find(|user| username == user.username.as_str() || id == user.id.as_str());
    let user = found.ok_or_else(|| Reply::failure("User not found."))?;
    Ok(Reply::success("user", &shown(user)))
}

fn shown(user: &User) -> Value {
    json!({
        "_id": user.id,
        "username": user.username,
        "name": user.username,
        "roles": user.roles,
        "status": "online",
        "active": true,
        "type": "user",
    })
}
