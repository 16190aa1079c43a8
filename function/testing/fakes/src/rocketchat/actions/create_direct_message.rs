//! `im.create`: opens the room of the bot and the people named, or finds it.

use serde_json::{Value, json};

use super::Done;
use crate::rocketchat::people::{Permission, User};
use crate::rocketchat::reply::Reply;
use crate::rocketchat::server::Server;

pub(in crate::rocketchat) fn create_direct_message(
    server: &Server,
    user: &User,
    parameters: &Value,
) -> Done {
    let details = json!({ "method": "createDirectMessage" });
    if !user.may(Permission::CreateDirectMessages) {
        let refusal = Reply::thrown("error-not-allowed", "Not allowed", &details);
        return Err(refusal);
    }
    let invalid = || Reply::thrown("error-invalid-user", "Invalid user", &details);
    let mut store = server.store();
    let mut members = vec![user.clone()];
    for name in names(parameters) {
        match store.user(&name) {
            Some(known) if known.id == user.id => {
                store.violation("im.create with oneself");
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
