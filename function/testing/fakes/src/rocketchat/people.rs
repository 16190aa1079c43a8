//! Accounts, and the permissions of their roles.

use std::fmt::Write as _;

use ring::digest;

/// An account.
#[derive(Clone, Debug)]
pub(super) struct User {
    pub(super) id: String,
    pub(super) username: String,
    pub(super) roles: Vec<String>,
    pub(super) email: Option<String>,
    /// The SHA-256 of the password in hexadecimal digits; `None` if the account cannot sign in with one.
    pub(super) password: Option<String>,
    /// The code that its authenticator app shows, if it has one.
    pub(super) totp: Option<String>,
    /// `false` once an administrator has deactivated the account.
    pub(super) active: bool,
}

/// The permissions that the fake checks.
#[derive(Clone, Copy)]
pub(super) enum Permission {
    AssignRoles,
    BypassRateLimit,
    CreateDirectMessages,
    CreatePersonalAccessTokens,
    CreateUsers,
    /// Edit messages of others, and any message where editing is off.
    EditMessages,
    EditUsers,
    Impersonate,
    MentionAll,
    MentionHere,
    /// Write in rooms that are read-only.
    PostInReadOnlyRooms,
    /// Read and write in direct-message rooms of which the account is a member.
    ViewDirectMessages,
    /// See the roles and e-mail addresses of others.
    ViewFullUserInfo,
}

impl User {
    /// An account whose id is derived from its name, so that every run has the same ids.
    pub(super) fn new(username: &str, roles: &[&str]) -> Self {
        Self {
            id: id_for(username),
            username: username.to_owned(),
            roles: roles.iter().map(|&role| role.to_owned()).collect(),
            email: None,
            password: None,
            totp: None,
            active: true,
        }
    }

    /// Whether one of the roles has the permission by default.
    pub(super) fn may(&self, permission: Permission) -> bool {
        let granted: &[&str] = match permission {
            Permission::AssignRoles
            | Permission::CreateUsers
            | Permission::EditUsers
            | Permission::ViewFullUserInfo => &["admin"],
            // Not a mistake: bots do not have this permission.
            Permission::CreatePersonalAccessTokens => &["admin", "user"],
            Permission::BypassRateLimit => &["admin", "bot", "app"],
            Permission::CreateDirectMessages => &["admin", "user", "bot", "app"],
            Permission::EditMessages | Permission::PostInReadOnlyRooms => {
                &["admin", "owner", "moderator"]
            }
            Permission::ViewDirectMessages => &["admin", "user", "bot", "app", "guest"],
            // Not a mistake: administrators do not have this permission.
            Permission::Impersonate => &["bot", "app"],
            Permission::MentionAll | Permission::MentionHere => {
                &["admin", "owner", "moderator", "user"]
            }
        };
        self.roles
            .iter()
            .any(|role| granted.contains(&role.as_str()))
    }
}

/// The SHA-256 of a password, in the form in which it proves the identity of its owner.
pub(super) fn password_digest(password: &str) -> String {
    let hash = digest::digest(&digest::SHA256, password.as_bytes());
    let mut digits = String::new();
    for byte in hash.as_ref() {
        // Writing to a string cannot fail.
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}

/// Seventeen letters and digits, the format of the server's ids.
fn id_for(username: &str) -> String {
    let hash = digest::digest(&digest::SHA256, username.as_bytes());
    short_id(hash.as_ref())
}

/// Seventeen letters and digits from at least 17 bytes.
pub(super) fn short_id(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 55] = b"23456789ABCDEFGHJKLMNPQRSTWXYZabcdefghijkmnopqrstuvwxyz";
    let letters = bytes.iter().take(17);
    letters
        .map(|&byte| char::from(ALPHABET[usize::from(byte) % ALPHABET.len()]))
        .collect()
}
