//! The state of the server: accounts, rooms, messages by id, API violations and call counts.
//! Owns the rule that an id is stored once; knows nothing about requests.

use std::collections::{BTreeMap, HashMap};

use super::fault::Faults;
use super::limiter::Limiter;
use super::people::User;
use super::{Message, Route};

/// A room for direct messages.
#[derive(Clone, Debug)]
pub(super) struct Room {
    pub(super) id: String,
    pub(super) members: Vec<User>,
}

impl Room {
    pub(super) fn has(&self, user_id: &str) -> bool {
        self.members.iter().any(|member| member.id == user_id)
    }

    pub(super) fn usernames(&self) -> Vec<&str> {
        let members = self.members.iter();
        members.map(|member| member.username.as_str()).collect()
    }
}

/// A message and whether a test has read it.
pub(super) struct Stored {
    pub(super) message: Message,
    pub(super) read: bool,
}

/// The id is already in use.
#[derive(Debug)]
pub(super) struct DuplicateId;

#[derive(Default)]
pub(super) struct Store {
    pub(super) users: Vec<User>,
    pub(super) rooms: BTreeMap<String, Room>,
    pub(super) messages: Vec<Stored>,
    pub(super) inserts: BTreeMap<String, usize>,
    pub(super) attempts: BTreeMap<String, usize>,
    pub(super) calls: HashMap<Route, usize>,
    pub(super) violations: Vec<String>,
    pub(super) faults: Faults,
    pub(super) limiter: Limiter,
}

impl Store {
    pub(super) fn user(&self, username: &str) -> Option<&User> {
        self.users.iter().find(|user| user.username == username)
    }

    pub(super) fn message(&self, id: &str) -> Option<&Message> {
        let stored = self.messages.iter().map(|stored| &stored.message);
        stored.into_iter().find(|message| message.id == id)
    }

    pub(super) fn message_mut(&mut self, id: &str) -> Option<&mut Message> {
        let stored = self.messages.iter_mut();
        stored
            .map(|stored| &mut stored.message)
            .find(|message| message.id == id)
    }

    /// Creates the room of these users, or returns the existing one.
    pub(super) fn room_of(&mut self, members: Vec<User>) -> Room {
        let mut ids: Vec<&str> = members.iter().map(|member| member.id.as_str()).collect();
        ids.sort_unstable();
        let id = ids.concat();
        let room = self.rooms.entry(id.clone());
        room.or_insert(Room { id, members }).clone()
    }

    /// Stores a message unless its id is in use.
    pub(super) fn insert(&mut self, message: Message) -> Result<(), DuplicateId> {
        if self.message(&message.id).is_some() {
            return Err(DuplicateId);
        }
        *self.inserts.entry(message.id.clone()).or_default() += 1;
        self.messages.push(Stored {
            message,
            read: false,
        });
        Ok(())
    }

    /// The oldest unread message, which is then marked as read.
    pub(super) fn take_unread(&mut self) -> Option<Message> {
        let oldest = self.messages.iter_mut().find(|stored| !stored.read)?;
        oldest.read = true;
        Some(oldest.message.clone())
    }

    pub(super) fn violation(&mut self, text: impl Into<String>) {
        self.violations.push(text.into());
    }
}
