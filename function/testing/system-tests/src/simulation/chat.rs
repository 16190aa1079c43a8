//! The chat server of a world: a message per id, a room per recipient, a limit on calls. Owns what it
//! answers; whether a call or its answer arrives is the world's business.

use std::collections::BTreeMap;
use std::time::Duration;

use webhook_app::rocketchat::response::{ApiError, StoredMessage};
use webhook_app::rocketchat::{MessageId, RoomId, UserId};
use webhook_app::send::Input;

/// Calls a minute where the bot lacks its role.
const LIMIT: u64 = 10;

#[derive(Clone, Debug)]
pub(super) enum Call {
    CreateRoom,
    Send(RoomId, MessageId),
    Find(MessageId),
    Edit(MessageId),
}

/// A message of the chat server's.
pub(super) struct Stored {
    /// What makes two deliveries one message.
    pub(super) about: String,
    pub(super) room: RoomId,
    pub(super) text: String,
}

/// What it keeps.
pub(super) struct Chat {
    /// By their ids.
    pub(super) stored: BTreeMap<String, Stored>,
    /// Whether the bot lacks its role.
    pub(super) limited: bool,
    /// The minute, and the calls in it.
    calls: (u64, u64),
}

impl Chat {
    pub(super) fn new(limited: bool) -> Self {
        Self {
            stored: BTreeMap::new(),
            limited,
            calls: (0, 0),
        }
    }

    /// Carries out one call, which may store or edit `message`.
    pub(super) fn answer(&mut self, call: &Call, message: Stored, now: Duration) -> Input {
        if let Some(error) = self.over_the_limit(now) {
            return failed(call, error);
        }
        match call {
            Call::CreateRoom => Input::Room(Ok(message.room)),
            Call::Send(room, id) => {
                if *room != message.room || self.stored.contains_key(id.as_str()) {
                    return failed(call, ApiError::Refused);
                }
                self.stored.insert(id.as_str().to_owned(), message);
                Input::Sent(Ok(()))
            }
            Call::Find(id) => {
                let found = self.stored.get(id.as_str()).map(|stored| StoredMessage {
                    room: stored.room.clone(),
                    sender: bot(),
                    text: stored.text.clone(),
                });
                Input::Found(found.ok_or(ApiError::Refused))
            }
            Call::Edit(id) => match self.stored.get_mut(id.as_str()) {
                Some(stored) => {
                    stored.text = message.text;
                    Input::Edited(Ok(()))
                }
                None => failed(call, ApiError::Refused),
            },
        }
    }

    fn over_the_limit(&mut self, now: Duration) -> Option<ApiError> {
        let minute = now.as_secs() / 60;
        if self.calls.0 != minute {
            self.calls = (minute, 0);
        }
        self.calls.1 += 1;
        let over = self.limited && self.calls.1 > LIMIT;
        over.then(|| {
            let next = Duration::from_secs((minute + 1) * 60);
            ApiError::RateLimited(Some(next.saturating_sub(now)))
        })
    }
}

/// The answer that this call failed so.
pub(super) fn failed(call: &Call, error: ApiError) -> Input {
    match call {
        Call::CreateRoom => Input::Room(Err(error)),
        Call::Send(..) => Input::Sent(Err(error)),
        Call::Find(_) => Input::Found(Err(error)),
        Call::Edit(_) => Input::Edited(Err(error)),
    }
}

pub(super) fn bot() -> UserId {
    UserId::parse("bot").expect("is an id")
}

/// The room of a recipient with the bot.
pub(super) fn room(recipient: usize) -> RoomId {
    RoomId::parse(&format!("room-{recipient}")).expect("is an id")
}
