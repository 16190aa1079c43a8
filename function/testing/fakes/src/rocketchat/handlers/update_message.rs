//! `chat.update`: changes the text of a message that the bot sent.
//! A deleted message whose document is kept is edited without an error, and stays deleted, as on the real server.

use serde_json::{Value, json};

use super::{HandlerResult, as_json, check_size, check_writable, text};
use crate::rocketchat::mentions::mentions;
use crate::rocketchat::people::{Permission, User};
use crate::rocketchat::reply::Reply;
use crate::rocketchat::server::Server;

pub(in crate::rocketchat) fn update_message(
    server: &Server,
    user: &User,
    parameters: &Value,
) -> HandlerResult {
    let (id, new_text) = (text(parameters, "msgId"), text(parameters, "text"));
    let mut store = server.store();
    let Some(stored) = store.stored(id) else {
        let reason = format!("No message found with the id of \"{id}\".");
        return Err(Reply::failure(&reason));
    };
    let message = &stored.message;
    if message.room_id != text(parameters, "roomId") {
        let reason = "The room id provided does not match where the message is from.";
        return Err(Reply::failure(reason));
    }
    let is_own = message.sender == user.username;
    if !(is_own && server.editing_allowed || user.may(Permission::EditMessages)) {
        let details = json!({ "method": "updateMessage", "action": "Message_editing" });
        let reason = "Message editing not allowed";
        return Err(Reply::thrown("error-action-not-allowed", reason, &details));
    }
    let room = store.rooms.get(&message.room_id);
    let room = room.ok_or_else(|| Reply::failure("error-invalid-room"))?;
    check_writable(room, user)?;
    check_size(new_text, server.max_message_size)?;
    let Some(stored) = store.stored_mut(id) else {
        return Err(Reply::failure_without_text());
    };
    let message = &mut stored.message;
    // An unchanged text is a success and not an edit.
    if message.text != new_text {
        new_text.clone_into(&mut message.text);
        message.mentions = mentions(new_text);
        message.edits += 1;
    }
    let (message, deleted) = (message.clone(), stored.deleted);
    if !message.mentions.is_empty() {
        store.violation(format!(
            "chat.update mentions {}",
            message.mentions.join(", ")
        ));
    }
    Ok(Reply::success("message", &as_json(&message, deleted, user)))
}
