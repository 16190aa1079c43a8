//! The cached direct message rooms of recipients. Owns when an entry is no longer used: rooms do
//! not change, but the name of a user may be given to another user.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::time::Duration;

use super::backoff::Jitter;
use crate::limits::LIMITS;
use crate::rocketchat::{RoomId, Username};

/// Rooms by recipient. Each saves one call per message.
#[derive(Debug, Default)]
pub(super) struct Rooms {
    entries: HashMap<Username, Entry>,
    random: RandomState,
}

#[derive(Debug)]
struct Entry {
    room: RoomId,
    since: Duration,
    /// When the entry expires, on the clock of the caller.
    until: Duration,
}

impl Rooms {
    /// The room of a recipient, unless its entry has expired.
    pub(super) fn get(&self, name: &Username, now: Duration) -> Option<RoomId> {
        let entry = self.entries.get(name);
        let entry = entry.filter(|entry| now < entry.until)?;
        Some(entry.room.clone())
    }

    /// The room of a recipient, if its entry was made after `time`.
    pub(super) fn get_since(&self, name: &Username, time: Duration) -> Option<RoomId> {
        let entry = self.entries.get(name);
        let entry = entry.filter(|entry| entry.since > time)?;
        Some(entry.room.clone())
    }

    /// Caches the room of a recipient.
    pub(super) fn insert(&mut self, name: Username, room: RoomId, now: Duration) {
        if self.entries.len() >= LIMITS.sending.max_rooms {
            self.entries.clear();
        }
        // Entries of one burst expire at different times.
        let mut jitter = Jitter::new(self.random.hash_one(&name));
        let until = now + jitter.of(LIMITS.sending.room_lifetime);
        let entry = Entry {
            room,
            since: now,
            until,
        };
        self.entries.insert(name, entry);
    }

    /// Forgets the room of a recipient.
    pub(super) fn remove(&mut self, name: &Username) {
        self.entries.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_expires_after_five_to_ten_minutes() {
        let minutes = |count| Duration::from_mins(count);
        let room = RoomId::parse("room").expect("is a room");
        let mut rooms = Rooms::default();
        let names = ["alice", "bob", "carol"].map(|name| Username::parse(name).expect("is a name"));
        for name in &names {
            rooms.insert(name.clone(), room.clone(), minutes(1));
            assert_eq!(rooms.get(name, minutes(5)), Some(room.clone()));
            assert_eq!(rooms.get(name, minutes(11)), None);
            assert_eq!(rooms.get_since(name, minutes(1)), None);
            assert_eq!(rooms.get_since(name, Duration::ZERO), Some(room.clone()));
        }
        let ends: Vec<_> = names.iter().map(|name| rooms.entries[name].until).collect();
        assert_ne!(ends[0], ends[1]);
        rooms.remove(&names[0]);
        assert_eq!(rooms.get(&names[0], minutes(1)), None);
    }
}
