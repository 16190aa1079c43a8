//! Who takes part in an event, as rules and templates refer to them. Owns the parts and how GitLab names
//! the people; which field of a body holds whom is read in the file of each kind.

use serde::Deserialize;

use super::lenient::{Lenient, LenientList, LenientObject};

/// A person, as far as GitLab says.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Person {
    /// Id of the account.
    pub id: Option<u64>,
    /// User name of the account.
    pub username: Option<String>,
    /// Full name.
    pub name: Option<String>,
    /// E-mail address, if the person shows it.
    pub email: Option<String>,
}

impl Person {
    /// The full name, or else the user name.
    pub fn display_name(&self) -> Option<&str> {
        self.name.as_deref().or(self.username.as_deref())
    }

    /// The person, unless nothing is known of them.
    pub(super) fn if_known(self) -> Option<Self> {
        (self != Self::default()).then_some(self)
    }
}

/// An e-mail address in a body. GitLab replaces hidden ones by a word.
pub(super) fn email(text: Lenient) -> Option<String> {
    text.text().filter(|email| email.contains('@'))
}

/// Everybody who takes part in an event.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Participants {
    /// Who triggered it: pushed, commented, merged, started the pipeline.
    pub actor: Option<Person>,
    /// Who wrote what it is about: the merge request, the issue, or else the commit.
    pub author: Option<Person>,
    /// Who wrote the commit.
    pub committer: Option<Person>,
    /// Assignees of the merge request or issue.
    pub assignees: Vec<Person>,
    /// Reviewers of the merge request.
    pub reviewers: Vec<Person>,
}

impl Participants {
    /// An event of which GitLab names the person who triggered it, and nobody else.
    pub(super) fn of_actor(actor: Option<Person>) -> Self {
        Self {
            actor,
            ..Self::default()
        }
    }

    /// An event about a commit: who wrote the commit is also the author.
    pub(super) fn of_commit(actor: Option<Person>, committer: Option<Person>) -> Self {
        Self {
            actor,
            author: committer.clone(),
            committer,
            ..Self::default()
        }
    }

    /// Adds the author, of whom GitLab sends the id alone; without one the author is whoever wrote the
    /// commit.
    pub(super) fn with_author(mut self, id: &Lenient) -> Self {
        self.author = match id.number() {
            Some(id) => Some(self.with_id(id)),
            None => self.committer.clone(),
        };
        self
    }

    /// What the other fields say of the account with this id.
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
    /// The person, unless nothing is known of them.
    pub(super) fn read(self) -> Option<Person> {
        let person = Person {
            id: self.id.number(),
            username: self.username.text(),
            name: self.name.text(),
            email: email(self.email),
        };
        person.if_known()
    }
}

/// `user` of a body.
pub(super) type User = LenientObject<Account>;

impl User {
    /// The person, unless nothing is known of them.
    pub(super) fn person(self) -> Option<Person> {
        self.0.read()
    }
}

/// `assignees` or `reviewers` of a body.
pub(super) type Users = LenientList<Account>;

impl Users {
    /// Those of whom something is known.
    pub(super) fn people(self) -> Vec<Person> {
        self.0.into_iter().filter_map(Account::read).collect()
    }
}
