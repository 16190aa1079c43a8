//! `chat.postMessage`: stores a message with a new id in a room that is given by name, as Alertmanager sends its
//! notifications. Owns the look-up of the room; the checks of the content are those of `chat.sendMessage`.

use serde_json::{Value, json};

use super::validate_message::{check_optional_fields, random_id};
use super::{HandlerResult, as_json, check_size, check_writable};
use crate::clock::iso_now;
use crate::rocketchat::Message;
use crate::rocketchat::people::User;
use crate::rocketchat::reply::Reply;
use crate::rocketchat::room::Room;
use crate::rocketchat::server::Server;

pub(in crate::rocketchat) fn post_message(
    server: &Server,
    user: &User,
    parameters: &Value,
) -> HandlerResult {
    let optional = |name: &str| parameters[name].as_str().map(str::to_owned);
    let text = optional("text").unwrap_or_default();
    if text.is_empty() && parameters["attachments"].is_null() {
        server.violation("chat.postMessage without text or attachments");
    }
    check_size(&text, server.max_message_size)
        .inspect_err(|_| server.violation("chat.postMessage with a text above the limit"))?;
    // Several rooms at once are not needed.
    let channel = optional("channel").or_else(|| optional("roomId"));
    let channel = channel.ok_or_else(|| Reply::failure("[invalid-channel]"))?;
    let room = find(server, user, &channel).ok_or_else(|| {
        server.violation(format!("chat.postMessage to {channel}, which is no room"));
        Reply::failure("[invalid-channel]")
    })?;
    check_writable(&room, user)?;
    check_optional_fields(server, user, parameters)?;
    let message = Message {
        id: random_id(),
        room_id: room.id,
        recipient: channel.clone(),
        sender: user.username.clone(),
        text,
        mentions: Vec::new(),
        preview_urls: None,
        alias: optional("alias"),
        avatar: optional("avatar"),
        emoji: optional("emoji"),
        attachments: parameters.get("attachments").cloned(),
        edits: 0,
        stored_at: iso_now(),
    };
    let body = json!({
        "ts": message.stored_at,
        "channel": channel,
        "message": as_json(&message, None, user),
        "success": true,
    });
    // Cannot fail: the id is random.
    let _inserted = server.store().insert(message);
    server.message_stored.notify_one();
    Ok(Reply::json(200, &body))
}

/// `#name` is a room, `@name` the direct messages with a user; without a sign it is the id or the name of a room.
fn find(server: &Server, user: &User, channel: &str) -> Option<Room> {
    let mut store = server.store();
    if let Some(username) = channel.strip_prefix('@') {
        let other = store.user(username)?.id.clone();
        return Some(store.room_of(vec![user.id.clone(), other]).clone());
    }
    let name = channel.strip_prefix('#').unwrap_or(channel);
    let mut rooms = store.rooms.values();
    let found = rooms.find(|room| room.name.as_deref() == Some(name));
    found.or_else(|| store.rooms.get(channel)).cloned()
}
