//! The commits that a push lists: the newest 20, from the oldest to the newest. Owns which of them is
//! the head, and which of them are kept for the message. The push itself is parsed in
//! [`push`](super::push).

use serde::Deserialize;
use serde_json::value::RawValue;

use super::changed_paths::ChangedPaths;
use super::commit::CommitSha;
use super::lenient::Lenient;
use super::list::{Last, List};
use super::participants::{Email, Person};
use super::text::{Text, first_line};
use crate::limits::LIMITS;

/// A commit of a push.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct PushedCommit {
    /// Its id.
    pub(crate) sha: CommitSha,
    /// Its title, if GitLab sends one that is not blank.
    pub(crate) title: Option<String>,
    /// Full name of its author.
    pub(crate) author: Option<String>,
}

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

    /// Title and author of the head commit.
    pub(super) fn head(&self, sha: &CommitSha) -> Option<(Option<String>, Option<Person>)> {
        let commit = &self.0.entries[self.position(sha)?];
        let author = commit.author.as_ref().and_then(AuthorPayload::person);
        Some((commit.title(), author))
    }

    /// The commits that a message lists: the head, then the others from the newest to the oldest.
    pub(super) fn listed(&self, head: &CommitSha) -> Vec<PushedCommit> {
        let head = self.position(head);
        let others = (0..self.0.entries.len()).rev();
        let others = others.filter(|position| Some(*position) != head);
        head.into_iter()
            .chain(others)
            .filter_map(|position| self.0.entries[position].read())
            .take(LIMITS.texts.commits)
            .collect()
    }

    /// Where the head commit is. A merge may put it elsewhere than last, so its id decides.
    fn position(&self, head: &CommitSha) -> Option<usize> {
        let is_head = |commit: &CommitPayload| commit.id() == Some(head.as_str());
        self.0.entries.iter().rposition(is_head)
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
    /// `None` if it has no valid id, which a custom webhook template can cause.
    fn read(&self) -> Option<PushedCommit> {
        Some(PushedCommit {
            sha: CommitSha::parse(self.id()?)?,
            title: self.title(),
            author: self.author.as_ref().and_then(AuthorPayload::name),
        })
    }

    fn id(&self) -> Option<&str> {
        Text::non_blank(self.id.as_ref())
    }

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
            email: Email::read(address),
            ..Person::default()
        };
        person.if_known()
    }

    fn name(&self) -> Option<String> {
        Text::non_blank(self.name.as_ref()).map(|name| first_line(name).to_owned())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::event::EventKind;
    use super::super::fixtures::{body, event};

    /// Short id, title and author of the commits that are kept.
    fn kept(body: &Value) -> Vec<(String, String, String)> {
        let EventKind::RefChange(push) = event(body).kind else {
            panic!("is no push");
        };
        let kept = push.commits.into_iter().map(|commit| {
            let [title, author] = [commit.title, commit.author].map(Option::unwrap_or_default);
            (commit.sha.short().to_owned(), title, author)
        });
        kept.collect()
    }

    fn row(sha: &str, title: &str, author: &str) -> (String, String, String) {
        (sha.to_owned(), title.to_owned(), author.to_owned())
    }

    #[test]
    fn the_head_comes_first_and_the_others_from_the_newest_to_the_oldest() {
        let order = row("122c5970", "Order the fuel lines", "Kim Sample");
        let light = row("9c0abe51", "Light the engines in order", "Kim Sample");
        assert_eq!(
            kept(&body("push_with_more_commits_than_listed")),
            [
                light.clone(),
                row("d0f631ca", "Cool the nozzle first", "Ada Příkladová"),
                order.clone(),
            ]
        );
        assert_eq!(
            kept(&body("push_whose_head_is_not_listed_last")),
            [
                light,
                row("594e519a", "Merged from elsewhere", "Robin Example"),
                order,
            ]
        );
        assert_eq!(kept(&body("push_that_goes_back")), []);
        assert_eq!(kept(&body("push_that_deletes_a_branch")), []);
    }

    #[test]
    fn no_more_commits_are_kept_than_a_message_lists() {
        let mut push = body("push_with_more_commits_than_listed");
        let commits: Vec<_> = (0..20)
            .map(|number| json!({ "id": format!("{number:040x}"), "title": format!("{number}") }))
            .collect();
        push["commits"] = json!(commits);
        let titles: Vec<_> = kept(&push).into_iter().map(|(_, title, _)| title).collect();
        assert_eq!(titles, ["19", "18", "17"]);
        // The first commit has an id of zeros.
        push["commits"] = json!(commits[..2]);
        assert_eq!(kept(&push), [row("00000000", "1", "")]);
    }
}
