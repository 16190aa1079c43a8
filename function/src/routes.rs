//! Who hears of an event. Owns the decision and its explanation; the conditions are those of a
//! rule in `rule`, and how rules are written is told in [`mod@file`].

use crate::gitlab::circumstances::Circumstances;
use crate::gitlab::kind::Kind;
use crate::gitlab::people::Person;
use crate::notice::Ignored;
use crate::rocketchat::{Recipient, RoomId};

pub mod file;
mod glob;
mod hearer;
mod rule;
mod value;

use hearer::add;
pub use hearer::{Hearer, Interest};
use rule::{Mismatch, Role, Rule, To};

/// The most that one event is told to; the time of a delivery is the same for all of them.
pub const MAX_TARGETS: usize = 20;

/// Rules in their order, and the names that people of GitLab have on the chat server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Routes {
    rules: Vec<Rule>,
    users: Vec<(String, Recipient)>,
    others: Others,
    /// Whether pipelines are told of before their end.
    live: bool,
}

/// What holds for people that the table of users does not name.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
enum Others {
    /// They have the same name on both sides.
    #[default]
    Same,
    /// Nobody is told in their place.
    Drop,
    /// This user is told in their place.
    Fallback(Recipient),
}

/// Where one message goes.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Target {
    /// To a user, as a direct message.
    User(Recipient),
    /// Into a room that the account is in.
    Room(RoomId),
}

impl Target {
    /// As people write it: `@alice`, or `room:` and the id.
    pub fn label(&self) -> String {
        match self {
            Self::User(name) => format!("@{}", name.as_str()),
            Self::Room(id) => format!("room:{}", id.as_str()),
        }
    }
}

/// Who hears of an event, or why nobody does, and how it came to that.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Decision {
    /// Each of them once.
    pub hearers: Result<Vec<Hearer>, Ignored>,
    /// One line a rule that was asked, for people.
    pub explanation: Vec<String>,
}

impl Routes {
    /// Everything goes to one user.
    pub fn to(recipient: Recipient) -> Self {
        Self {
            rules: vec![Rule::everything_to(To::User(recipient))],
            users: Vec::new(),
            others: Others::Same,
            live: false,
        }
    }

    /// The same rules, with pipelines let through that are under way.
    #[must_use]
    pub fn live(self, live: bool) -> Self {
        Self { live, ..self }
    }

    /// Whether any rule asks more of an event than its kind and whether it may be told.
    pub fn ask_more(&self) -> bool {
        self.rules.iter().any(Rule::asks)
    }

    /// The line of the first rule that asks for fixes.
    pub fn ask_for_fixes(&self) -> Option<usize> {
        self.rules.iter().find_map(|rule| rule.fixes)
    }

