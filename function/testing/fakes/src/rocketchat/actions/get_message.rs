//! `chat.getMessage`: one message, if the bot may read it.

use serde_json::{Value, json};

use super::{Done, shown, text};
use crate::rocketchat::people::User;
use crate::rocketchat::reply::Reply;
use crate::rocketchat::server::Server;

pub(in crate::rocketchat) fn get_message(server: &Server, user: &User, parameters: &Value) -> Done {
    let store = server.store();
    let Some(message) = store.message(text(parameters, "msgId")) else {
        return Err(Reply::bare_failure());
    };
    let room = store.rooms.get(&message.room_id);
    if !room.is_some_and(|room| room.has(&user.id)) {
        let details = json!({ "method": "getSingleMessage" });
        let refusal = Reply::thrown("error-not-allowed", "Not allowed", &details);
        return Err(refusal);
    }
    let sender = store.user(&message.sender).unwrap_or(user);
    Ok(Reply::success("message", &shown(message, sender)))
}
