//! Whom the recipients of a rule are in an event. Owns what a role leads to, and why it leads to nobody. Which
//! rule applies is decided in [`routing`](super), and who a person is in `user_mapping`.

use super::RoutingRules;
use super::rule::RecipientSpec;
use crate::gitlab::event::Event;
use crate::notifier::notification::RecipientSource;
use crate::rocketchat::Destination;

impl RoutingRules {
    /// The name of a role, if it leads to somebody whom `users` may list by an address that GitLab has redacted.
    pub(super) fn redacted_role(&self, to: &RecipientSpec, event: &Event) -> Option<&'static str> {
        let role = to.role()?;
        let mut people = role.people(event).into_iter();
        let is_redacted = people.any(|person| self.users.needs_address_of(person));
        is_redacted.then(|| role.label())
    }

    /// The users of a role whom nothing but a line in `users` can find, each with the name of the role.
    pub(super) fn unknown_ids(
        &self,
        to: &RecipientSpec,
        event: &Event,
    ) -> Vec<(&'static str, u64)> {
        let Some(role) = to.role() else {
            return Vec::new();
        };
        let people = role.people(event).into_iter();
        let ids = people.filter_map(|person| self.users.unknown_id(person));
        ids.map(|id| (role.label(), id)).collect()
    }

    pub(super) fn resolve(
        &self,
        to: &RecipientSpec,
        event: &Event,
    ) -> Vec<(Destination, RecipientSource)> {
        let named = |destination| vec![(destination, RecipientSource::Configuration)];
        match to {
            RecipientSpec::User(user) => named(Destination::User(user.clone())),
            RecipientSpec::Room(room) => named(Destination::Room(room.clone())),
            RecipientSpec::Role(role) => {
                let people = role.people(event).into_iter();
                people
                    .filter_map(|person| self.users.destination(person))
                    .collect()
            }
        }
    }
}
