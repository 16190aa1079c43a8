//! Accounts that sign in: administrators, their passwords, second factors and tokens.
//! Owns these methods of the handle; the effects on calls are in `handlers` and `second_factor`.

use serde_json::{Value, json};

use super::FakeRocketChat;
use super::people::{User, password_digest};
use super::sessions::Session;

impl FakeRocketChat {
    /// Creates an account with the roles `user` and `admin` and a password.
    ///
    /// # Panics
    /// If the username is in use.
    pub fn add_administrator(&self, username: &str, password: &str) {
        let mut store = self.server.store();
        assert!(store.user(username).is_none(), "{username} exists");
        let mut user = User::new(username, &["user", "admin"]);
        user.password = Some(password_digest(password));
        user.email = Some(format!("{username}@example.org"));
        store.users.push(user);
    }

    /// Adds a personal access token; `bypasses` is "Ignore Two Factor Authentication". Returns the user id.
    ///
    /// # Panics
    /// If there is no such account.
    pub fn add_access_token(&self, username: &str, token: &str, bypasses: bool) -> String {
        let id = self.change_user(username, |_| ());
        let session = Session::personal(&id, token, "of the test", bypasses);
        self.server.store().sessions.add(session);
        id
    }

    /// What the program `fake-rocketchat` prints at its start: the address and credentials. With `administrator`, creates an
    /// administrator of this name, whose personal access token and password it has, too.
    pub fn announce(&self, administrator: Option<&str>) -> Value {
        let mut started = json!({
            "listening": self.url(),
            "user_id": self.user_id(),
            "auth_token": self.auth_token(),
        });
        if let Some(name) = administrator {
            let (password, token) = (format!("password-of-{name}"), format!("token-of-{name}"));
            self.add_administrator(name, &password);
            started["admin_user_id"] = self.add_access_token(name, &token, true).into();
            started["admin_token"] = token.into();
            started["admin_password"] = password.into();
        }
        started
    }

    /// Turns on the second factor of an account; `code` is what its authenticator app shows.
    ///
    /// # Panics
    /// If there is no such account.
    pub fn set_totp(&self, username: &str, code: &str) {
        self.change_user(username, |user| user.totp = Some(code.to_owned()));
    }

    /// Replaces the roles of an account.
    ///
    /// # Panics
    /// If there is no such account.
    pub fn set_roles_of(&self, username: &str, roles: &[&str]) {
        let roles = roles.iter().map(|&role| role.to_owned()).collect();
        self.change_user(username, |user| user.roles = roles);
    }

    /// The roles of an account, if it exists.
    pub fn roles_of(&self, username: &str) -> Option<Vec<String>> {
        let store = self.server.store();
        store.user(username).map(|user| user.roles.clone())
    }

    /// The names of the personal access tokens of an account, and how many tokens of sign-ins it has.
    ///
    /// # Panics
    /// If there is no such account.
    pub fn tokens_of(&self, username: &str) -> (Vec<String>, usize) {
        let id = self.change_user(username, |_| ());
        let store = self.server.store();
        let names = store.sessions.personal_of(&id);
        let names = names.map(|personal| personal.name.clone()).collect();
        (names, store.sessions.sign_ins_of(&id))
    }

    fn change_user(&self, username: &str, change: impl FnOnce(&mut User)) -> String {
        let mut store = self.server.store();
        let Some(user) = store.user_mut(username) else {
            panic!("there is no user {username}");
        };
        change(user);
        user.id.clone()
    }
}
