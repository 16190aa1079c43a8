//! `im.create`: creates the direct-message room of the bot and the named users, or returns the existing one.
//! The real server looks the room up and then inserts it, without a lock: of simultaneous first calls all but one fail.

use std::time::Duration;

use serde_json::{Value, json};

use super::HandlerResult;
use crate::rocketchat::people::{Permission, User};
use crate::rocketchat::reply::Reply;
use crate::rocketchat::room::Room;
use crate::rocketchat::server::Server;

/// The time between look-up and insert on a server whose room creation races.
const RACE: Duration = Duration::from_millis(50);

pub(in crate::rocketchat) async fn create_direct_message(
    server: &Server,
    user: &User,
    parameters: &Value,
) -> HandlerResult {
    let members = members(server, user, parameters)?;
    let id = Room::id_for(&members);
    let is_known = server.store().rooms.contains_key(&id);
    if server.racing_room_creation && !is_known {
        tokio::time::sleep(RACE).await;
        if server.store().rooms.contains_key(&id) {
            return Err(Reply::failure(&duplicate_key_error(&id)));
        }
    }
    let mut store = server.store();
    let room = store.room_of(members).clone();
    let body = json!({
        "_id": room.id,
        "rid": room.id,
        "t": "d",
        "usernames": store.usernames(&room),
    });
    Ok(Reply::success("room", &body))
}

/// The ids of the bot and the named users. Names are compared exactly, so another case is another name; deactivated users are found.
fn members(server: &Server, user: &User, parameters: &Value) -> Result<Vec<String>, Reply> {
    let details = json!({ "method": "createDirectMessage" });
    // Without the permission the server does not return existing rooms either.
    if !user.may(Permission::CreateDirectMessages) {
        let rejection = Reply::thrown("error-not-allowed", "Not allowed", &details);
        return Err(rejection);
    }
    let invalid = || Reply::thrown("error-invalid-user", "Invalid user", &details);
    let mut store = server.store();
    let mut members = vec![user.id.clone()];
    for name in names(parameters) {
        match store.user(&name) {
            Some(known) if known.id == user.id => {
                store.violation("im.create with the bot itself");
                return Err(invalid());
            }
            Some(known) => members.push(known.id.clone()),
            None if server.drops_unknown_users => {}
            None => return Err(invalid()),
        }
    }
    Ok(members)
}

fn names(parameters: &Value) -> Vec<String> {
    if let Some(username) = parameters["username"].as_str() {
        return vec![username.to_owned()];
    }
    let usernames = parameters["usernames"].as_str().unwrap_or_default();
    let usernames = usernames.split(',');
    usernames.map(|name| name.trim().to_owned()).collect()
}

fn duplicate_key_error(id: &str) -> String {
    format!(
        "E11000 duplicate key error collection: rocketchat.rocketchat_room index: _id_ dup key: {{ _id: \"{id}\" }}"
    )
}
