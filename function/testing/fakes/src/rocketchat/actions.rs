//! What the routes do once a call is let in: permissions first, then the deed.
//! Each answers with a reply, good or bad; the `Err` side only shortens the way.

mod create_direct_message;
mod get_message;
mod people;
mod send_message;
mod update_message;
mod validate_message;

pub(super) use create_direct_message::create_direct_message;
pub(super) use get_message::get_message;
pub(super) use people::{me, user_info};
pub(super) use send_message::{Collision, send_message};
pub(super) use update_message::update_message;

use serde_json::{Value, json};

use super::Message;
use super::people::User;
use super::reply::Reply;

/// The reply, or the refusal that ended the action early.
type Done = Result<Reply, Reply>;

/// A required text; the schema has seen to it that it is there.
fn text<'a>(parameters: &'a Value, name: &str) -> &'a str {
    parameters[name].as_str().unwrap_or_default()
}

/// The error for a text that is too long; the unit is that of JavaScript, UTF-16 code units.
fn check_size(text: &str, limit: usize) -> Result<(), Reply> {
    if text.encode_utf16().count() <= limit {
        return Ok(());
    }
    let reason = "Message size exceeds Message_MaxAllowedSize";
    let details = json!({ "method": "sendMessage" });
    Err(Reply::thrown(
        "error-message-size-exceeded",
        reason,
        &details,
    ))
}

/// A message as the interface shows it.
fn shown(message: &Message, sender: &User) -> Value {
    let text = &message.text;
    let mut body = json!({
        "_id": message.id,
        "rid": message.room_id,
        "msg": text,
        "ts": message.stored_at,
        "u": { "_id": sender.id, "username": sender.username, "name": sender.username },
        "_updatedAt": message.stored_at,
        "urls": [],
        "mentions": [],
        "channels": [],
        "md": [{ "type": "PARAGRAPH", "value": [{ "type": "PLAIN_TEXT", "value": text }] }],
    });
    if let Some(attachments) = &message.attachments {
        body["attachments"] = attachments.clone();
    }
    body
}
