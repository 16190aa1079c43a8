//! A room, for direct messages or private with a name: its members, and the two states in which it refuses messages.
//! Members are kept by id, because a user can be renamed; `store` knows their usernames.

/// A room.
#[derive(Clone, Debug)]
pub(super) struct Room {
    pub(super) id: String,
    /// The name of a private room; `None` for direct messages.
    pub(super) name: Option<String>,
    /// The ids of the accounts, the creator first.
    pub(super) members: Vec<String>,
    /// `ro`: only accounts with a permission may write. `None` until an administrator sets it.
    pub(super) read_only: Option<bool>,
    /// End-to-end encrypted, on a server that refuses plain text in such rooms.
    pub(super) encrypted: bool,
}

impl Room {
    /// The room of these accounts, whose id follows from theirs.
    pub(super) fn of(members: Vec<String>) -> Self {
        Self {
            id: Self::id_for(&members),
            name: None,
            members,
            read_only: None,
            encrypted: false,
        }
    }

    /// The sorted and concatenated ids of the members.
    pub(super) fn id_for(members: &[String]) -> String {
        let mut ids: Vec<&str> = members.iter().map(String::as_str).collect();
        ids.sort_unstable();
        ids.concat()
    }

    pub(super) fn has(&self, user_id: &str) -> bool {
        self.members.iter().any(|member| member == user_id)
    }
}
