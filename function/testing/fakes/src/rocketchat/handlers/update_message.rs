//! `chat.update`: changes the text of a message that the bot sent.

use serde_json::{Value, json};

use super::{HandlerResult, as_json, check_size, text};
use crate::rocketchat::mentions::mentions;
use crate::rocketchat::people::User;
use crate::rocketchat::reply::Reply;
use crate::rocketchat::server::Server;

pub(in crate::rocketchat) fn update_message(
    server: &Server,
    user: &User,
    parameters: &Value,
) -> HandlerResult {
    let (id, new_text) = (text(parameters, "msgId"), text(parameters, "text"));
    let mut store = server.store();
    let Some(message) = store.message_mut(id) else {
        let reason = format!("No message found with the id of \"{id}\".");
        return Err(Reply::failure(&reason));
    };
    if message.room_id != text(parameters, "roomId") {
        let reason = "The room id provided does not match where the message is from.";
        return Err(Reply::failure(reason));
    }
    if message.sender != user.username {
        let details = json!({ "method": "updateMessage", "action": "Message_editing" });
        let reason = "Message editing not allowed";
        return Err(Reply::thrown("error-action-not-allowed", reason, &details));
    }
    check_size(new_text, server.max_message_size)?;
    // An unchanged text is a success and not an edit.
    if message.text != new_text {
        new_text.clone_into(&mut message.text);
        message.mentions = mentions(new_text);
        message.edits += 1;
    }
    let message = message.clone();
    if !message.mentions.is_empty() {
        store.violation(format!(
            "chat.update mentions {}",
            message.mentions.join(", ")
        ));
    }
    Ok(Reply::success("message", &as_json(&message, user)))
}
