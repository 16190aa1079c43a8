//! A branch or tag that moved: pushes and tag pushes. Owns which field holds the commit of
//! reason, which differs for annotated tags and deletions. Other events are told apart in
//! [`event`](super::event); the words for people are in [`message`](crate::notifier::message).

use serde::Deserialize;

use super::commit::{CommitSha, MaybeCommit};
use super::event::ParseError;
use super::idempotency_key::IdempotencyKey;
use super::kind::Kind;
use super::project::Project;
use super::text::Text;

/// A branch or tag was created, moved or deleted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RefChange {
    /// Branch or tag.
    pub kind: RefKind,
    /// Its name without `refs/heads/` or `refs/tags/`.
    pub name: String,
    /// What happened to it.
    pub change: Change,
    /// Where it happened.
    pub project: Project,
    /// Who pushed, by full name or else by user name.
    pub pusher: Option<String>,
    /// The commit the branch or tag now stands on, where GitLab sent it.
    pub newest: Option<Commit>,
    /// Commits that came with the push. GitLab lists 20 at most but counts all of them.
    pub commit_count: u64,
    /// The message of an annotated tag.
    pub annotation: Option<String>,
    /// Stands in for the idempotency key that GitLab before 17.4 does not send.
    pub content_id: IdempotencyKey,
}

/// The two kinds of reference that GitLab reports.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RefKind {
    /// `refs/heads/…`
    Branch,
    /// `refs/tags/…`
    Tag,
}

/// What happened to a branch or tag.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Change {
    /// It did not exist before.
    Created(CommitSha),
    /// It stood on another commit before.
    Moved(CommitSha),
    /// It is gone; the commit it last stood on, if GitLab said so.
    Deleted(Option<CommitSha>),
}

impl Change {
    /// The commit to tell people about: for a deletion the last one.
    pub fn sha(&self) -> Option<&CommitSha> {
        match self {
            Self::Created(sha) | Self::Moved(sha) => Some(sha),
            Self::Deleted(last) => last.as_ref(),
        }
    }
}

/// What people want to know of a commit.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Commit {
    /// First line of its message.
    pub title: Option<String>,
    /// Name of its author.
    pub author: Option<String>,
}

/// The body of a push or tag push. `event_name` stands alone in system hooks.
#[derive(Deserialize)]
pub(super) struct Payload<'a> {
    #[serde(borrow)]
    pub(super) object_kind: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) event_name: Option<Text<'a>>,
    #[serde(borrow, rename = "ref")]
    reference: Option<Text<'a>>,
    #[serde(default)]
    before: MaybeCommit,
    #[serde(default)]
    after: MaybeCommit,
    #[serde(default)]
    checkout_sha: MaybeCommit,
    #[serde(borrow)]
    message: Option<Text<'a>>,
    user_id: Option<u64>,
    #[serde(borrow)]
    user_name: Option<Text<'a>>,
    #[serde(borrow)]
    user_username: Option<Text<'a>>,
    project_id: Option<u64>,
    #[serde(borrow)]
    project: Option<ProjectPayload<'a>>,
    #[serde(borrow)]
    commits: Option<Vec<CommitPayload<'a>>>,
    total_commits_count: Option<u64>,
}

#[derive(Deserialize)]
struct ProjectPayload<'a> {
    #[serde(borrow)]
    path_with_namespace: Option<Text<'a>>,
    #[serde(borrow)]
    web_url: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct CommitPayload<'a> {
    #[serde(borrow)]
    id: Option<Text<'a>>,
    #[serde(borrow)]
    title: Option<Text<'a>>,
    #[serde(borrow)]
    message: Option<Text<'a>>,
    #[serde(borrow)]
    author: Option<AuthorPayload<'a>>,
}

#[derive(Deserialize)]
struct AuthorPayload<'a> {
    #[serde(borrow)]
    name: Option<Text<'a>>,
}

