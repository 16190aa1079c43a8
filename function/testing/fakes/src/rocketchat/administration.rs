//! What administrators and other users do while the server runs: roles, accounts, states of rooms, deleted messages and occupied ids.
//! Owns these methods of the handle; the effects on calls are in `handlers`.

use super::people::User;
use super::room::Room;
use super::store::Store;
use super::{FakeRocketChat, Message};
use crate::clock::iso_now;

/// How the server keeps the document of a deleted message, so that its id stays in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// As "message removed", without its text: `t` is `rm`. With `Message_ShowDeletedStatus`, or if the message has replies in a thread.
    Removed,
    /// Unchanged but for `_hidden`. With `Message_KeepHistory`.
    Hidden,
}

impl FakeRocketChat {
    /// Replaces the roles of the bot. Without any role it can neither create nor use direct-message rooms.
    pub fn set_roles(&self, roles: &[&str]) {
        let mut store = self.server.store();
        let bot = known_mut(&mut store, &self.server.bot.username);
        bot.roles = roles.iter().map(|&role| role.to_owned()).collect();
    }

    /// Creates an account.
    ///
    /// # Panics
    /// If the username is in use.
    pub fn add_user(&self, username: &str) {
        let mut store = self.server.store();
        assert!(store.user(username).is_none(), "{username} exists");
        let mut user = User::new(username, &["user"]);
        while store.user_by_id(&user.id).is_some() {
            // The former owner of the name has the id that follows from the name.
            user.id = User::new(&user.id, &[]).id;
        }
        store.users.push(user);
    }

    /// Renames an account. Its id, its rooms and its messages stay.
    ///
    /// # Panics
    /// If there is no such account, or if the new username is in use.
    pub fn rename_user(&self, username: &str, new_username: &str) {
        let mut store = self.server.store();
        assert!(store.user(new_username).is_none(), "{new_username} exists");
        new_username.clone_into(&mut known_mut(&mut store, username).username);
        let messages = store.messages.iter_mut().map(|stored| &mut stored.message);
        for message in messages.filter(|message| message.sender == username) {
            new_username.clone_into(&mut message.sender);
        }
    }

    /// Deactivates an account, which makes its existing direct-message rooms read-only.
    ///
    /// A room that is created later is not read-only: the server finds deactivated users as any others.
    ///
    /// # Panics
    /// If there is no such account.
    pub fn deactivate_user(&self, username: &str) {
        self.set_active(username, false);
    }

    /// Activates an account again, and makes its direct-message rooms writable.
    ///
    /// # Panics
    /// If there is no such account.
    pub fn activate_user(&self, username: &str) {
        self.set_active(username, true);
    }

    fn set_active(&self, username: &str, active: bool) {
        let mut store = self.server.store();
        let user = known_mut(&mut store, username);
        user.active = active;
        let id = user.id.clone();
        let rooms = store.rooms.values_mut();
        for room in rooms.filter(|room| room.has(&id)) {
            room.read_only = Some(!active);
        }
    }

    /// Makes the bot's direct-message room with this user read-only; creates the room if there is none.
    ///
    /// # Panics
    /// If there is no such account.
    pub fn set_read_only(&self, username: &str) {
        self.change_room(username, |room| room.read_only = Some(true));
    }

    /// Makes the bot's direct-message room with this user encrypted, so that it refuses plain text; creates the room if there is none.
    ///
    /// # Panics
    /// If there is no such account.
    pub fn set_encrypted(&self, username: &str) {
        self.change_room(username, |room| room.encrypted = true);
    }

    /// Makes the bot's direct-message room with this user neither read-only nor encrypted.
    ///
    /// # Panics
    /// If there is no such account.
    pub fn set_writable(&self, username: &str) {
        self.change_room(username, |room| {
            room.read_only = Some(false);
            room.encrypted = false;
        });
    }

    fn change_room(&self, username: &str, change: impl FnOnce(&mut Room)) {
        let mut store = self.server.store();
        let other = known_mut(&mut store, username).id.clone();
        change(store.room_of(vec![self.server.bot.id.clone(), other]));
    }

    /// The id of the direct-message room of these users; creates the room if there is none.
    ///
    /// # Panics
    /// If there is no such account.
    pub fn direct_room(&self, usernames: &[&str]) -> String {
        let mut store = self.server.store();
        let members = usernames
            .iter()
            .map(|username| known_mut(&mut store, username).id.clone())
            .collect();
        store.room_of(members).id.clone()
    }

    /// Creates a private room with a name; returns its id.
    ///
    /// # Panics
    /// If there is no such account.
    pub fn add_private_room(&self, name: &str, usernames: &[&str]) -> String {
        let mut store = self.server.store();
        let members = usernames.iter();
        let members = members.map(|username| known_mut(&mut store, username).id.clone());
        let mut room = Room::of(members.collect());
        room.id = User::new(name, &[]).id;
        room.name = Some(name.to_owned());
        let id = room.id.clone();
        store.rooms.insert(id.clone(), room);
        id
    }

    /// Stores a message of another user under an id, as every user can. Returns `false` if the id is in use already.
    ///
    /// # Panics
    /// If there is no such account.
    pub fn occupy(&self, id: &str, username: &str, room_id: &str) -> bool {
        let mut store = self.server.store();
        let sender = known_mut(&mut store, username).username.clone();
        store.insert_other(Message {
            id: id.to_owned(),
            room_id: room_id.to_owned(),
            recipient: String::new(),
            sender,
            text: "mine".to_owned(),
            mentions: Vec::new(),
            preview_urls: None,
            alias: None,
            avatar: None,
            emoji: None,
            attachments: None,
            edits: 0,
            stored_at: iso_now(),
        })
    }

    /// Deletes a message, as a user can, on a server that forgets it; its id can then be used again.
    pub fn delete_message(&self, message_id: &str) {
        let mut store = self.server.store();
        store
            .messages
            .retain(|stored| stored.message.id != message_id);
    }

    /// Deletes a message, as a user can, on a server that keeps its document: [`Self::messages`] no longer lists it, and its id stays in use.
    ///
    /// # Panics
    /// If there is no such message.
    pub fn delete_message_keeping(&self, message_id: &str, kept: Kept) {
        let mut store = self.server.store();
        let Some(stored) = store.stored_mut(message_id) else {
            panic!("there is no message {message_id}");
        };
        stored.read = true;
        stored.deleted = Some(kept);
        if kept == Kept::Removed {
            stored.message.text.clear();
            stored.message.attachments = None;
        }
    }
}

fn known_mut<'a>(store: &'a mut Store, username: &str) -> &'a mut User {
    match store.user_mut(username) {
        Some(user) => user,
        None => panic!("there is no user {username}"),
    }
}
