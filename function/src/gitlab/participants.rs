//! The users involved in an event, as rules and templates refer to them. Owns their roles and how
//! GitLab writes a user; which field of a body has which role is decided in the file of its kind.

use serde::Deserialize;

use super::lenient::{Lenient, LenientList, LenientObject};

/// A person, with the fields that GitLab sends.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Person {
    /// Id of the GitLab account.
    pub id: Option<u64>,
    /// Username of the GitLab account.
    pub username: Option<String>,
    /// Full name.
    pub name: Option<String>,
    /// Email address.
    pub email: Email,
}

/// The email address of a person.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Email {
    /// GitLab sends none.
    #[default]
    Missing,
    /// `[REDACTED]`. In the body of a user, this means that the address is private. GitLab also replaces every
    /// address when it records a webhook, so a resend has none, not even those of commits.
    Redacted,
    /// An address.
    Address(String),
}

impl Email {
    pub(super) fn read(text: Lenient) -> Self {
        match text.text() {
            Some(text) if text.contains('@') => Self::Address(text),
            Some(text) if text == "[REDACTED]" => Self::Redacted,
            _ => Self::Missing,
        }
    }

    /// The address, if it is known.
    pub fn address(&self) -> Option<&str> {
        match self {
            Self::Address(address) => Some(address),
            Self::Missing | Self::Redacted => None,
        }
    }
}

impl Person {
    /// The full name, or else the username.
    pub fn display_name(&self) -> Option<&str> {
        self.name.as_deref().or(self.username.as_deref())
    }

    /// Whether only an address could identify this person, and the record of the webhook does not have it.
    /// Never true for a user, whom GitLab sends with a username or an account id.
    pub(crate) fn is_redacted(&self) -> bool {
        self.email == Email::Redacted && self.username.is_none() && self.id.is_none()
    }

    /// The person; `None` if nothing is known.
    pub(super) fn if_known(self) -> Option<Self> {
        (self != Self::default()).then_some(self)
    }
}

/// The users involved in an event.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Participants {
    /// The user who triggered it: who pushed, commented, merged or started the pipeline.
    pub actor: Option<Person>,
    /// The author of the merge request or issue, or else of the commit.
    pub author: Option<Person>,
    /// The author of the commit.
    pub committer: Option<Person>,
    /// Assignees of the merge request or issue.
    pub assignees: Vec<Person>,
    /// Reviewers of the merge request.
    pub reviewers: Vec<Person>,
    /// Who became an assignee.
    pub new_assignees: Vec<Person>,
    /// Who became a reviewer, or was asked for another review.
    pub new_reviewers: Vec<Person>,
    /// Who is mentioned in the comment or the description.
    pub mentioned: Mentions,
}

/// The users whom a text mentions.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mentions {
    /// Each user once, in the order of the text.
    pub people: Vec<Person>,
    /// The number of further users, who are not kept.
    pub left_out: usize,
    /// Whether the text was read to its end.
    pub is_complete: bool,
}

/// A text without mentions.
impl Default for Mentions {
    fn default() -> Self {
        Self {
            people: Vec::new(),
            left_out: 0,
            is_complete: true,
        }
    }
}

impl Participants {
    /// For an event with no user but the one who triggered it.
    pub(super) fn of_actor(actor: Option<Person>) -> Self {
        Self {
            actor,
            ..Self::default()
        }
    }

    /// For an event about a commit, whose author is also the author of the event.
    pub(super) fn of_commit(actor: Option<Person>, committer: Option<Person>) -> Self {
        Self {
            actor,
            author: committer.clone(),
            committer,
            ..Self::default()
        }
    }

    /// Who is mentioned, without the user who wrote it.
    pub(crate) fn mentioned_by_another(&self) -> impl Iterator<Item = &Person> {
        let actor = self
            .actor
            .as_ref()
            .and_then(|actor| actor.username.as_deref());
        self.mentioned.people.iter().filter(move |person| {
            let name = person.username.as_deref().unwrap_or_default();
            !actor.is_some_and(|actor| actor.eq_ignore_ascii_case(name))
        })
    }

    /// Sets the author from an account id, the only field that GitLab sends; without an id, the
    /// author of the commit.
    pub(super) fn with_author(mut self, id: &Lenient) -> Self {
        self.author = match id.number() {
            Some(id) => Some(self.with_id(id)),
            None => self.committer.clone(),
        };
        self
    }

    /// Sets the assignees and reviewers from account ids, the only field that GitLab sends; without
    /// ids, they stay.
    pub(super) fn with_ids(mut self, assignees: &[u64], reviewers: &[u64]) -> Self {
        let people = |ids: &[u64]| ids.iter().map(|id| self.with_id(*id)).collect();
        let (assignees, reviewers): (Vec<_>, Vec<_>) = (people(assignees), people(reviewers));
        if !assignees.is_empty() {
            self.assignees = assignees;
        }
        if !reviewers.is_empty() {
            self.reviewers = reviewers;
        }
        self
    }

    /// The participant with this account id, or a person with nothing but the id.
    fn with_id(&self, id: u64) -> Person {
        let known = self.actor.iter().chain(&self.assignees);
        let found = known
            .chain(&self.reviewers)
            .find(|person| person.id == Some(id));
        found.cloned().unwrap_or(Person {
            id: Some(id),
            ..Person::default()
        })
    }
}

/// A person in a body: `user`, an entry of `assignees`, the author of a commit.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Account {
    pub(super) id: Lenient,
    pub(super) name: Lenient,
    pub(super) username: Lenient,
    pub(super) email: Lenient,
}

impl Account {
    /// The person; `None` if all fields are missing.
    pub(super) fn read(self) -> Option<Person> {
        let person = Person {
            id: self.id.number(),
            username: self.username.text(),
            name: self.name.text(),
            email: Email::read(self.email),
        };
        person.if_known()
    }
}

/// The field `user` of a body.
pub(super) type User = LenientObject<Account>;

impl User {
    /// The person; `None` if all fields are missing.
    pub(super) fn person(self) -> Option<Person> {
        self.0.read()
    }
}

/// The field `assignees` or `reviewers` of a body.
pub(super) type Users = LenientList<Account>;

impl Users {
    /// The people in the list, without empty entries.
    pub(super) fn people(self) -> Vec<Person> {
        self.0.into_iter().filter_map(Account::read).collect()
    }
}
