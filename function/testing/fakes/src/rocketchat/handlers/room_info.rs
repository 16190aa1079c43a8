//! `rooms.info`: returns a room of which the bot is a member, with its read-only and encrypted states.

use serde_json::{Value, json};

use super::{HandlerResult, text};
use crate::clock::iso_now;
use crate::rocketchat::people::{Permission, User};
use crate::rocketchat::reply::Reply;
use crate::rocketchat::server::Server;

pub(in crate::rocketchat) fn room_info(
    server: &Server,
    user: &User,
    parameters: &Value,
) -> HandlerResult {
    let store = server.store();
    // Direct-message rooms have no name, so a `roomName` finds none of them.
    let name = parameters["roomName"].as_str();
    let by_name = |name| {
        let mut rooms = store.rooms.values();
        rooms.find(|room| room.name.as_deref() == Some(name))
    };
    let room = match name {
        Some(name) => by_name(name),
        None => store.rooms.get(text(parameters, "roomId")),
    };
    let Some(room) = room else {
        let reason =
            "The required \"roomId\" or \"roomName\" param provided does not match any channel";
        return Err(Reply::thrown("error-room-not-found", reason, &Value::Null));
    };
    if !room.has(&user.id) || !user.may(Permission::ViewDirectMessages) {
        return Err(Reply::validation_error("Not Allowed", "not-allowed"));
    }
    let messages = store.messages.iter();
    let messages = messages.filter(|stored| stored.message.room_id == room.id);
    let mut body = json!({
        "_id": room.id,
        "t": if room.name.is_some() { "p" } else { "d" },
        "usernames": store.usernames(room),
        "usersCount": room.members.len(),
        "uids": room.members,
        "msgs": messages.count(),
        "_updatedAt": iso_now(),
    });
    if let Some(name) = &room.name {
        body["name"] = name.as_str().into();
    }
    if let Some(read_only) = room.read_only {
        body["ro"] = read_only.into();
    }
    if room.encrypted {
        body["encrypted"] = true.into();
    }
    Ok(Reply::success("room", &body))
}
