//! The message about a branch or tag that changed. Owns its wording; the event is parsed in
//! [`gitlab::push`](crate::gitlab::push).

use std::fmt::Write as _;

use super::fragments::{actor, by, code, commit, lines, title};
use super::{MAX_PATH, MAX_TITLE, SkipReason};
use crate::gitlab::event::Event;
use crate::gitlab::participants::Person;
use crate::gitlab::push::{Change, RefChange, RefKind};
use crate::rocketchat::markup::InlineCode;

/// The message of a push or tag push.
#[expect(
    clippy::unnecessary_wraps,
    reason = "the renderers of all kinds have the same signature"
)]
pub(super) fn render(event: &Event, change: &RefChange) -> Result<String, SkipReason> {
    let name = code(&change.name, MAX_PATH);
    let project = code(event.meta.project_label().unwrap_or_default(), MAX_PATH);
    let by = by(actor(event));
    let commit = |sha| commit(event, sha);
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
        (RefKind::Branch, Change::Reset(sha)) => {
            format!("Branch {name} of {project} reset to {}{by}", commit(sha))
        }
        (RefKind::Tag, Change::Moved(sha) | Change::Reset(sha)) => {
            format!("Tag {name} of {project} moved to {}{by}", commit(sha))
        }
        (RefKind::Branch, Change::Deleted(Some(last))) => {
            format!(
                "Branch {name} of {project} deleted{by}, its last commit was {}",
                commit(last)
            )
        }
        // For an annotated tag, this is the tag object, which has no page to link to.
        (RefKind::Tag, Change::Deleted(Some(last))) => {
            format!("Tag {name} of {project} deleted{by}, it stood on `{last}`")
        }
        (RefKind::Branch, Change::Deleted(None)) => {
            format!("Branch {name} of {project} deleted{by}")
        }
        (RefKind::Tag, Change::Deleted(None)) => format!("Tag {name} of {project} deleted{by}"),
    };
    Ok(lines(headline, details(event, change)))
}

/// The second line: the commits of a push or the message of a tag.
fn details(event: &Event, change: &RefChange) -> Option<String> {
    match (change.kind, &change.change) {
        (_, Change::Deleted(_)) => None,
        (RefKind::Tag, _) => InlineCode::new(event.attributes.text.as_deref()?, MAX_TITLE)
            .map(|message| message.to_string()),
        (RefKind::Branch, _) => commits(event, change),
    }
}

fn commits(event: &Event, change: &RefChange) -> Option<String> {
    let mut line = match change.commit_count {
        0 => return None,
        1 => "1 commit".to_owned(),
        count => format!("{count} commits"),
    };
    if let Some(title) = title(event.attributes.title.as_deref()) {
        let newest = if change.commit_count == 1 {
            ""
        } else {
            "the newest "
        };
        let _ = write!(line, ", {newest}{title}");
    }
    let author = event.attributes.participants.committer.as_ref();
    line += &by(author.and_then(Person::display_name));
    Some(line)
}
