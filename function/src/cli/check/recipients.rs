//! The recipients that the configuration names: whether each user and room exists and can receive
//! messages. A refusal of a look-up is reported as such, because it says nothing about the recipient.

use http::HeaderMap;

use super::{Finding, advice, options};
use crate::config::Config;
use crate::rocketchat::client::Client;
use crate::rocketchat::response::ApiError;
use crate::rocketchat::room_lookup::RoomLookup;
use crate::rocketchat::{RoomId, Username};

pub(super) async fn user(
    config: &Config,
    recipient: &Username,
    bot: &str,
    client: &Client,
) -> Finding {
    let name = recipient.as_str();
    if name == bot {
        return Finding::Failure(format!(
            "recipient @{name} is the account that sends the messages; name the person who reads them"
        ));
    }
    let headers = HeaderMap::new();
    let account = client.user_info(recipient, options(config, &headers));
    match account.await.result {
        Ok(None) => Finding::Ok(format!("recipient @{name} exists")),
        Ok(Some(unreachable)) => {
            Finding::Failure(format!("recipient @{name} {}", unreachable.advice()))
        }
        Err(error) => failed(&format!("@{name}"), error, "the user"),
    }
}

pub(super) async fn room(config: &Config, room: &RoomId, bot: &str, client: &Client) -> Finding {
    let label = format!("room:{}", room.as_str());
    let headers = HeaderMap::new();
    let found = client.find_room(room, options(config, &headers));
    match found.await.result {
        Ok(RoomLookup::Found {
            read_only: true, ..
        }) => Finding::Note(format!(
            "recipient {label} is read-only; let @{bot} write in it, and check with `webhook-app check --send`"
        )),
        Ok(RoomLookup::Found {
            encrypted: true, ..
        }) => Finding::Note(format!(
            "recipient {label} is encrypted and may accept no plain text; check with `webhook-app check --send`"
        )),
        Ok(RoomLookup::Found { .. }) => Finding::Ok(format!("recipient {label} exists")),
        Ok(RoomLookup::NoMember) => no_member(&label, bot),
        Ok(RoomLookup::Archived) => archived(&label),
        Ok(RoomLookup::Absent) => room_name(config, &label, room.as_str(), bot, client).await,
        Err(error) => failed(&label, error, "the room"),
    }
}

/// No room has the id: it may be a name.
async fn room_name(
    config: &Config,
    label: &str,
    text: &str,
    bot: &str,
    client: &Client,
) -> Finding {
    let name = text.trim_start_matches('#');
    let headers = HeaderMap::new();
    let found = client.find_room_by_name(name, options(config, &headers));
    match found.await.result {
        Ok(RoomLookup::Found { id, .. }) => {
            let id = id.as_str();
            Finding::Failure(format!(
                "recipient {label}: {name} is the name of a room, its ID is {id}; write room:{id} in ROUTES"
            ))
        }
        Ok(RoomLookup::NoMember) => Finding::Failure(format!(
            "recipient {label}: {name} is the name of a room, not its ID, and the account is not a member; invite @{bot}, and run this command again to see the ID"
        )),
        Ok(RoomLookup::Archived) => archived(label),
        Ok(RoomLookup::Absent) => Finding::Failure(format!(
            "recipient {label} does not exist on Rocket.Chat; copy the ID from the room information or the address of the room"
        )),
        Err(error) => failed(label, error, "the room"),
    }
}

/// A look-up failed that should have returned `expected`.
fn failed(label: &str, error: ApiError, expected: &str) -> Finding {
    let advice = advice(error, expected);
    Finding::Failure(format!("failed to look up {label}: {advice}"))
}

fn no_member(label: &str, bot: &str) -> Finding {
    Finding::Failure(format!(
        "the account cannot see the recipient {label}; invite @{bot} to the room"
    ))
}

fn archived(label: &str) -> Finding {
    Finding::Failure(format!(
        "recipient {label} is an archived room; unarchive it or change ROUTES"
    ))
}
