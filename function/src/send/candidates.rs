//! The ids under which a message may be stored. Owns the order in which they are looked up: first
//! those that this program gives today, then those that it gave before the secret changed and
//! before ids were keyed. What a result means is decided in [`precondition`](super::precondition).

use std::collections::VecDeque;

use crate::limits::LIMITS;
use crate::rocketchat::{MessageId, MessageIds, MessageKey, RoomId};

/// Ids that remain to be looked up.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Candidates {
    ids: VecDeque<MessageId>,
    /// Ids that matter only if a message of another user has the one before.
    later: VecDeque<MessageId>,
}

impl Candidates {
    /// All ids of a message.
    pub(super) fn all(ids: &MessageIds, origin: &str, key: &MessageKey, room: &RoomId) -> Self {
        let id = |generation| ids.id(origin, key, room, generation);
        let mut all = Self::former(ids, origin, key, room);
        all.ids.push_front(id(0));
        all.later = (1..LIMITS.sending.max_generations).map(id).collect();
        all
    }

    /// Only the ids that are no longer given.
    pub(super) fn former(ids: &MessageIds, origin: &str, key: &MessageKey, room: &RoomId) -> Self {
        Self {
            ids: ids.former(origin, key, room).into(),
            later: VecDeque::new(),
        }
    }

    /// The id to look up next.
    pub(super) fn first(&self) -> Option<&MessageId> {
        self.ids.front()
    }

    /// Removes the first id, under which the message is not stored.
    pub(super) fn skip(&mut self) {
        self.ids.pop_front();
        self.later.clear();
    }

    /// Removes the first id, because a message of another user has it, and continues with the next
    /// one that this program gives.
    pub(super) fn skip_taken(&mut self) {
        self.ids.pop_front();
        if let Some(next) = self.later.pop_front() {
            self.ids.push_front(next);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_generation_is_looked_up_only_if_the_one_before_is_taken() {
        let ids = MessageIds::new(&"second".into(), Some(&"first".into()));
        let (key, room) = (MessageKey::derive(&["key"]), RoomId::parse("room"));
        let room = room.expect("is a room");
        let former = ids.former("", &key, &room);
        let id = |generation| ids.id("", &key, &room, generation);

        let mut absent = Candidates::all(&ids, "", &key, &room);
        for expected in [&id(0), &former[0], &former[1]] {
            assert_eq!(absent.first(), Some(expected));
            absent.skip();
        }
        assert_eq!(absent.first(), None);

        let mut taken = Candidates::all(&ids, "", &key, &room);
        for expected in [&id(0), &id(1), &id(2), &former[0], &former[1]] {
            assert_eq!(taken.first(), Some(expected));
            taken.skip_taken();
        }
        assert_eq!(taken.first(), None);
    }
}
