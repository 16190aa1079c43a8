//! Who hears of an event. Owns the decision and its explanation; the conditions are those of a
//! rule in `rule`, and how rules are written is told in [`mod@parse`].

use crate::gitlab::attributes::EventAttributes;
use crate::gitlab::kind::Kind;
use crate::gitlab::participants::Person;
use crate::notifier::SkipReason;
use crate::rocketchat::{Destination, Username};

mod glob;
mod parse;
mod recipient;
mod rule;
mod vocabulary;

pub use parse::parse;
use recipient::add;
pub use recipient::{NotifyReason, Recipient};
use rule::{Mismatch, RecipientSpec, Role, Rule};

/// The most that one event is told to; the time of a delivery is the same for all of them.
pub const MAX_TARGETS: usize = 20;

/// Rules in their order, and the names that people of GitLab have on the chat server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RoutingRules {
    rules: Vec<Rule>,
    users: Vec<(String, Username)>,
    unmapped_users: UnmappedUsers,
    /// Whether pipelines are told of before their end.
    live: bool,
}

/// What holds for people that the table of users does not name.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
enum UnmappedUsers {
    /// They have the same name on both sides.
    #[default]
    Same,
    /// Nobody is told in their place.
    Drop,
    /// This user is told in their place.
    Fallback(Username),
}

/// Who hears of an event, or why nobody does, and how it came to that.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Decision {
    /// Each of them once.
    pub recipients: Result<Vec<Recipient>, SkipReason>,
    /// One line a rule that was asked, for people.
    pub explanation: Vec<String>,
}

impl RoutingRules {
    /// Everything goes to one user.
    pub fn to(recipient: Username) -> Self {
        Self {
            rules: vec![Rule::everything_to(RecipientSpec::User(recipient))],
            users: Vec::new(),
            unmapped_users: UnmappedUsers::Same,
            live: false,
        }
    }

    /// The same rules, with pipelines let through that are under way.
    #[must_use]
    pub fn live(self, live: bool) -> Self {
        Self { live, ..self }
    }

    /// Whether any rule asks more of an event than its kind and whether it may be told.
    pub fn needs_attributes(&self) -> bool {
        self.rules.iter().any(Rule::asks)
    }

    /// The line of the first rule that asks for fixes.
    pub fn first_fixes_line(&self) -> Option<usize> {
        self.rules.iter().find_map(|rule| rule.fixes)
    }

    /// Users that rules name, for a look at whether they exist.
    pub fn users(&self) -> Vec<&Username> {
        let named = self.rules.iter().flat_map(|rule| &rule.to);
        let named = named.filter_map(|to| match to {
            RecipientSpec::User(user) => Some(user),
            RecipientSpec::Room(_) | RecipientSpec::Role(_) => None,
        });
        let fallback = match &self.unmapped_users {
            UnmappedUsers::Fallback(user) => Some(user),
            UnmappedUsers::Same | UnmappedUsers::Drop => None,
        };
        let mut users: Vec<_> = named
            .chain(self.users.iter().map(|(_, user)| user))
            .chain(fallback)
            .collect();
        users.sort_unstable_by_key(|user| user.as_str());
        users.dedup();
        users
    }

    /// Who hears of what happened.
    pub fn decide(&self, attributes: &EventAttributes) -> Result<Vec<Recipient>, SkipReason> {
        self.evaluate(attributes, &mut |_, _| {})
    }

    /// The same with a line for every rule that was asked.
    pub fn explain(&self, attributes: &EventAttributes) -> Decision {
        let mut explanation = Vec::new();
        let recipients = self.evaluate(attributes, &mut |rule, said| {
            explanation.push(format!("{} {said}", rule.name));
        });
        Decision {
            recipients,
            explanation,
        }
    }

