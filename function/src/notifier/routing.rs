//! Notification routing: who receives an event. Owns the decision and its explanation. The
//! conditions of a rule are in `rule`; the format of the rules is in [`mod@parse`].

use std::fmt::Display;

use crate::gitlab::event::Event;
use crate::notifier::SkipReason;
use crate::notifier::notification::RecipientSource;
use crate::rocketchat::{Destination, RoomId, Username};

mod parse;
mod keys;
mod reader;
mod vocabulary;
mod terms;
mod rule;
mod condition;
mod conditions;
mod values;
mod glob;
mod path_search;
mod recipient;
mod recipient_list;
mod user_mapping;
mod hook_fields;
mod reach;
mod coverage;
mod notified;
mod pattern_mistakes;
mod pattern_list;
mod regular_expression;
mod warnings;

pub use parse::parse;
use path_search::PathSearch;
pub(crate) use reader::Reader;
pub use recipient::{NotifyReason, Recipient};
use recipient_list::RecipientList;
pub use recipient_list::Recipients;
use rule::{Mismatch, RecipientSpec, Role, Rule};
use user_mapping::UserMapping;
pub(crate) use vocabulary::destination;

/// Rules in their order, and the mapping of GitLab users to Rocket.Chat users.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RoutingRules {
    rules: Vec<Rule>,
    users: UserMapping,
    /// Whether pipelines in progress match.
    live: bool,
}

/// Who receives an event, or why none do, and how each rule contributed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Decision {
    /// The result of [`RoutingRules::evaluate`].
    pub recipients: Result<Recipients, SkipReason>,
    /// One line per decision of an evaluated rule.
    pub(crate) explanation: Vec<String>,
}

impl RoutingRules {
    /// Rules that send every event to one user.
    pub(crate) fn to(recipient: Username) -> Self {
        Self {
            rules: vec![Rule::everything_to(RecipientSpec::User(recipient))],
            users: UserMapping::default(),
            live: false,
        }
    }

    /// The same rules, which match pipelines in progress if `live`.
    #[must_use]
    pub(crate) fn live(self, live: bool) -> Self {
        Self { live, ..self }
    }

    /// The line of the first `status: fixed`, counted from 1.
    pub(crate) fn first_fixes_line(&self) -> Option<usize> {
        self.rules.iter().find_map(|rule| rule.fixes)
    }

    /// The number of rules.
    pub(crate) fn rule_count(&self) -> usize {
        self.rules.len()
    }

    /// The user of `ROCKETCHAT_RECIPIENT`; `None` if there are rules.
    pub(crate) fn only_recipient(&self) -> Option<&Username> {
        match &self.rules[..] {
            [rule] if rule.name == rule::RECIPIENT_SETTING => self.named().next(),
            _ => None,
        }
    }

    /// The Rocket.Chat users that the rules and the mapping name, for `webhook-app check`.
    pub fn users(&self) -> Vec<&Username> {
        let mapped = self.users.listed.iter().map(|(_, user)| user);
        sorted(self.named().chain(mapped))
    }

    /// The users whom the rules name, other than by a role.
    pub(crate) fn named_users(&self) -> Vec<&Username> {
        sorted(self.named())
    }

    /// The rooms that the rules name, for `webhook-app check`.
    pub(crate) fn rooms(&self) -> Vec<&RoomId> {
        let specs = self.rules.iter().flat_map(|rule| &rule.to);
        let mut rooms: Vec<_> = specs
            .filter_map(|to| match to {
                RecipientSpec::Room(room) => Some(room),
                RecipientSpec::User(_) | RecipientSpec::Role(_) => None,
            })
            .collect();
        rooms.sort_unstable();
        rooms.dedup();
        rooms
    }

    fn named(&self) -> impl Iterator<Item = &Username> {
        let specs = self.rules.iter().flat_map(|rule| &rule.to);
        let named = specs.filter_map(|to| match to {
            RecipientSpec::User(user) => Some(user),
            RecipientSpec::Room(_) | RecipientSpec::Role(_) => None,
        });
        named.chain(self.users.fallback())
    }

    /// Who receives the event, or why none do.
    pub fn evaluate(&self, event: &Event) -> Result<Recipients, SkipReason> {
        self.evaluate_rules(event, &mut |_, _| {})
    }

    /// The same as [`evaluate`](Self::evaluate), with an explanation.
    pub fn explain(&self, event: &Event) -> Decision {
        let mut explanation = Vec::new();
        let recipients = self.evaluate_rules(event, &mut |rule, decision| {
            explanation.push(format!("{} {decision}", rule.name));
        });
        Decision {
            recipients,
            explanation,
        }
    }

