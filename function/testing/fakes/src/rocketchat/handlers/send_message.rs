//! `chat.sendMessage`: stores a message under the id that the client chose, at most once.
//! The steps have the order of the real server: size, room, validation, mentions, look-up by id, insert.

use serde_json::Value;

use super::{HandlerResult, as_json, validate_message};
use crate::rocketchat::Message;
use crate::rocketchat::people::User;
use crate::rocketchat::reply::Reply;
use crate::rocketchat::server::Server;
use crate::rocketchat::store::Store;

/// Another writer that uses the same id.
pub(in crate::rocketchat) enum Collision {
    /// Another replica inserts the message between our look-up and our insert.
    LosesRace,
    /// Wait between look-up and insert until a second call gets there.
    Race,
    /// Another user has already stored a message with this id.
    TakenBy { user: &'static str, same_room: bool },
    /// No other writer, but a duplicate gets this error text.
    DuplicateText(String),
}

/// The error text of current servers for a duplicate id: a bug in how they handle the failed insert.
const DUPLICATE: &str = "Cannot read properties of undefined (reading 'starred')";

pub(in crate::rocketchat) async fn send_message(
    server: &Server,
    user: &User,
    parameters: &Value,
    collision: Option<Collision>,
) -> HandlerResult {
    let message = validate_message::validate(server, user, parameters)?;
    let mut error = DUPLICATE;
    match &collision {
        Some(Collision::TakenBy { user, same_room }) => {
            insert_other(&mut server.store(), &message, user, *same_room);
        }
        Some(Collision::DuplicateText(text)) => error = text,
        Some(Collision::LosesRace | Collision::Race) | None => {}
    }
    if server.store().stored(&message.id).is_some() {
        return Err(Reply::failure(error));
    }
    match &collision {
        Some(Collision::LosesRace) => {
            // Cannot fail: the look-up has just found the id free.
            let _inserted = server.store().insert(message.clone());
            server.message_stored.notify_one();
        }
        Some(Collision::Race) => {
            server.race_barrier.wait().await;
        }
        Some(Collision::TakenBy { .. } | Collision::DuplicateText(_)) | None => {}
    }
    if server.store().insert(message.clone()).is_err() {
        return Err(Reply::failure(&duplicate_key_error(&message.id)));
    }
    server.message_stored.notify_one();
    Ok(Reply::success("message", &as_json(&message, None, user)))
}

/// Stores another user's message under the id.
fn insert_other(store: &mut Store, message: &Message, username: &str, same_room: bool) {
    let mut other_message = message.clone();
    username.clone_into(&mut other_message.sender);
    "mine".clone_into(&mut other_message.text);
    if !same_room {
        let other = store.user(username).map(|other| other.id.clone());
        let room = store.room_of(other.into_iter().collect());
        other_message.room_id.clone_from(&room.id);
    }
    store.insert_other(other_message);
}

fn duplicate_key_error(id: &str) -> String {
    format!(
        "E11000 duplicate key error collection: rocketchat.rocketchat_message index: _id_ dup key: {{ _id: \"{id}\" }}"
    )
}
