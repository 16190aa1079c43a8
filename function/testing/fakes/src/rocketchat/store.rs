//! The state of the server: accounts, rooms, messages by id, API violations and call counts.
//! Owns the rule that an id is stored once; knows nothing about requests.

use std::collections::{BTreeMap, HashMap};

use super::fault::Faults;
use super::limiter::Limiter;
use super::people::User;
use super::room::Room;
use super::sessions::Sessions;
use super::{Kept, Message, Route};

/// A message and whether a test has read it.
pub(super) struct Stored {
    pub(super) message: Message,
    pub(super) read: bool,
    /// How its document is kept, once it is deleted.
    pub(super) deleted: Option<Kept>,
}

/// The id is already in use.
#[derive(Debug)]
pub(super) struct DuplicateId;

#[derive(Default)]
pub(super) struct Store {
    pub(super) users: Vec<User>,
    pub(super) sessions: Sessions,
    pub(super) rooms: BTreeMap<String, Room>,
    pub(super) messages: Vec<Stored>,
    pub(super) inserts: BTreeMap<String, usize>,
    pub(super) attempts: BTreeMap<String, usize>,
    pub(super) calls: HashMap<Route, usize>,
    /// The routes in the order in which they were called.
    pub(super) history: Vec<Route>,
    pub(super) violations: Vec<String>,
    pub(super) faults: Faults,
    pub(super) limiter: Limiter,
}

impl Store {
    /// Counts a call, whatever its result.
    pub(super) fn count(&mut self, route: Route) {
        *self.calls.entry(route).or_default() += 1;
        self.history.push(route);
    }

    pub(super) fn user(&self, username: &str) -> Option<&User> {
        self.users.iter().find(|user| user.username == username)
    }

    pub(super) fn user_by_id(&self, id: &str) -> Option<&User> {
        self.users.iter().find(|user| user.id == id)
    }

    pub(super) fn user_mut(&mut self, username: &str) -> Option<&mut User> {
        self.users.iter_mut().find(|user| user.username == username)
    }

    /// The current usernames of the members of a room.
    pub(super) fn usernames(&self, room: &Room) -> Vec<&str> {
        let members = room.members.iter().filter_map(|id| self.user_by_id(id));
        members.map(|member| member.username.as_str()).collect()
    }

    pub(super) fn stored(&self, id: &str) -> Option<&Stored> {
        self.messages.iter().find(|stored| stored.message.id == id)
    }

    pub(super) fn stored_mut(&mut self, id: &str) -> Option<&mut Stored> {
        let mut messages = self.messages.iter_mut();
        messages.find(|stored| stored.message.id == id)
    }

    /// Creates the room of these accounts, or returns the existing one.
    pub(super) fn room_of(&mut self, members: Vec<String>) -> &mut Room {
        let room = self.rooms.entry(Room::id_for(&members));
        room.or_insert_with(|| Room::of(members))
    }

    /// Stores a message unless its id is in use.
    pub(super) fn insert(&mut self, message: Message) -> Result<(), DuplicateId> {
        if self.stored(&message.id).is_some() {
            return Err(DuplicateId);
        }
        *self.inserts.entry(message.id.clone()).or_default() += 1;
        self.messages.push(Stored {
            message,
            read: false,
            deleted: None,
        });
        Ok(())
    }

    /// Stores a message of another account, marked as read because no test expects it; `false` if its id is in use.
    pub(super) fn insert_other(&mut self, message: Message) -> bool {
        let id = message.id.clone();
        let inserted = self.insert(message).is_ok();
        if inserted {
            self.inserts.remove(&id);
            self.messages.iter_mut().for_each(|stored| {
                stored.read |= stored.message.id == id;
            });
        }
        inserted
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
