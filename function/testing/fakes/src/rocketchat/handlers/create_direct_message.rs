//! `im.create`: creates the direct-message room of the bot and the named users, or returns the existing one.

use serde_json::{Value, json};

use super::HandlerResult;
use crate::rocketchat::people::{Permission, User};
use crate::rocketchat::reply::Reply;
use crate::rocketchat::server::Server;

pub(in crate::rocketchat) fn create_direct_message(
    server: &Server,
    user: &User,
    parameters: &Value,
) -> HandlerResult {
    let details = json!({ "method": "createDirectMessage" });
    if !user.may(Permission::CreateDirectMessages) {
        let rejection = Reply::thrown("error-not-allowed", "Not allowed", &details);
        return Err(rejection);
    }
    let invalid = || Reply::thrown("error-invalid-user", "Invalid user", &details);
    let mut store = server.store();
    let mut members = vec![user.clone()];
    for name in names(parameters) {
        match store.user(&name) {
            Some(known) if known.id == user.id => {
                store.violation("im.create with the bot itself");
                return Err(invalid());
            }
            Some(known) => members.push(known.clone()),
            None if server.drops_unknown_users => {}
            None => return Err(invalid()),
        }
    }
    let room = store.room_of(members);
    let body = json!({
        "_id": room.id,
        "rid": room.id,
        "t": "d",
        "usernames": room.usernames(),
    });
    Ok(Reply::success("room", &body))
}

fn names(parameters: &Value) -> Vec<String> {
    if let Some(username) = parameters["username"].as_str() {
        return vec![username.to_owned()];
    }
    let usernames = parameters["usernames"].as_str().unwrap_or_default();
    let usernames = usernames.split(',');
    usernames.map(|name| name.trim().to_owned()).collect()
}