    /// Users that rules name, for a look at whether they exist.
    pub fn users(&self) -> Vec<&Recipient> {
        let named = self.rules.iter().flat_map(|rule| &rule.to);
        let named = named.filter_map(|to| match to {
            To::User(user) => Some(user),
            To::Room(_) | To::Role(_) => None,
        });
        let fallback = match &self.others {
            Others::Fallback(user) => Some(user),
            Others::Same | Others::Drop => None,
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
    pub fn decide(&self, circumstances: &Circumstances) -> Result<Vec<Hearer>, Ignored> {
        self.ask(circumstances, &mut |_, _| {})
    }

    /// The same with a line for every rule that was asked.
    pub fn explain(&self, circumstances: &Circumstances) -> Decision {
        let mut explanation = Vec::new();
        let hearers = self.ask(circumstances, &mut |rule, said| {
            explanation.push(format!("{} {said}", rule.name));
        });
        Decision {
            hearers,
            explanation,
        }
    }

    fn ask(
        &self,
        circumstances: &Circumstances,
        tell: &mut dyn FnMut(&Rule, &str),
    ) -> Result<Vec<Hearer>, Ignored> {
        let mut hearers = Vec::new();
        let mut reason = Ignored::NoRule;
        for rule in &self.rules {
            match rule.check(circumstances, self.live) {
                Ok(()) => {
                    reason = self.add(rule, circumstances, &mut hearers, tell);
                    if !rule.goes_on {
                        break;
                    }
                }
                Err(mismatch) => {
                    tell(rule, mismatch.words());
                    reason = worse(reason, mismatch);
                }
            }
        }
        hearers.truncate(MAX_TARGETS);
        if hearers.is_empty() {
            Err(reason)
        } else {
            Ok(hearers)
        }
    }

    /// Adds whom a rule names; the reason holds if that is nobody.
    fn add(
        &self,
        rule: &Rule,
        circumstances: &Circumstances,
        hearers: &mut Vec<Hearer>,
        tell: &mut dyn FnMut(&Rule, &str),
    ) -> Ignored {
        if rule.to.is_empty() {
            tell(rule, "fits and tells nobody");
            return Ignored::Nobody;
        }
        let interest = rule.interest(circumstances);
        if interest == Interest::Fix && circumstances.lineage.is_none() {
            tell(rule, "fits, but whether this is a fix cannot be known");
            return Ignored::NotAFix;
        }
        let mut reason = Ignored::Unmapped;
        let actor = circumstances
            .people
            .actor
            .as_ref()
            .and_then(|actor| self.user(actor));
        for to in &rule.to {
            let found = self.targets(to, circumstances);
            if found.is_empty() {
                tell(rule, &format!("fits, but knows no {}", role_of(to)));
            }
            for target in found {
                let label = target.label();
                let is_actor =
                    matches!((&target, &actor), (Target::User(user), Some(actor)) if user == actor);
                if rule.except_actor && is_actor {
                    tell(rule, &format!("fits, but {label} did it"));
                    reason = Ignored::OwnAction;
                    continue;
                }
                let hearer = Hearer { target, interest };
                let label = hearer.label();
                if add(hearers, hearer) {
                    tell(rule, &format!("fits and tells {label}"));
                }
            }
        }
        reason
    }

    fn targets(&self, to: &To, circumstances: &Circumstances) -> Vec<Target> {
        match to {
            To::User(user) => vec![Target::User(user.clone())],
            To::Room(room) => vec![Target::Room(room.clone())],
            To::Role(role) => {
                let people = role.people(circumstances).into_iter();
                people
                    .filter_map(|person| self.user(person))
                    .map(Target::User)
                    .collect()
            }
        }
    }

    /// What somebody of GitLab is called on the chat server. The table may know them by the name of
    /// the account, by its number or by an address.
    fn user(&self, person: &Person) -> Option<Recipient> {
        let id = person.id.map(|id| id.to_string());
        let names = [&person.username, &id, &person.email];
        let listed = names.into_iter().flatten().find_map(|name| {
            let entry = self
                .users
                .iter()
                .find(|(own, _)| own.eq_ignore_ascii_case(name));
            entry.map(|(_, user)| user.clone())
        });
        listed.or_else(|| match &self.others {
            Others::Same => Recipient::parse(person.username.as_deref()?).ok(),
            Others::Drop => None,
            Others::Fallback(user) => Some(user.clone()),
        })
    }
}

/// A rule that nearly fitted says more than one that is for something else.
fn worse(reason: Ignored, mismatch: Mismatch) -> Ignored {
    match (reason, mismatch) {
        (Ignored::NoRule, Mismatch::Confidential) => Ignored::Confidential,
        (Ignored::NoRule, Mismatch::UnderWay) => Ignored::NotFinal,
        (reason, _) => reason,
    }
}

fn role_of(to: &To) -> &'static str {
    match to {
        To::Role(role) => Role::label(*role),
        To::User(_) | To::Room(_) => "",
    }
}

/// Names of every kind that rules may name.
fn event_names() -> impl Iterator<Item = &'static str> {
    let kinds = Kind::ALL.iter().filter(|kind| **kind != Kind::Other);
    kinds.map(|kind| kind.label())
}