impl Payload<'_> {
    /// Turns a body of the kind `kind`, push or tag push, into what happened.
    pub(super) fn read(self, kind: Kind) -> Result<RefChange, ParseError> {
        let reference = Text::filled(self.reference.as_ref()).ok_or(ParseError::Missing("ref"))?;
        let (kind, name) = split(reference, kind);
        let project = self.project()?;
        let change = self.change();
        let newest = change.sha().and_then(|sha| self.newest(sha));
        Ok(RefChange {
            kind,
            name: name.to_owned(),
            newest,
            project,
            pusher: self.pusher().map(str::to_owned),
            commit_count: self.commit_count(),
            annotation: Text::filled(self.message.as_ref()).map(first_line),
            content_id: self.content_id(kind, reference),
            change,
        })
    }

    /// `after` names the tag object of an annotated tag; only `checkout_sha` is the commit there.
    /// Zeros or nothing in both means that the branch or tag is gone.
    fn change(&self) -> Change {
        let now = self.checkout_sha.0.as_ref().or(self.after.0.as_ref());
        match (&self.before.0, now) {
            (Some(_), Some(sha)) => Change::Moved(sha.clone()),
            (None, Some(sha)) => Change::Created(sha.clone()),
            (last, None) => Change::Deleted(last.clone()),
        }
    }

    fn project(&self) -> Result<Project, ParseError> {
        let project = self
            .project
            .as_ref()
            .ok_or(ParseError::Missing("project"))?;
        let path = Text::filled(project.path_with_namespace.as_ref())
            .ok_or(ParseError::Missing("project.path_with_namespace"))?;
        let web_url = Text::filled(project.web_url.as_ref()).map(str::to_owned);
        Ok(Project {
            path: path.to_owned(),
            web_url,
        })
    }

    fn pusher(&self) -> Option<&str> {
        Text::filled(self.user_name.as_ref()).or_else(|| Text::filled(self.user_username.as_ref()))
    }

    fn commit_count(&self) -> u64 {
        let listed = self
            .commits
            .as_ref()
            .map_or(0, |commits| commits.len() as u64);
        self.total_commits_count.unwrap_or(listed)
    }

    /// GitLab lists commits oldest first; a merge may put the head elsewhere, so its id decides.
    fn newest(&self, sha: &CommitSha) -> Option<Commit> {
        let commits = self.commits.as_deref()?;
        let is_head =
            |commit: &&CommitPayload| Text::filled(commit.id.as_ref()) == Some(sha.as_str());
        let commit = commits.iter().rfind(is_head)?;
        let title =
            Text::filled(commit.title.as_ref()).or_else(|| Text::filled(commit.message.as_ref()));
        let author = commit
            .author
            .as_ref()
            .and_then(|author| Text::filled(author.name.as_ref()));
        Some(Commit {
            title: title.map(first_line),
            author: author.map(str::to_owned),
        })
    }

    fn content_id(&self, kind: RefKind, reference: &str) -> IdempotencyKey {
        let number =
            |number: Option<u64>| number.map_or_else(String::new, |number| number.to_string());
        let sha = |maybe: &MaybeCommit| maybe.0.as_ref().map_or("", CommitSha::as_str).to_owned();
        let kind = match kind {
            RefKind::Branch => "push",
            RefKind::Tag => "tag_push",
        };
        let (before, after) = (sha(&self.before), sha(&self.after));
        let (project, user) = (number(self.project_id), number(self.user_id));
        IdempotencyKey::from_content(&[&project, kind, reference, &before, &after, &user])
    }
}

/// A name without a prefix is taken as it stands, its kind from the event.
fn split(reference: &str, kind: Kind) -> (RefKind, &str) {
    match (
        reference.strip_prefix("refs/heads/"),
        reference.strip_prefix("refs/tags/"),
        kind,
    ) {
        (Some(name), _, _) => (RefKind::Branch, name),
        (_, Some(name), _) => (RefKind::Tag, name),
        (None, None, Kind::TagPush) => (RefKind::Tag, reference),
        (None, None, _) => (RefKind::Branch, reference),
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().trim().to_owned()
}
