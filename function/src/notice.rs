//! What people are told, in which words. Owns the text of a message and the commit it is about.
//! How outside text is made harmless is [`markup`](crate::markup)'s business; who hears it is set
//! in the configuration.

use std::fmt::Write as _;

use url::Url;

use crate::gitlab::commit::CommitSha;
use crate::gitlab::delivery_id::DeliveryId;
use crate::gitlab::event::{Event, Kind};
use crate::gitlab::push::{Change, Project, RefChange, RefKind};
use crate::markup::{Link, Quoted};

/// Longest outside texts in a message, in UTF-16 units. Together with our own words and the longest
/// link they stay below 5000, Rocket.Chat's default limit, and a message stays readable.
const MAX_NAME: usize = 100;
const MAX_PATH: usize = 255;
const MAX_TITLE: usize = 200;

/// One message, ready to be sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Notice {
    /// The text in Rocket.Chat's markup, at most 5000 UTF-16 units.
    pub text: String,
    /// The commit it is about; none for a deletion of which GitLab did not say the last commit.
    pub sha: Option<CommitSha>,
    /// Where it happened, for logs: the project's path, as GitLab wrote it.
    pub project: String,
    /// Scheme and host of the GitLab it came from, part of the message id; empty if unknown.
    pub instance: String,
    /// Stands in for an idempotency key.
    pub content_id: DeliveryId,
}

/// Turns an event into a message, or says that nobody is told about its kind.
pub fn compose(event: &Event) -> Result<Notice, Kind> {
    match event {
        Event::RefChange(change) => Ok(Notice {
            text: ref_change(change),
            sha: change.change.sha().cloned(),
            project: change.project.path.clone(),
            instance: instance(&change.project),
            content_id: change.content_id.clone(),
        }),
        Event::Unhandled(kind) => Err(*kind),
    }
}

/// Taken from the body, which is signed, and not from `X-Gitlab-Instance`, which is not.
fn instance(project: &Project) -> String {
    let url = project
        .web_url
        .as_deref()
        .and_then(|url| Url::parse(url).ok());
    url.map(|url| url.origin().ascii_serialization())
        .unwrap_or_default()
}

fn ref_change(change: &RefChange) -> String {
    let name = quote(&change.name, MAX_PATH);
    let project = quote(&change.project.path, MAX_PATH);
    let by = by(change.pusher.as_deref());
    let commit = |sha| commit(&change.project, sha);
    let headline = match (change.kind, &change.change) {
        (RefKind::Branch, Change::Moved(sha)) => {
            format!("{} pushed to branch {name} of {project}{by}", commit(sha))
        }
        (RefKind::Branch, Change::Created(sha)) => {
            format!(
                "{} pushed to the new branch {name} of {project}{by}",
                commit(sha)
            )
        }
        (RefKind::Tag, Change::Created(sha)) => {
            format!("{} tagged {name} in {project}{by}", commit(sha))
        }
        (RefKind::Tag, Change::Moved(sha)) => {
            format!("Tag {name} of {project} moved to {}{by}", commit(sha))
        }
        (RefKind::Branch, Change::Deleted(Some(last))) => {
            format!(
                "Branch {name} of {project} deleted{by}, its last commit was {}",
                commit(last)
            )
        }
        // GitLab names the tag object of an annotated tag here, which has no page to link to.
        (RefKind::Tag, Change::Deleted(Some(last))) => {
            format!("Tag {name} of {project} deleted{by}, it stood on `{last}`")
        }
        (RefKind::Branch, Change::Deleted(None)) => {
            format!("Branch {name} of {project} deleted{by}")
        }
        (RefKind::Tag, Change::Deleted(None)) => format!("Tag {name} of {project} deleted{by}"),
    };
    [Some(headline), details(change)]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join("\n")
}

/// The second line: what came with the push.
fn details(change: &RefChange) -> Option<String> {
    match (change.kind, &change.change) {
        (_, Change::Deleted(_)) => None,
        (RefKind::Tag, _) => {
            Quoted::new(change.annotation.as_deref()?, MAX_TITLE).map(|message| message.to_string())
        }
        (RefKind::Branch, _) => commits(change),
    }
}

fn commits(change: &RefChange) -> Option<String> {
    let mut line = match change.commit_count {
        0 => return None,
        1 => "1 commit".to_owned(),
        count => format!("{count} commits"),
    };
    let newest = change.newest.as_ref();
    if let Some(title) = newest.and_then(|commit| Quoted::new(commit.title.as_deref()?, MAX_TITLE))
    {
        let newest = if change.commit_count == 1 {
            ""
        } else {
            "the newest "
        };
        let _ = write!(line, ", {newest}{title}");
    }
    line += &by(newest.and_then(|commit| commit.author.as_deref()));
    Some(line)
}

/// The short id as a link to its page, or the whole id where there is no page to link to.
fn commit(project: &Project, sha: &CommitSha) -> String {
    let page = project.web_url.as_deref();
    match page.and_then(|page| Link::below(page, &format!("-/commit/{sha}"), sha.short())) {
        Some(link) => link.to_string(),
        None => format!("`{sha}`"),
    }
}

fn by(name: Option<&str>) -> String {
    let name = name.and_then(|name| Quoted::new(name, MAX_NAME));
    name.map_or_else(String::new, |name| format!(" by {name}"))
}

/// A name that holds nothing visible is still a name, and the sentence needs one.
fn quote(name: &str, limit: usize) -> String {
    Quoted::new(name, limit).map_or_else(|| "`?`".to_owned(), |name| name.to_string())
}
