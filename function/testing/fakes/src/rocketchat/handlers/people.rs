//! `me` and `users.info`: return one account, the own one or another.

use serde_json::{Value, json};

use super::HandlerResult;
use crate::rocketchat::people::{Permission, User};
use crate::rocketchat::reply::Reply;
use crate::rocketchat::server::Server;

pub(in crate::rocketchat) fn me(user: &User) -> Reply {
    let mut body = as_json(user);
    body["success"] = true.into();
    Reply::json(200, &body)
}

pub(in crate::rocketchat) fn user_info(
    server: &Server,
    caller: &User,
    parameters: &Value,
) -> HandlerResult {
    let (username, id) = (&parameters["username"], &parameters["userId"]);
    let store = server.store();
    let found = store
        .users
        .iter()
        .find(|user| username == user.username.as_str() || id == user.id.as_str());
    let user = found.ok_or_else(|| Reply::failure("User not found."))?;
    let mut body = as_json(user);
    // Roles of others are only for accounts with `view-full-other-user-info`.
    if user.id != caller.id && !caller.may(Permission::ViewFullUserInfo) {
        body.as_object_mut().map(|body| body.remove("roles"));
    }
    Ok(Reply::success("user", &body))
}

pub(super) fn as_json(user: &User) -> Value {
    json!({
        "_id": user.id,
        "username": user.username,
        "name": user.username,
        "roles": user.roles,
        "status": if user.active { "online" } else { "offline" },
        "active": user.active,
        "type": "user",
    })
}