    fn evaluate(
        &self,
        attributes: &EventAttributes,
        tell: &mut dyn FnMut(&Rule, &str),
    ) -> Result<Vec<Recipient>, SkipReason> {
        let mut recipients = Vec::new();
        let mut reason = SkipReason::NoRule;
        for rule in &self.rules {
            match rule.check(attributes, self.live) {
                Ok(()) => {
                    reason = self.add(rule, attributes, &mut recipients, tell);
                    if !rule.continue_ {
                        break;
                    }
                }
                Err(mismatch) => {
                    tell(rule, mismatch.words());
                    reason = worse(reason, mismatch);
                }
            }
        }
        recipients.truncate(MAX_TARGETS);
        if recipients.is_empty() {
            Err(reason)
        } else {
            Ok(recipients)
        }
    }

    /// Adds whom a rule names; the reason holds if that is nobody.
    fn add(
        &self,
        rule: &Rule,
        attributes: &EventAttributes,
        recipients: &mut Vec<Recipient>,
        tell: &mut dyn FnMut(&Rule, &str),
    ) -> SkipReason {
        if rule.to.is_empty() {
            tell(rule, "fits and tells nobody");
            return SkipReason::Nobody;
        }
        let reason = rule.reason(attributes);
        if reason == NotifyReason::Fix && attributes.pipeline_revision.is_none() {
            tell(rule, "fits, but whether this is a fix cannot be known");
            return SkipReason::NotAFix;
        }
        let mut skipped = SkipReason::Unmapped;
        let actor = attributes
            .people
            .actor
            .as_ref()
            .and_then(|actor| self.user(actor));
        for to in &rule.to {
            let found = self.targets(to, attributes);
            if found.is_empty() {
                tell(rule, &format!("fits, but knows no {}", role_of(to)));
            }
            for target in found {
                let label = target.label();
                let is_actor = matches!((&target, &actor), (Destination::User(user), Some(actor)) if user == actor);
                if rule.except_actor && is_actor {
                    tell(rule, &format!("fits, but {label} did it"));
                    skipped = SkipReason::OwnAction;
                    continue;
                }
                let recipient = Recipient { target, reason };
                let label = recipient.label();
                if add(recipients, recipient) {
                    tell(rule, &format!("fits and tells {label}"));
                }
            }
        }
        skipped
    }

    fn targets(&self, to: &RecipientSpec, attributes: &EventAttributes) -> Vec<Destination> {
        match to {
            RecipientSpec::User(user) => vec![Destination::User(user.clone())],
            RecipientSpec::Room(room) => vec![Destination::Room(room.clone())],
            RecipientSpec::Role(role) => {
                let people = role.people(attributes).into_iter();
                people
                    .filter_map(|person| self.user(person))
                    .map(Destination::User)
                    .collect()
            }
        }
    }

    /// What somebody of GitLab is called on the chat server. The table may know them by the name of
    /// the account, by its number or by an address.
    fn user(&self, person: &Person) -> Option<Username> {
        let id = person.id.map(|id| id.to_string());
        let names = [&person.username, &id, &person.email];
        let listed = names.into_iter().flatten().find_map(|name| {
            let entry = self
                .users
                .iter()
                .find(|(own, _)| own.eq_ignore_ascii_case(name));
            entry.map(|(_, user)| user.clone())
        });
        listed.or_else(|| match &self.unmapped_users {
            UnmappedUsers::Same => Username::parse(person.username.as_deref()?).ok(),
            UnmappedUsers::Drop => None,
            UnmappedUsers::Fallback(user) => Some(user.clone()),
        })
    }
}

/// A rule that nearly fitted says more than one that is for something else.
fn worse(reason: SkipReason, mismatch: Mismatch) -> SkipReason {
    match (reason, mismatch) {
        (SkipReason::NoRule, Mismatch::Confidential) => SkipReason::Confidential,
        (SkipReason::NoRule, Mismatch::InProgress) => SkipReason::NotFinal,
        (reason, _) => reason,
    }
}

fn role_of(to: &RecipientSpec) -> &'static str {
    match to {
        RecipientSpec::Role(role) => Role::label(*role),
        RecipientSpec::User(_) | RecipientSpec::Room(_) => "",
    }
}

/// Names of every kind that rules may name.
fn event_names() -> impl Iterator<Item = &'static str> {
    let kinds = Kind::ALL.iter().filter(|kind| **kind != Kind::Other);
    kinds.map(|kind| kind.label())
}
