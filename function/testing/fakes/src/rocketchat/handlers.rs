//! One handler per route, called after `middleware`: it checks permissions, then executes the call.
//! `Ok` and `Err` both hold the reply to send; `Err` lets a handler return early with `?`.

mod access_tokens;
mod create_direct_message;
mod get_message;
mod people;
mod post_message;
mod room_info;
mod send_message;
mod sign_in;
mod update_message;
mod users;
mod validate_message;

pub(super) use access_tokens::{access_tokens, generate_access_token, regenerate_access_token};
pub(super) use create_direct_message::create_direct_message;
pub(super) use get_message::get_message;
pub(super) use people::{me, user_info};
pub(super) use post_message::post_message;
pub(super) use room_info::room_info;
pub(super) use send_message::{Collision, send_message};
pub(super) use sign_in::{info, log_in, log_out};
pub(super) use update_message::update_message;
pub(super) use users::{create_user, update_user};

use serde_json::{Value, json};

use super::people::{Permission, User};
use super::reply::Reply;
use super::room::Room;
use super::{Kept, Message};

/// The reply, or the rejection that ended the handler early.
type HandlerResult = Result<Reply, Reply>;

/// A required text; the schema check has made sure that it exists.
fn text<'a>(parameters: &'a Value, name: &str) -> &'a str {
    parameters[name].as_str().unwrap_or_default()
}

/// Rejects a text above the limit, which counts UTF-16 code units as JavaScript does.
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

/// Rejects an account that may not write in a room.
fn check_writable(room: &Room, user: &User) -> Result<(), Reply> {
    if !room.has(&user.id) || !user.may(Permission::ViewDirectMessages) {
        return Err(Reply::failure("error-not-allowed"));
    }
    if room.read_only == Some(true) && !user.may(Permission::PostInReadOnlyRooms) {
        let reason = "You can't send messages because the room is readonly.";
        return Err(Reply::failure(reason));
    }
    Ok(())
}

/// A message in the format of the API, and how it is kept if it is deleted.
fn as_json(message: &Message, deleted: Option<Kept>, sender: &User) -> Value {
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
    match deleted {
        Some(Kept::Removed) => {
            body["t"] = "rm".into();
            body["attachments"] = json!([]);
            body["editedBy"] = body["u"].clone();
        }
        Some(Kept::Hidden) => body["_hidden"] = true.into(),
        None => {}
    }
    if text.is_empty() {
        body.as_object_mut().map(|body| body.remove("md"));
    }
    body
}
