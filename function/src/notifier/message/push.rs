//! What is said of a branch or tag that moved. Owns the render; what they are made of is read in
//! [`gitlab::push`](crate::gitlab::push).

use std::fmt::Write as _;

use super::fragments::{MAX_PATH, MAX_TITLE, by, commit, lines, quote};
use crate::gitlab::push::{Change, RefChange, RefKind};
use crate::rocketchat::markup::InlineCode;

/// The message of a push or tag push.
pub(super) fn render(change: &RefChange) -> String {
    let name = quote(&change.name, MAX_PATH);
    let project = quote(&change.project.path, MAX_PATH);
    let by = by(change.pusher.as_deref());
    let commit = |sha| commit(Some(&change.project), sha);
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
    lines(headline, details(change))
}

/// The second line: what came with the push.
fn details(change: &RefChange) -> Option<String> {
    match (change.kind, &change.change) {
        (_, Change::Deleted(_)) => None,
        (RefKind::Tag, _) => InlineCode::new(change.annotation.as_deref()?, MAX_TITLE)
            .map(|message| message.to_string()),
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
    if let Some(title) =
        newest.and_then(|commit| InlineCode::new(commit.title.as_deref()?, MAX_TITLE))
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
