//! The commits that a push lists: the newest 20, from the oldest to the newest. Owns which of them is
//! the head, and what is kept of them. The push itself is parsed in [`push`](super::push).

use serde::Deserialize;
use serde_json::value::RawValue;

use super::changed_paths::ChangedPaths;
use super::commit::CommitSha;
use super::lenient::Lenient;
use super::list::{Last, List};
use super::participants::{Person, email};
use super::text::{Text, first_line};

/// The field `commits` of a body.
pub(super) type PushedCommits<'a> = List<Last<CommitPayload<'a>>>;

#[derive(Deserialize)]
pub(super) struct CommitPayload<'a> {
    #[serde(borrow)]
    id: Option<Text<'a>>,
    #[serde(borrow)]
    title: Option<Text<'a>>,
    #[serde(borrow)]
    message: Option<Text<'a>>,
    #[serde(borrow)]
    author: Option<AuthorPayload<'a>>,
    /// The files that it changed, parsed only if a rule asks for them.
    #[serde(borrow)]
    added: Option<&'a RawValue>,
    #[serde(borrow)]
    modified: Option<&'a RawValue>,
    #[serde(borrow)]
    removed: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct AuthorPayload<'a> {
    #[serde(borrow)]
    name: Option<Text<'a>>,
    /// Parsed only for the head commit.
    #[serde(borrow)]
    email: Option<&'a RawValue>,
}

impl PushedCommits<'_> {
    /// Number of the listed commits.
    pub(super) fn count(&self) -> u64 {
        self.0.count as u64
    }

    /// Title and author of the head commit. A merge may put the head elsewhere than last, so its id
    /// decides.
    pub(super) fn head(&self, sha: &CommitSha) -> Option<(Option<String>, Option<Person>)> {
        let is_head =
            |commit: &&CommitPayload| Text::non_blank(commit.id.as_ref()) == Some(sha.as_str());
        let commit = self.0.entries.iter().rfind(is_head)?;
        let author = commit.author.as_ref().and_then(AuthorPayload::person);
        Some((commit.title(), author))
    }

    /// From the newest commit to the oldest, so that a limit leaves out the oldest ones. `count` is
    /// the number of commits in the push.
    pub(super) fn changed_paths(&self, count: u64) -> ChangedPaths {
        let mut paths = ChangedPaths::default();
        for commit in self.0.entries.iter().rev() {
            paths.add([commit.added, commit.modified, commit.removed]);
        }
        if (self.0.entries.len() as u64) < count {
            paths.set_more_commits();
        }
        paths
    }
}

impl CommitPayload<'_> {
    fn title(&self) -> Option<String> {
        let title =
            Text::non_blank(self.title.as_ref()).or_else(|| Text::non_blank(self.message.as_ref()));
        title.map(|title| first_line(title).to_owned())
    }
}

impl AuthorPayload<'_> {
    fn person(&self) -> Option<Person> {
        let address = self.email.map(|json| serde_json::from_str(json.get()));
        let address: Lenient = address.and_then(Result::ok).unwrap_or_default();
        let person = Person {
            name: self.name(),
            email: email(address),
            ..Person::default()
        };
        person.if_known()
    }

    fn name(&self) -> Option<String> {
        Text::non_blank(self.name.as_ref()).map(|name| first_line(name).to_owned())
    }
}
