//! Everybody who has to do with an event, as rules ask for them. Owns the parts people can have in
//! an event and how GitLab names them, which differs from kind to kind.

use super::lenient::Lenient;

/// Somebody, as far as GitLab tells.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Person {
    /// Number of the account.
    pub id: Option<u64>,
    /// Name of the account.
    pub username: Option<String>,
    /// Name as people say it.
    pub name: Option<String>,
    /// Address, if the person shows it.
    pub email: Option<String>,
}

impl Person {
    /// What people call them.
    pub fn called(&self) -> Option<&str> {
        self.name.as_deref().or(self.username.as_deref())
    }
}

/// Everybody who has to do with an event.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Participants {
    /// Who did it: pushed, commented, merged, started the pipeline.
    pub actor: Option<Person>,
    /// Who wrote what it is about: the merge request, the issue, or else the commit.
    pub author: Option<Person>,
    /// Who wrote the commit.
    pub committer: Option<Person>,
    /// Who is to do it.
    pub assignees: Vec<Person>,
    /// Who is to look at it.
    pub reviewers: Vec<Person>,
}

impl Participants {
    /// Whoever has this number; GitLab names some people by it alone.
    pub(super) fn with_id(&self, id: u64) -> Person {
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
#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Account {
    pub(super) id: Lenient,
    pub(super) name: Lenient,
    pub(super) username: Lenient,
    pub(super) email: Lenient,
}

impl Account {
    /// The person, unless nothing at all is known of them. GitLab hides addresses with a word.
    pub(super) fn read(self) -> Option<Person> {
        let person = Person {
            id: self.id.number(),
            username: self.username.text(),
            name: self.name.text(),
            email: self.email.text().filter(|email| email.contains('@')),
        };
        (person != Person::default()).then_some(person)
    }
}
