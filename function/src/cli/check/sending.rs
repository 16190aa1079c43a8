//! `webhook-app check --send`: sends one message to a recipient and reads it back. Owns the text of that
//! message and its id, which is new in every run.

use std::time::{SystemTime, UNIX_EPOCH};

use http::HeaderMap;

use super::{Finding, advice, options};
use crate::config::Config;
use crate::rocketchat::client::{Client, Timed};
use crate::rocketchat::response::{ApiError, StoredMessage};
use crate::rocketchat::{Destination, MessageKey, RoomId};

const TEXT: &str =
    "Test message of `webhook-app check --send`: notifications from GitLab can reach you here.";

pub(super) async fn check(config: &Config, recipient: &Destination, client: &Client) -> Finding {
    let label = recipient.label();
    match send(config, recipient, client).await {
        Ok(()) => Finding::Ok(format!("sent a message to {label} and read it back")),
        Err(Failed { step, error, text }) => {
            let (step, expected) = step.words();
            let advice = match (error, text) {
                (ApiError::Unreachable(cause), _) => format!("the recipient {}", cause.advice()),
                (ApiError::Refused | ApiError::Forbidden, Some(text)) => refusal(&text),
                (error, _) => advice(error, expected).into_owned(),
            };
            Finding::Failure(format!("failed to {step} for {label}: {advice}"))
        }
    }
}

/// The failed step, its error, and the text of Rocket.Chat.
struct Failed {
    step: Step,
    error: ApiError,
    text: Option<String>,
}

impl Failed {
    fn of<T>(step: Step, timed: Timed<T>) -> Result<T, Self> {
        timed.result.map_err(|error| Self {
            step,
            error,
            text: timed.error_text,
        })
    }
}

/// What to do about a refusal that says `text`.
fn refusal(text: &str) -> String {
    const KNOWN: [(&str, &str); 4] = [
        (
            "error-not-allowed",
            "let the account write to the recipient: give it the roles user and bot, make it a member of the room, and turn off encryption in it",
        ),
        (
            "error-unauthorized",
            "give the account the roles user and bot",
        ),
        (
            "error-invalid-room",
            "the room no longer exists; change ROUTES",
        ),
        (
            "restricted-workspace",
            "the workspace is restricted; register it again, or renew its license",
        ),
    ];
    let known = KNOWN.iter().find(|(word, _)| text.contains(word));
    let advice = known.map_or("look for it in the log of Rocket.Chat", |(_, advice)| {
        advice
    });
    format!("Rocket.Chat answered \"{text}\"; {advice}")
}

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
            Failed::of(Step::CreateRoom, created)?
        }
    };
    let id = config.rocketchat.message_ids.id("", &key(), &room, 0);
    let sent = client.send_message(&room, &id, TEXT, options(config, &headers));
    let mut stored = Failed::of(Step::Store, sent.await);
    if let Err(failed) = &mut stored
        && matches!(failed.error, ApiError::Refused | ApiError::Forbidden)
    {
        let looked_up = client.room_info(&room, options(config, &headers)).await;
        if let Ok(Some(cause)) = looked_up.result {
            failed.error = ApiError::Unreachable(cause);
        }
    }
    stored?;
    let stored = client.get_message(&id, options(config, &headers)).await;
    if is_ours(&Failed::of(Step::ReadBack, stored)?, &room) {
        return Ok(());
    }
    Err(Failed {
        step: Step::ReadBack,
        error: ApiError::Unconfirmed,
        text: None,
    })
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
