//! Changes of branches and tags: pushes and tag pushes. Owns which field has the commit, which
//! differs for annotated tags and deletions. The commits of a push are parsed in
//! [`pushed_commits`](super::pushed_commits). Whether a body is a push is decided in
//! [`event`](super::event); the message is rendered in [`message`](crate::notifier::message).

use serde::Deserialize;

use super::attributes::EventAttributes;
use super::commit::{CommitSha, MaybeCommit};
use super::event::{ParseError, Parsed};
use super::idempotency_key::IdempotencyKey;
use super::kind::Kind;
use super::lenient::Lenient;
use super::meta::{EventHints, EventMeta, digits, instance};
use super::occurred_at::Own;
use super::participants::{Email, Participants, Person};
use super::project::{ProjectPayload, path_of};
use super::pushed_commits::{PushedCommit, PushedCommits};
use super::text::{Line, Text, bounded};

/// A branch or tag was created, moved or deleted. The attribute `reference` is its name and `sha`
/// its commit; `title` and `committer` are those of the head commit.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct RefChange {
    /// Whether it is a branch or a tag.
    pub(crate) kind: RefKind,
    /// Its name without `refs/heads/` or `refs/tags/`.
    pub(crate) name: String,
    /// The change.
    pub(crate) change: Change,
    /// The commit that it pointed to before, or for an annotated tag its tag object; `None` if it was
    /// created.
    pub(crate) before: Option<CommitSha>,
    /// The commits that a message lists: the head, then the others from the newest to the oldest.
    pub(crate) commits: Vec<PushedCommit>,
    /// Number of commits in the push. GitLab lists at most 20 but counts all of them.
    pub(crate) commit_count: u64,
}

/// The two kinds of ref that GitLab reports.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum RefKind {
    /// `refs/heads/…`
    Branch,
    /// `refs/tags/…`
    Tag,
}

impl RefKind {
    /// From the field `tag` of a pipeline or job.
    pub(super) fn from_tag(tag: Option<bool>) -> Self {
        match tag {
            Some(true) => Self::Tag,
            Some(false) | None => Self::Branch,
        }
    }
}

/// The change of a branch or tag.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Change {
    /// Created at this commit.
    Created(CommitSha),
    /// Moved to this commit.
    Moved(CommitSha),
    /// Moved back to this commit, which it already contained. GitLab does not say whether a push was
    /// forced, so a branch that moves to another line of commits is [`Moved`](Self::Moved).
    Reset(CommitSha),
    /// Deleted; the commit it pointed to before, if GitLab sends it.
    Deleted(Option<CommitSha>),
}

impl Change {
    /// The commit to show: the new one, or the last one of a deleted ref.
    pub(crate) fn sha(&self) -> Option<&CommitSha> {
        match self {
            Self::Created(sha) | Self::Moved(sha) | Self::Reset(sha) => Some(sha),
            Self::Deleted(last) => last.as_ref(),
        }
    }

    fn action(&self) -> &'static str {
        match self {
            Self::Created(_) => "create",
            Self::Moved(_) | Self::Reset(_) => "push",
            Self::Deleted(_) => "delete",
        }
    }
}

/// The body of a push or tag push. System hooks send only `event_name`.
#[derive(Deserialize)]
pub(super) struct Payload<'a> {
    #[serde(borrow)]
    object_kind: Option<Text<'a>>,
    #[serde(borrow)]
    event_name: Option<Text<'a>>,
    #[serde(borrow, rename = "ref")]
    reference: Option<Text<'a>>,
    #[serde(default)]
    ref_protected: Lenient,
    #[serde(default)]
    before: MaybeCommit,
    #[serde(default)]
    after: MaybeCommit,
    #[serde(default)]
    checkout_sha: MaybeCommit,
    #[serde(default)]
    message: Line,
    user_id: Option<u64>,
    #[serde(default)]
    user_name: Line,
    #[serde(default)]
    user_username: Line,
    #[serde(default)]
    user_email: Lenient,
    project_id: Option<u64>,
    project: Option<ProjectPayload>,
    #[serde(borrow)]
    commits: Option<PushedCommits<'a>>,
    total_commits_count: Option<u64>,
    #[serde(default)]
    webhook_app: Own,
}

