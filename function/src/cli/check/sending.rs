//! `webhook-app check --send`: sends one message to a recipient and reads it back. Owns the text of that
//! message and its id, which is new in every run.

use std::time::{SystemTime, UNIX_EPOCH};

use http::HeaderMap;

use super::{Finding, advice, options};
use crate::config::Config;
use crate::rocketchat::client::Client;
use crate::rocketchat::response::{ApiError, StoredMessage};
use crate::rocketchat::{Destination, MessageKey, RoomId};

const TEXT: &str =
    "Test message of `webhook-app check --send`: notifications from GitLab can reach you here.";

pub(super) async fn check(config: &Config, recipient: &Destination, client: &Client) -> Finding {
    let label = recipient.label();
    match send(config, recipient, client).await {
        Ok(()) => Finding::Ok(format!("sent a message to {label} and read it back")),
        Err((step, error)) => {
            let (step, expected) = step.words();
            let advice = advice(error, expected);
            Finding::Failure(format!("failed to {step} for {label}: {advice}"))
        }
    }
}

/// The failed step and its error.
type Failed = (Step, ApiError);

/// A call of the check.
enum Step {
    CreateRoom,
    Store,
    ReadBack,
}

impl Step {
    /// What it does, and what its response contains.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::CreateRoom => ("create the direct message room", "the room"),
            Self::Store => ("store a message", "the message"),
            Self::ReadBack => ("read the message back", "the message that was sent"),
        }
    }
}

async fn send(config: &Config, recipient: &Destination, client: &Client) -> Result<(), Failed> {
    let headers = HeaderMap::new();
    let room = match recipient {
        Destination::Room(room) => room.clone(),
        Destination::User(user) => {
            let created = client.create_room(user, options(config, &headers)).await;
            created.result.map_err(|error| (Step::CreateRoom, error))?
        }
    };
    let id = config.rocketchat.message_ids.id("", &key(), &room, 0);
    let sent = client.send_message(&room, &id, TEXT, options(config, &headers));
    sent.await.result.map_err(|error| (Step::Store, error))?;
    let stored = client.get_message(&id, options(config, &headers)).await;
    match stored.result {
        Ok(stored) if is_ours(&stored, &room) => Ok(()),
        Ok(_) => Err((Step::ReadBack, ApiError::Unconfirmed)),
        Err(error) => Err((Step::ReadBack, error)),
    }
}

fn is_ours(stored: &StoredMessage, sent_to: &RoomId) -> bool {
    matches!(stored, StoredMessage::Readable { room, text, deleted: false, .. }
        if room == sent_to && text == TEXT)
}

fn key() -> MessageKey {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.unwrap_or_default().as_nanos().to_string();
    MessageKey::derive(&["check", &now])
}
