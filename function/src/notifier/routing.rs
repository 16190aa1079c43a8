//! Notification routing: who receives an event. Owns the decision and its explanation. The
//! conditions of a rule are in `rule`; the format of the rules is in [`mod@parse`].

use crate::gitlab::event::Event;
use crate::gitlab::kind::Kind;
use crate::gitlab::participants::Person;
use crate::limits::LIMITS;
use crate::notifier::SkipReason;
use crate::notifier::notification::RecipientSource;
use crate::rocketchat::{Destination, RoomId, Username};

mod glob;
mod parse;
mod recipient;
mod rule;
mod vocabulary;

pub use parse::parse;
use recipient::add;
pub use recipient::{NotifyReason, Recipient};
use rule::{Mismatch, RecipientSpec, Role, Rule};

/// Rules in their order, and the mapping of GitLab users to Rocket.Chat users.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RoutingRules {
    rules: Vec<Rule>,
    users: Vec<(String, Username)>,
    unmapped_users: UnmappedUsers,
    /// Whether pipelines in progress match.
    live: bool,
}

/// What happens with GitLab users that the mapping does not list.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
enum UnmappedUsers {
    /// They have the same username on Rocket.Chat.
    #[default]
    Same,
    /// They are dropped.
    Drop,
    /// This user is notified instead.
    Fallback(Username),
}

/// Who receives an event.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Recipients {
    /// Each recipient once, at least one and at most [`max_recipients`](crate::limits::RoutingLimits::max_recipients).
    pub list: Vec<Recipient>,
    /// Number of further recipients, who are not notified.
    pub truncated: usize,
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
            users: Vec::new(),
            unmapped_users: UnmappedUsers::Same,
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
        let mapped = self.users.iter().map(|(_, user)| user);
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
        let fallback = match &self.unmapped_users {
            UnmappedUsers::Fallback(user) => Some(user),
            UnmappedUsers::Same | UnmappedUsers::Drop => None,
        };
        named.chain(fallback)
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
        explain: &mut dyn FnMut(&Rule, &str),
    ) -> Result<Recipients, SkipReason> {
        let mut list = Vec::new();
        let mut reason = SkipReason::NoRule;
        for rule in &self.rules {
            match rule.check(event, self.live) {
                Ok(()) => {
                    reason = self.add_recipients(rule, event, &mut list, explain);
                    if !rule.continue_ {
                        break;
                    }
                }
                Err(mismatch) => {
                    explain(rule, mismatch.description());
                    reason = closest(reason, mismatch);
                }
            }
        }
        if list.is_empty() {
            return Err(reason);
        }
        let truncated = list.len().saturating_sub(LIMITS.routing.max_recipients);
        list.truncate(LIMITS.routing.max_recipients);
        Ok(Recipients { list, truncated })
    }

    /// Adds the recipients of a rule that matches. Returns the skip reason to use if there are
    /// none.
    fn add_recipients(
        &self,
        rule: &Rule,
        event: &Event,
        recipients: &mut Vec<Recipient>,
        explain: &mut dyn FnMut(&Rule, &str),
    ) -> SkipReason {
        if rule.to.is_empty() {
            explain(rule, "matches and notifies nobody");
            return SkipReason::Nobody;
        }
        let reason = rule.reason(event);
        if reason == NotifyReason::Fix && event.attributes.pipeline_revision.is_none() {
            explain(
                rule,
                "matches, but the event does not show whether it is a fix",
            );
            return SkipReason::NotAFix;
        }
        let mut skipped = SkipReason::Unmapped;
        let actor = event
            .attributes
            .participants
            .actor
            .as_ref()
            .and_then(|actor| self.user(actor));
        for to in &rule.to {
            let found = self.resolve(to, event);
            if found.is_empty() {
                explain(
                    rule,
                    &format!("matches, but finds no user for {}", role_label(to)),
                );
            }
            for (destination, source) in found {
                let label = destination.label();
                let is_actor = match (&destination, &actor) {
                    (Destination::User(user), Some(actor)) => user == actor,
                    _ => false,
                };
                if rule.except_actor && is_actor {
                    explain(rule, &format!("matches, but {label} triggered the event"));
                    skipped = SkipReason::OwnAction;
                    continue;
                }
                let recipient = Recipient {
                    destination,
                    reason,
                    source,
                };
                let label = recipient.label();
                if add(recipients, recipient) {
                    explain(rule, &format!("matches and notifies {label}"));
                }
            }
        }
        skipped
    }

    fn resolve(&self, to: &RecipientSpec, event: &Event) -> Vec<(Destination, RecipientSource)> {
        let named = |destination| vec![(destination, RecipientSource::Configuration)];
        match to {
            RecipientSpec::User(user) => named(Destination::User(user.clone())),
            RecipientSpec::Room(room) => named(Destination::Room(room.clone())),
            RecipientSpec::Role(role) => {
                let people = role.people(event).into_iter();
                let users = people.filter_map(|person| self.user(person));
                users.map(|user| self.in_role(user)).collect()
            }
        }
    }

    /// The fallback is named by the configuration, although a role leads to it.
    fn in_role(&self, user: Username) -> (Destination, RecipientSource) {
        let source = match &self.unmapped_users {
            UnmappedUsers::Fallback(fallback) if *fallback == user => {
                RecipientSource::Configuration
            }
            _ => RecipientSource::Role,
        };
        (Destination::User(user), source)
    }

    /// The Rocket.Chat user of a GitLab user. The mapping may list the username, the account id or
    /// the email address.
    fn user(&self, person: &Person) -> Option<Username> {
        let id = person.id.map(|id| id.to_string());
        let names = [&person.username, &id, &person.email];
        let listed = names.into_iter().flatten().find_map(|name| {
            let entry = self
                .users
                .iter()
                .find(|(listed, _)| listed.eq_ignore_ascii_case(name));
            entry.map(|(_, user)| user.clone())
        });
        listed.or_else(|| match &self.unmapped_users {
            UnmappedUsers::Same => Username::parse(person.username.as_deref()?).ok(),
            UnmappedUsers::Drop => None,
            UnmappedUsers::Fallback(user) => Some(user.clone()),
        })
    }
}

/// Each user once.
fn sorted<'a>(users: impl Iterator<Item = &'a Username>) -> Vec<&'a Username> {
    let mut users: Vec<_> = users.collect();
    users.sort_unstable();
    users.dedup();
    users
}

/// A rule that fails only on confidentiality or progress explains the result better than one for
/// other events.
fn closest(reason: SkipReason, mismatch: Mismatch) -> SkipReason {
    match (reason, mismatch) {
        (SkipReason::NoRule, Mismatch::Confidential) => SkipReason::Confidential,
        (SkipReason::NoRule, Mismatch::InProgress) => SkipReason::NotFinal,
        (reason, _) => reason,
    }
}

fn role_label(to: &RecipientSpec) -> &'static str {
    match to {
        RecipientSpec::Role(role) => Role::label(*role),
        RecipientSpec::User(_) | RecipientSpec::Room(_) => "",
    }
}

/// Labels of the kinds that rules may match.
fn event_names() -> impl Iterator<Item = &'static str> {
    let kinds = Kind::known();
    kinds.map(Kind::label)
}
