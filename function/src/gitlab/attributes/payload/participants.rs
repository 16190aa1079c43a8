//! Who has which part in an event. Owns where a body names them, and whom it names by a number alone.

use super::{Attributes, CommitPayload, Noteable, Payload};
use crate::gitlab::lenient::Lenient;
use crate::gitlab::participants::{Account, Participants, Person};

impl Payload {
    pub(super) fn people(
        &mut self,
        attributes: &mut Attributes,
        thing: &mut Noteable,
    ) -> Participants {
        let list =
            |people: Option<Vec<Account>>| people.into_iter().flatten().filter_map(Account::read);
        let newest = attributes.last_commit.take().or(thing.last_commit.take());
        let committer = self.committer(newest);
        let mut people = Participants {
            actor: self.actor(),
            assignees: list(self.assignees.take()).collect(),
            reviewers: list(self.reviewers.take()).collect(),
            author: None,
            committer,
        };
        let of_thing = thing.assignee.as_ref().map(|account| Person {
            id: account.id.number(),
            username: account.username.clone().text(),
            ..Person::default()
        });
        people.assignees.extend(of_thing);
        let author_id = match thing.author_id.number() {
            None if thing.iid == Lenient::Nothing => attributes.author_id.number(),
            id => id,
        };
        // The author of a comment on a commit is whoever acted, not who wrote the commit.
        let on_commit = self.commit.is_some() || author_id.is_none();
        people.author = match author_id.filter(|_| !on_commit) {
            Some(id) => Some(people.with_id(id)),
            None => people.committer.clone(),
        };
        people
    }

    fn actor(&mut self) -> Option<Person> {
        let own = Account {
            id: std::mem::take(&mut self.user_id),
            name: std::mem::take(&mut self.user_name),
            username: std::mem::take(&mut self.user_username),
            email: std::mem::take(&mut self.user_email),
        };
        self.user
            .take()
            .and_then(Account::read)
            .or_else(|| own.read())
    }

    /// The author of the newest commit: of a push the one its head names.
    fn committer(&mut self, newest: Option<CommitPayload>) -> Option<Person> {
        let commits = self.commits.take().unwrap_or_default();
        let head = commits.into_iter().rfind(|commit| commit.id == self.after);
        if let Some(commit) = head.or(newest) {
            return commit.author.and_then(Account::read);
        }
        let commit = self.commit.as_mut()?;
        let own = commit.author.take().and_then(Account::read);
        // A job names the author in fields of its own.
        let named = Account {
            name: commit.author_name.clone(),
            email: commit.author_email.clone(),
            ..Account::default()
        };
        own.or_else(|| named.read())
    }
}