    fn evaluate_rules(
        &self,
        event: &Event,
        explain: &mut dyn FnMut(&Rule, &dyn Display),
    ) -> Result<Recipients, SkipReason> {
        let mut recipients = RecipientList::default();
        let mut paths = PathSearch::new(&event.attributes);
        let mut reason = SkipReason::NoRule;
        for rule in &self.rules {
            match rule.check(event, self.live, &mut paths) {
                Ok(remark) => {
                    if let Some(remark) = remark {
                        explain(rule, &remark);
                    }
                    reason = self.add_recipients(rule, event, &mut recipients, explain);
                    if !rule.continue_ {
                        break;
                    }
                }
                Err(mismatch) => {
                    explain(rule, &mismatch);
                    reason = closest(reason, mismatch);
                }
            }
        }
        recipients.finish(reason)
    }

    /// Adds the recipients of a rule that matches. Returns the skip reason to use if there are none.
    fn add_recipients<'a>(
        &self,
        rule: &Rule,
        event: &'a Event,
        recipients: &mut RecipientList<'a>,
        explain: &mut dyn FnMut(&Rule, &dyn Display),
    ) -> SkipReason {
        if rule.to.is_empty() {
            explain(rule, &"matches and notifies nobody");
            return SkipReason::Nobody;
        }
        let reason = rule.reason(event);
        if reason == NotifyReason::Fix && event.attributes.pipeline_revision.is_none() {
            explain(
                rule,
                &"matches, but the event does not show whether it is a fix",
            );
            return SkipReason::NotAFix;
        }
        let mut skipped = SkipReason::Unmapped;
        let by = event
            .attributes
            .participants
            .actor
            .as_ref()
            .and_then(|actor| self.users.user(actor));
        for to in &rule.to {
            let by_role = to.role();
            let found = self.resolve(to, event);
            if found.is_empty() {
                let wanted = by_role.map_or("", Role::label);
                explain(
                    rule,
                    &format_args!("matches, but finds no user for {wanted}"),
                );
            }
            for (role, id) in self.unknown_ids(to, event) {
                explain(
                    rule,
                    &format_args!(
                        "finds the {role} only by number; add \"{id}\": NAME to users:, with the name on Rocket.Chat"
                    ),
                );
            }
            if by_role == Some(Role::Mentioned) {
                recipients.ask_for(&event.attributes.participants.mentioned);
            }
            for (destination, source) in found {
                let label = destination.label();
                let is_actor = match (&destination, &by) {
                    (Destination::User(user), Some(by)) => user == by,
                    _ => false,
                };
                if rule.except_actor && is_actor {
                    explain(
                        rule,
                        &format_args!("matches, but {label} triggered the event"),
                    );
                    skipped = SkipReason::OwnAction;
                    continue;
                }
                let recipient = Recipient {
                    destination,
                    reason,
                    source,
                    may_be_handed_off: rule.may_hand_off(event),
                };
                let label = recipient.label();
                if recipients.add(by_role, recipient) {
                    explain(rule, &format_args!("matches and notifies {label}"));
                }
            }
        }
        skipped
    }

    /// The users of a role whom nothing but a line in `users` can find, each with the name of the role.
    fn unknown_ids(&self, to: &RecipientSpec, event: &Event) -> Vec<(&'static str, u64)> {
        let Some(role) = to.role() else {
            return Vec::new();
        };
        let people = role.people(event).into_iter();
        let ids = people.filter_map(|person| self.users.unknown_id(person));
        ids.map(|id| (role.label(), id)).collect()
    }

    fn resolve(&self, to: &RecipientSpec, event: &Event) -> Vec<(Destination, RecipientSource)> {
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

/// Each user once.
fn sorted<'a>(users: impl Iterator<Item = &'a Username>) -> Vec<&'a Username> {
    let mut users: Vec<_> = users.collect();
    users.sort_unstable();
    users.dedup();
    users
}

/// A rule that fails only on confidentiality, progress or a minor update explains the result better
/// than one for other events.
fn closest(reason: SkipReason, mismatch: Mismatch) -> SkipReason {
    match (reason, mismatch) {
        (SkipReason::NoRule, Mismatch::Confidential) => SkipReason::Confidential,
        (SkipReason::NoRule, Mismatch::InProgress) => SkipReason::NotFinal,
        (SkipReason::NoRule, Mismatch::MinorUpdate) => SkipReason::MinorUpdate,
        (reason, _) => reason,
    }
}
