//! The mapping from users of GitLab to users of Rocket.Chat. Owns by what a user is listed, and what
//! happens with users who are not listed. Which users an event names is decided in `rule`.

use crate::gitlab::participants::Person;
use crate::notifier::notification::RecipientSource;
use crate::rocketchat::{Destination, Username};

/// Who is who.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct UserMapping {
    /// Usernames, account ids and email addresses of GitLab users, each with a Rocket.Chat user.
    pub(super) listed: Vec<(String, Username)>,
    pub(super) others: UnmappedUsers,
}

/// What happens with GitLab users that the mapping does not list.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) enum UnmappedUsers {
    /// They have the same username on Rocket.Chat.
    #[default]
    Same,
    /// They are dropped.
    Drop,
    /// This user is notified instead.
    Fallback(Username),
}

impl UserMapping {
    /// The Rocket.Chat user of a GitLab user. The mapping may list the username, the account id or
    /// the email address.
    pub(super) fn user(&self, person: &Person) -> Option<Username> {
        let listed = self.listed(person);
        listed.or_else(|| match &self.others {
            UnmappedUsers::Same => Username::parse(person.username.as_deref()?).ok(),
            UnmappedUsers::Drop => None,
            UnmappedUsers::Fallback(user) => Some(user.clone()),
        })
    }

    fn listed(&self, person: &Person) -> Option<Username> {
        let id = person.id.map(|id| id.to_string());
        let username = person.username.as_deref();
        let names = [username, id.as_deref(), person.email.address()];
        names.into_iter().flatten().find_map(|name| {
            let entry = self
                .listed
                .iter()
                .find(|(listed, _)| listed.eq_ignore_ascii_case(name));
            entry.map(|(_, user)| user.clone())
        })
    }

    /// The destination of a user whom a role leads to. The fallback is named by the configuration,
    /// although a role leads to it.
    pub(super) fn destination(&self, person: &Person) -> Option<(Destination, RecipientSource)> {
        let user = self.user(person)?;
        let source = if self.fallback() == Some(&user) {
            RecipientSource::Configuration
        } else {
            RecipientSource::Role
        };
        Some((Destination::User(user), source))
    }

    /// The user who is notified instead of users who are not listed.
    pub(super) fn fallback(&self) -> Option<&Username> {
        match &self.others {
            UnmappedUsers::Fallback(user) => Some(user),
            UnmappedUsers::Same | UnmappedUsers::Drop => None,
        }
    }

    /// Whether the mapping may list this person by an address that GitLab has redacted.
    pub(super) fn needs_address_of(&self, person: &Person) -> bool {
        person.is_redacted() && self.listed.iter().any(|(name, _)| name.contains('@'))
    }

    /// The account id of a user of whom GitLab sends nothing else and whom the mapping does not find.
    pub(super) fn unknown_id(&self, person: &Person) -> Option<u64> {
        let is_unknown = person.username.is_none() && self.user(person).is_none();
        person.id.filter(|_| is_unknown)
    }
}
