//! `chat.sendMessage`: stores a message under the id the client chose, at most once.
//! The order is the server's: size, room, validation, mentions, look-up by id, insert.

use ring::rand::{SecureRandom, SystemRandom};
use serde_json::{Value, json};

use super::{Done, check_size, shown};
use crate::rocketchat::clock::iso_now;
use crate::rocketchat::mentions::mentions;
use crate::rocketchat::people::{Permission, User, short_id};
use crate::rocketchat::reply::Reply;
use crate::rocketchat::server::Server;
use crate::rocketchat::store::Store;
use crate::rocketchat::{Message, attachments};

/// Who else is after the same id.
pub(in crate::rocketchat) enum Collision {
    /// Another replica wins between look-up and insert.
    LosesRace,
    /// Wait there for a second call that does the same.
    Race,
    /// Somebody has taken the id before.
    TakenBy { user: &'static str, same_room: bool },
    /// Nobody, but the text for a replay differs.
    DuplicateText(String),
}

/// What the server says today when the id is there already: it stumbles over the message it did not store.
const REPLAY: &str = "Cannot read properties of undefined (reading 'starred')";

pub(in crate::rocketchat) async fn send_message(
    server: &Server,
    user: &User,
    parameters: &Value,
    collision: Option<Collision>,
) -> Done {
    let message = accepted(server, user, parameters)?;
    let mut replay = REPLAY;
    match &collision {
        Some(Collision::TakenBy { user, same_room }) => {
            occupy(&mut server.store(), &message, user, *same_room);
        }
        Some(Collision::DuplicateText(text)) => replay = text,
        Some(Collision::LosesRace | Collision::Race) | None => {}
    }
    if server.store().message(&message.id).is_some() {
        return Err(Reply::failure(replay));
    }
    match &collision {
        Some(Collision::LosesRace) => {
            // The look-up has just found the id free, so the winner gets it.
            let _won = server.store().insert(message.clone());
            server.arrived.notify_one();
        }
        Some(Collision::Race) => {
            server.meeting.wait().await;
        }
        Some(Collision::TakenBy { .. } | Collision::DuplicateText(_)) | None => {}
    }
    if server.store().insert(message.clone()).is_err() {
        return Err(Reply::failure(&lost_race(&message.id)));
    }
    server.arrived.notify_one();
    Ok(Reply::success("message", &shown(&message, user)))
}

/// The message as it would be stored, or what the server has against it.
fn accepted(server: &Server, user: &User, parameters: &Value) -> Result<Message, Reply> {
    let given = &parameters["message"];
    let optional = |name: &str| given[name].as_str().map(str::to_owned);
    let text = optional("msg").unwrap_or_default();
    if text.is_empty() && given["attachments"].is_null() {
        server.violation("chat.sendMessage without text or attachments");
    }
    note_unknown_keys(server, given);
    check_thread(server, given)?;
    check_size(&text, server.max_message_size)
        .inspect_err(|_| server.violation("chat.sendMessage with a text above the limit"))?;
    let recipient = recipient(server, user, given)?;
    let id = check_id(server, given)?;
    check_extras(server, user, given)?;
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

/// The server takes any key inside `message` and stores it; a client that sends one has misspelt another.
fn note_unknown_keys(server: &Server, given: &Value) {
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
        server.violation("chat.sendMessage with a timestamp of its own");
        let reason = "Message timestamp is out of sync";
        return Err(Reply::thrown(
            "error-message-ts-out-of-sync",
            reason,
            &details,
        ));
    }
    Ok(())
}

/// Who is in the room beside us; the room must exist and we must be in it.
fn recipient(server: &Server, user: &User, given: &Value) -> Result<String, Reply> {
    let Some(room_id) = given["rid"].as_str().filter(|id| !id.is_empty()) else {
        server.violation("chat.sendMessage without message.rid");
        let reason = "The 'rid' property on the message object is missing.";
        return Err(Reply::failure(reason));
    };
    let store = server.store();
    let room = store.rooms.get(room_id);
    let room = room.ok_or_else(|| Reply::failure("error-invalid-room"))?;
    if !room.has(&user.id) {
        return Err(Reply::failure("error-not-allowed"));
    }
    let others = room.members.iter().filter(|member| member.id != user.id);
    let others: Vec<_> = others.map(|member| member.username.as_str()).collect();
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

fn check_extras(server: &Server, user: &User, given: &Value) -> Result<(), Reply> {
    let truthy = |name: &str| given[name].as_str().is_some_and(|text| !text.is_empty());
    if (truthy("alias") || truthy("avatar")) && !user.may(Permission::Impersonate) {
        return Err(Reply::failure("Not enough permission"));
    }
    if let Some(attachments) = given.get("attachments").filter(|value| !value.is_null()) {
        for key in attachments::unknown_keys(attachments) {
            server.violation(format!("an attachment with the unknown key {key}"));
        }
        attachments::check(attachments).map_err(|objection| Reply::failure(&objection))?;
    }
    if !given["customFields"].is_null() {
        server.violation("chat.sendMessage with custom fields, which are off");
        return Err(Reply::failure("Custom fields not enabled"));
    }
    Ok(())
}

/// A mention of everybody needs a permission; any mention at all is nothing our client means to do.
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

/// Puts somebody else's message under the id, read already: no test waits for it.
fn occupy(store: &mut Store, ours: &Message, username: &str, same_room: bool) {
    let mut theirs = ours.clone();
    username.clone_into(&mut theirs.sender);
    "mine".clone_into(&mut theirs.text);
    if !same_room {
        let other = store.user(username).cloned();
        theirs.room_id = store.room_of(other.into_iter().collect()).id;
    }
    if store.insert(theirs).is_ok() {
        store.inserts.remove(&ours.id);
        store.messages.iter_mut().for_each(|stored| {
            stored.read |= stored.message.id == ours.id;
        });
    }
}

fn lost_race(id: &str) -> String {
    format!(
        "E11000 duplicate key error collection: rocketchat.rocketchat_message index: _id_ dup key: {{ _id: \"{id}\" }}"
    )
}

/// An id of the server's own making.
fn random_id() -> String {
    let mut bytes = [0_u8; 17];
    let filled = SystemRandom::new().fill(&mut bytes);
    assert!(filled.is_ok(), "the system gives random bytes");
    short_id(&bytes)
}