impl Payload<'_> {
    /// The hints that the body gives.
    pub(super) fn hints(&self) -> EventHints<'static> {
        EventHints {
            kind: Kind::from_names(self.object_kind.as_ref(), self.event_name.as_ref()),
            name: "",
            confidential: false,
            occurred_at: self.webhook_app.occurred_at(),
        }
    }

    /// Fails if the ref or the path of the project is missing.
    pub(super) fn read(self, hints: &EventHints) -> Result<Parsed<RefChange>, ParseError> {
        let reference =
            Text::non_blank(self.reference.as_ref()).ok_or(ParseError::Missing("ref"))?;
        let (kind, name) = split_ref(reference, hints.kind);
        let name = bounded(name);
        let change = self.change();
        let content_key = self.content_key(kind, reference);
        let commits = self.commits.unwrap_or_default();
        let sha = change.sha();
        let (title, committer) = sha.and_then(|sha| commits.head(sha)).unwrap_or_default();
        let commit_count = self.total_commits_count.unwrap_or(commits.count());
        let changed_paths = commits.changed_paths(commit_count);
        let project = self.project.ok_or(ParseError::Missing("project"))?;
        let project = project
            .read()
            .filter(|project| project.path().is_some())
            .ok_or(ParseError::Missing("project.path_with_namespace"))?;
        let actor = Person {
            id: self.user_id,
            username: self.user_username.0,
            name: self.user_name.0,
            email: Email::read(self.user_email),
        };
        Ok(Parsed {
            attributes: EventAttributes {
                project_path: path_of(Some(&project)),
                action: Some(change.action().to_owned()),
                reference: Some(name.to_owned()),
                protected: self.ref_protected.flag(),
                participants: Participants::of_commit(actor.if_known(), committer),
                sha: sha.cloned(),
                changed_paths: Some(changed_paths),
                title,
                text: self.message.0,
                ..EventAttributes::default()
            },
            kind: RefChange {
                kind,
                name: name.to_owned(),
                before: self.before.0,
                commits: sha.map_or_else(Vec::new, |sha| commits.listed(sha)),
                commit_count,
                change,
            },
            meta: EventMeta {
                occurred_at: hints.occurred_at,
                kind: match kind {
                    RefKind::Branch => Kind::Push,
                    RefKind::Tag => Kind::TagPush,
                },
                instance: instance(Some(&project), None),
                confidential: false,
                idempotency_key: None,
                content_key,
                project: Some(project),
            },
        })
    }

    /// For an annotated tag, `after` is the tag object and only `checkout_sha` is the commit. If
    /// both are zeros or missing, the branch or tag was deleted.
    fn change(&self) -> Change {
        let now = self.checkout_sha.0.as_ref().or(self.after.0.as_ref());
        match (&self.before.0, now) {
            (Some(_), Some(sha)) if self.total_commits_count == Some(0) => {
                Change::Reset(sha.clone())
            }
            (Some(_), Some(sha)) => Change::Moved(sha.clone()),
            (None, Some(sha)) => Change::Created(sha.clone()),
            (last, None) => Change::Deleted(last.clone()),
        }
    }

    fn content_key(&self, kind: RefKind, reference: &str) -> IdempotencyKey {
        let sha = |maybe: &MaybeCommit| maybe.0.as_ref().map_or("", CommitSha::as_str).to_owned();
        let kind = match kind {
            RefKind::Branch => "push",
            RefKind::Tag => "tag_push",
        };
        let (before, after) = (sha(&self.before), sha(&self.after));
        let (project, user) = (digits(self.project_id), digits(self.user_id));
        IdempotencyKey::from_content(&[&project, kind, reference, &before, &after, &user])
    }
}

/// A name without a prefix stays as it is; the kind of event then decides whether it is a tag.
fn split_ref(reference: &str, kind: Kind) -> (RefKind, &str) {
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

#[cfg(test)]
mod tests {
    use super::super::event::EventKind;
    use super::super::fixtures::{body, event};
    use super::*;

    #[test]
    fn the_commit_before_is_that_of_a_ref_that_existed() {
        for (name, expected) in [
            ("push_that_may_be_forced", Some("d04e19c2")),
            ("push_that_goes_back", Some("b7d04e19")),
            ("push_of_a_new_branch", None),
            ("push_that_deletes_a_branch", Some("122c5970")),
            ("tag_push_that_moves_a_tag", Some("d0f631ca")),
            ("tag_push_of_an_annotated_tag", None),
        ] {
            let EventKind::RefChange(push) = event(&body(name)).kind else {
                panic!("{name} is no push");
            };
            let before = push.before.as_ref().map(CommitSha::short);
            assert_eq!(before, expected, "{name}");
        }
    }
}
