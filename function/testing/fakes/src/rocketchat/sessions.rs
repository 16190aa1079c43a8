//! The tokens that accounts call the API with: those of sign-ins, and personal access tokens.

/// A token of an account.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) user_id: String,
    pub(super) token: String,
    /// What a personal access token has in addition.
    pub(super) personal: Option<Personal>,
}

/// What distinguishes a personal access token.
#[derive(Clone, Debug)]
pub(super) struct Personal {
    pub(super) name: String,
    /// Whether it was created with "Ignore Two Factor Authentication".
    pub(super) bypasses_second_factor: bool,
}

impl Session {
    pub(super) fn personal(user_id: &str, token: &str, name: &str, bypasses: bool) -> Self {
        Self {
            user_id: user_id.to_owned(),
            token: token.to_owned(),
            personal: Some(Personal {
                name: name.to_owned(),
                bypasses_second_factor: bypasses,
            }),
        }
    }

    fn is_named(&self, user_id: &str, name: &str) -> bool {
        let personal = self.personal.as_ref();
        self.user_id == user_id && personal.is_some_and(|personal| personal.name == name)
    }
}

/// All tokens of all accounts.
#[derive(Default)]
pub(super) struct Sessions(Vec<Session>);

impl Sessions {
    pub(super) fn add(&mut self, session: Session) {
        self.0.push(session);
    }

    /// The one with this token, if it is of this account.
    pub(super) fn of(&self, user_id: &str, token: &str) -> Option<&Session> {
        let mut sessions = self.0.iter();
        sessions.find(|session| session.user_id == user_id && session.token == token)
    }

    /// The personal access tokens of an account.
    pub(super) fn personal_of<'a>(
        &'a self,
        user_id: &'a str,
    ) -> impl Iterator<Item = &'a Personal> {
        let own = self.0.iter().filter(move |own| own.user_id == user_id);
        own.filter_map(|session| session.personal.as_ref())
    }

    /// Removes the personal access token with this name; returns it.
    pub(super) fn remove_named(&mut self, user_id: &str, name: &str) -> Option<Session> {
        let mut sessions = self.0.iter();
        let at = sessions.position(|session| session.is_named(user_id, name))?;
        Some(self.0.remove(at))
    }

    pub(super) fn remove(&mut self, token: &str) {
        self.0.retain(|session| session.token != token);
    }

    pub(super) fn remove_all_of(&mut self, user_id: &str) {
        self.0.retain(|session| session.user_id != user_id);
    }

    /// How many tokens of sign-ins an account has.
    pub(super) fn sign_ins_of(&self, user_id: &str) -> usize {
        let own = self.0.iter().filter(|own| own.user_id == user_id);
        own.filter(|session| session.personal.is_none()).count()
    }
}
