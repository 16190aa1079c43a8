//! `chat.getMessage`: returns one message if the bot is a member of its room, also a deleted one whose document is kept.

use serde_json::{Value, json};

use super::{HandlerResult, as_json, text};
use crate::rocketchat::people::{Permission, User};
use crate::rocketchat::reply::Reply;
use crate::rocketchat::server::Server;

pub(in crate::rocketchat) fn get_message(
    server: &Server,
    user: &User,
    parameters: &Value,
) -> HandlerResult {
    let store = server.store();
    let Some(stored) = store.stored(text(parameters, "msgId")) else {
        return Err(Reply::failure_without_text());
    };
    let message = &stored.message;
    let room = store.rooms.get(&message.room_id);
    let is_member = room.is_some_and(|room| room.has(&user.id));
    if !is_member || !user.may(Permission::ViewDirectMessages) {
        let details = json!({ "method": "getSingleMessage" });
        let rejection = Reply::thrown("error-not-allowed", "Not allowed", &details);
        return Err(rejection);
    }
    let sender = store.user(&message.sender).unwrap_or(user);
    Ok(Reply::success(
        "message",
        &as_json(message, stored.deleted, sender),
    ))
}
