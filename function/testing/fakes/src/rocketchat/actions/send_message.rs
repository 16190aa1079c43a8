//! `chat.sendMessage`: stores a message under the id the client chose, at most once.
//! The order is the server's: size, room, validation, mentions, look-up by id, insert.

use serde_json::Value;

use super::{Done, shown, validate_message};
use crate::rocketchat::Message;
use crate::rocketchat::people::User;
use crate::rocketchat::reply::Reply;
use crate::rocketchat::server::Server;
use crate::rocketchat::store::Store;

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
    let message = validate_message::accepted(server, user, parameters)?;
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
