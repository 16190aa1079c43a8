//! `chat.getMessage`: returns one message if the bot is a member of its room.

use serde_json::{Value, json};

use super::{HandlerResult, as_json, text};
use crate::rocketchat::people::User;
use crate::rocketchat::reply::Reply;
use crate::rocketchat::server::Server;

pub(in crate::rocketchat) fn get_message(
    server: &Server,
    user: &User,
    parameters: &Value,
) -> HandlerResult {
    let store = server.store();
    let Some(message) = store.message(text(parameters, "msgId")) else {
        return Err(Reply::failure_without_text());
    };
    let room = store.rooms.get(&message.room_id);
    if !room.is_some_and(|room| room.has(&user.id)) {
        let details = json!({ "method": "getSingleMessage" });
        let rejection = Reply::thrown("error-not-allowed", "Not allowed", &details);
        return Err(rejection);
    }
    let sender = store.user(&message.sender).unwrap_or(user);
    Ok(Reply::success("message", &as_json(message, sender)))
}
