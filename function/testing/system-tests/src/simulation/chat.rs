//! The chat server of a simulation: a message per id, a room per recipient, a rate limit. Owns its
//! responses; the simulator decides whether a call or its response arrives.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use webhook_app::rocketchat::response::{ApiError, StoredMessage};
use webhook_app::rocketchat::{MessageIds, RoomId, UserId};
use webhook_app::send::{Account, Call, Input};

/// Calls per minute without the role `bot`.
const LIMIT: u64 = 10;

/// A stored message.
pub(super) struct Stored {
    /// Identifies the message: deliveries with the same key belong to one message.
    pub(super) key: String,
    pub(super) room: RoomId,
    pub(super) text: String,
}

/// The state of the server.
pub(super) struct Chat {
    /// Messages by id.
    pub(super) stored: BTreeMap<String, Stored>,
    /// Whether the bot lacks the role `bot`, and so is rate limited.
    pub(super) limited: bool,
    /// The current minute, and the calls in it.
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

    /// Executes one call, which may store or edit `message`.
    pub(super) fn execute(&mut self, call: &Call, message: Stored, now: Duration) -> Input {
        if let Some(error) = self.rate_limit(now) {
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
                let found = self.stored.get(id.as_str());
                let found = found.map(|stored| StoredMessage::Readable {
                    room: stored.room.clone(),
                    sender: bot(),
                    text: stored.text.clone(),
                    deleted: false,
                });
                Input::Found(found.ok_or(ApiError::Refused))
            }
            Call::Edit(_, id) => match self.stored.get_mut(id.as_str()) {
                Some(stored) => {
                    stored.text = message.text;
                    Input::Edited(Ok(()))
                }
                None => failed(call, ApiError::Refused),
            },
            Call::CheckUser | Call::CheckRoom(_) => Input::Checked(Ok(None)),
        }
    }

    fn rate_limit(&mut self, now: Duration) -> Option<ApiError> {
        let minute = now.as_secs() / 60;
        if self.calls.0 != minute {
            self.calls = (minute, 0);
        }
        self.calls.1 += 1;
        let exceeded = self.limited && self.calls.1 > LIMIT;
        exceeded.then(|| {
            let next = Duration::from_secs((minute + 1) * 60);
            ApiError::RateLimited(Some(next.saturating_sub(now)))
        })
    }
}

/// The input for a call that failed with this error.
pub(super) fn failed(call: &Call, error: ApiError) -> Input {
    match call {
        Call::CreateRoom => Input::Room(Err(error)),
        Call::Send(..) => Input::Sent(Err(error)),
        Call::Find(_) => Input::Found(Err(error)),
        Call::Edit(..) => Input::Edited(Err(error)),
        Call::CheckUser | Call::CheckRoom(_) => Input::Checked(Err(error)),
    }
}

pub(super) fn bot() -> UserId {
    UserId::parse("bot").expect("is an id")
}

/// The account of every replica.
pub(super) fn account() -> Account {
    Account {
        bot: bot(),
        ids: Arc::new(MessageIds::new(&"secret".into(), None)),
    }
}

/// The room of a recipient with the bot.
pub(super) fn room(recipient: usize) -> RoomId {
    RoomId::parse(&format!("room-{recipient}")).expect("is an id")
}
