//! Validation of `chat.sendMessage`: every check of the real server, in its order.

use ring::rand::{SecureRandom, SystemRandom};
use serde_json::{Value, json};

use super::{check_size, check_writable};
use crate::clock::iso_now;
use crate::rocketchat::mentions::mentions;
use crate::rocketchat::people::{Permission, User, short_id};
use crate::rocketchat::reply::Reply;
use crate::rocketchat::server::Server;
use crate::rocketchat::{Message, attachments};

/// The message to store, or the rejection.
pub(super) fn validate(server: &Server, user: &User, parameters: &Value) -> Result<Message, Reply> {
    let given = &parameters["message"];
    let optional = |name: &str| given[name].as_str().map(str::to_owned);
    let text = optional("msg").unwrap_or_default();
    if text.is_empty() && given["attachments"].is_null() {
        server.violation("chat.sendMessage without text or attachments");
    }
    report_unknown_keys(server, given);
    check_thread(server, given)?;
    check_size(&text, server.max_message_size)
        .inspect_err(|_| server.violation("chat.sendMessage with a text above the limit"))?;
    let recipient = recipient(server, user, given)?;
    let id = check_id(server, given)?;
    check_optional_fields(server, user, given)?;
    let mentions = check_mentions(server, user, &text)?;
    *server.store().attempts.entry(id.clone()).or_default() += 1;
    Ok(Message {
        id,
        room_id: optional("rid").unwrap_or_default(),
        recipient,
        sender: user.username.clone(),
        text,
        mentions,
        preview_urls: serde_json::from_value(parameters["previewUrls"].clone()).unwrap_or(None),
        alias: optional("alias"),
        avatar: optional("avatar"),
        emoji: optional("emoji"),
        attachments: given.get("attachments").cloned(),
        edits: 0,
        stored_at: iso_now(),
    })
}

/// The server stores unknown keys of `message` without an error; in a client they are a typing mistake.
fn report_unknown_keys(server: &Server, given: &Value) {
    let known = [
        "_id",
        "rid",
        "msg",
        "tmid",
        "tshow",
        "ts",
        "alias",
        "avatar",
        "emoji",
        "attachments",
        "blocks",
        "customFields",
    ];
    let keys = given
        .as_object()
        .into_iter()
        .flat_map(serde_json::Map::keys);
    for key in keys.filter(|key| !known.contains(&key.as_str())) {
        server.violation(format!(
            "chat.sendMessage with the unknown key message.{key}"
        ));
    }
}

fn check_thread(server: &Server, given: &Value) -> Result<(), Reply> {
    let details = json!({ "method": "sendMessage" });
    if given["tshow"] == true && given["tmid"].is_null() {
        server.violation("chat.sendMessage with tshow but without tmid");
        let reason = "tshow provided but missing tmid";
        return Err(Reply::thrown("invalid-params", reason, &details));
    }
    if !given["ts"].is_null() {
        server.violation("chat.sendMessage with a client timestamp");
        let reason = "Message timestamp is out of sync";
        return Err(Reply::thrown(
            "error-message-ts-out-of-sync",
            reason,
            &details,
        ));
    }
    Ok(())
}

/// The other members of the room, which must exist, have the bot as a member and accept its plain text.
fn recipient(server: &Server, user: &User, given: &Value) -> Result<String, Reply> {
    let Some(room_id) = given["rid"].as_str().filter(|id| !id.is_empty()) else {
        server.violation("chat.sendMessage without message.rid");
        let reason = "The 'rid' property on the message object is missing.";
        return Err(Reply::failure(reason));
    };
    let store = server.store();
    let room = store.rooms.get(room_id);
    let room = room.ok_or_else(|| Reply::failure("error-invalid-room"))?;
    check_writable(room, user)?;
    if room.encrypted {
        let reason = "Not allowed to send un-encrypted messages in an encrypted room";
        let details = json!({ "method": "sendMessage" });
        return Err(Reply::thrown("error-not-allowed", reason, &details));
    }
    let mut others = store.usernames(room);
    others.retain(|username| *username != user.username);
    Ok(others.join(","))
}

fn check_id(server: &Server, given: &Value) -> Result<String, Reply> {
    match &given["_id"] {
        Value::Null => Ok(random_id()),
        Value::String(id) if !id.is_empty() => Ok(id.clone()),
        _ => {
            server.violation("chat.sendMessage with an _id that is not a non-empty string");
            Err(Reply::failure("Match error: Expected string in field _id"))
        }
    }
}

pub(super) fn check_optional_fields(
    server: &Server,
    user: &User,
    given: &Value,
) -> Result<(), Reply> {
    let truthy = |name: &str| given[name].as_str().is_some_and(|text| !text.is_empty());
    if (truthy("alias") || truthy("avatar")) && !user.may(Permission::Impersonate) {
        return Err(Reply::failure("Not enough permission"));
    }
    if let Some(attachments) = given.get("attachments").filter(|value| !value.is_null()) {
        for key in attachments::unknown_keys(attachments) {
            server.violation(format!("an attachment with the unknown key {key}"));
        }
        attachments::check(attachments).map_err(|error| Reply::failure(&error))?;
    }
    if !given["customFields"].is_null() {
        server.violation("chat.sendMessage with custom fields, which are off");
        return Err(Reply::failure("Custom fields not enabled"));
    }
    Ok(())
}

/// `@all` and `@here` need a permission. Our client never mentions anyone, so each mention is a violation.
fn check_mentions(server: &Server, user: &User, text: &str) -> Result<Vec<String>, Reply> {
    let found = mentions(text);
    for mention in &found {
        server.violation(format!("chat.sendMessage mentions {mention}"));
    }
    for (name, permission) in [
        ("all", Permission::MentionAll),
        ("here", Permission::MentionHere),
    ] {
        if found.iter().any(|mention| *mention == format!("@{name}")) && !user.may(permission) {
            let reason = format!("Notify {name} in this room not allowed");
            let details = json!({ "action": "Notify_all_in_this_room" });
            return Err(Reply::thrown("error-action-not-allowed", &reason, &details));
        }
    }
    Ok(found)
}

/// An id as the server generates it.
pub(super) fn random_id() -> String {
    let mut bytes = [0_u8; 17];
    let filled = SystemRandom::new().fill(&mut bytes);
    assert!(filled.is_ok(), "the operating system provides random bytes");
    short_id(&bytes)
}
