//! The message about a branch or tag that changed. Owns its wording; the event is parsed in
//! [`gitlab::push`](crate::gitlab::push).

use super::fragments::{commit, compare, facts, has_short_address, quoted, short_title, title};
use super::headline::Headline;
use super::noun::Noun;
use super::sign::Sign;
use super::{Message, SkipReason};
use crate::gitlab::commit::CommitSha;
use crate::gitlab::event::Event;
use crate::gitlab::participants::Person;
use crate::gitlab::push::{Change, RefChange, RefKind};
use crate::gitlab::pushed_commits::PushedCommit;

/// The message of a push or tag push.
#[expect(
    clippy::unnecessary_wraps,
    reason = "the renderers of all kinds have the same signature"
)]
pub(super) fn render(event: &Event, change: &RefChange) -> Result<Message, SkipReason> {
    Ok(match change.kind {
        RefKind::Branch => of_branch(event, change),
        RefKind::Tag => of_tag(event, change),
    })
}

fn of_branch(event: &Event, change: &RefChange) -> Message {
    let name = &change.name;
    match &change.change {
        Change::Moved(sha) => {
            let headline = arrived(Sign::Commits, event, change, sha).words(" pushed to ");
            let headline = headline.name("branch", name).in_project_by_actor(event);
            Message::new(headline).lines(commits(event, change))
        }
        Change::Created(sha) => {
            let headline = arrived(Sign::NewBranch, event, change, sha);
            let headline = headline.words(" pushed as new branch ");
            let headline = headline.name("branch", name).in_project_by_actor(event);
            Message::new(headline).lines(commits(event, change))
        }
        Change::Reset(sha) => {
            let headline = Headline::new(Sign::TakenBack).commit(event, sha);
            let headline = headline.words(" is now the head of ").name("branch", name);
            let headline = headline.in_project(event).actor_of(", reset by ", event);
            let before = change.before.as_ref();
            let taken = before.and_then(|old| compare(event, sha, old, "what was taken back"));
            Message::new(headline).line(taken)
        }
        Change::Deleted(last) => {
            let last = last.as_ref();
            deleted("Branch ", event, change)
                .line(last.map(|last| format!("last commit {}", commit(event, last))))
        }
    }
}

fn of_tag(event: &Event, change: &RefChange) -> Message {
    let name = &change.name;
    let (headline, is_new) = match &change.change {
        Change::Created(sha) => {
            let headline = Headline::new(Sign::Tag).commit(event, sha);
            let headline = headline.words(" tagged ").name("tag", name);
            (headline.in_project_by_actor(event), true)
        }
        Change::Moved(sha) | Change::Reset(sha) => {
            let headline = Headline::new(Sign::Tag).commit(event, sha);
            let headline = headline.words(" is now tag ").name("tag", name);
            let headline = headline.in_project(event).actor_of(", moved by ", event);
            (headline, true)
        }
        Change::Deleted(last) => {
            // For an annotated tag, this is the tag object, which has no page to link to.
            let last = last.as_ref().map(|last| format!("it pointed to `{last}`"));
            return deleted("Tag ", event, change).line(last);
        }
    };
    let message = event.attributes.text.as_deref().filter(|_| is_new);
    Message::new(headline).line(quoted(message))
}

fn deleted(words: &'static str, event: &Event, change: &RefChange) -> Message {
    let noun = match change.kind {
        RefKind::Branch => "branch",
        RefKind::Tag => "tag",
    };
    let headline = Headline::new(Sign::Removed).words(words);
    let headline = headline.name(noun, &change.name).words(" deleted");
    Message::new(headline.in_project_by_actor(event))
}

/// The head, and how many commits arrived if there are several.
fn arrived(sign: Sign, event: &Event, change: &RefChange, sha: &CommitSha) -> Headline {
    let headline = Headline::new(sign).commit(event, sha);
    match change.commit_count {
        0 | 1 => headline,
        count => headline
            .words(" · ")
            .noun(&all(event, change, format!("{count} commits"))),
    }
}

/// Words that link to all commits of the push.
fn all(event: &Event, change: &RefChange, words: String) -> Noun {
    let Some(now) = change.change.sha() else {
        return Noun::unlinked(words);
    };
    let path = match &change.before {
        Some(before) => format!("-/compare/{before}...{now}"),
        None => format!("-/commits/{now}"),
    };
    Noun::of_project(event, &path, words)
}

/// The lines about the commits: of a single one only the title, because the first line links to it.
fn commits(event: &Event, change: &RefChange) -> Vec<String> {
    match (change.commit_count, change.commits.as_slice()) {
        (0, _) | (_, []) => Vec::new(),
        (1, [only, ..]) => {
            let title = title(only.title.as_deref());
            facts([title, author(event, only)]).into_iter().collect()
        }
        (_, listed) => {
            let mut lines = commit_lines(event, listed);
            lines.extend(more(event, change));
            lines
        }
    }
}

/// A line for each commit, with its author unless that is who pushed.
pub(super) fn commit_lines(event: &Event, commits: &[PushedCommit]) -> Vec<String> {
    let lines = commits.iter().map(|commit| {
        let id = listed_id(event, &commit.sha);
        let title = short_title(commit.title.as_deref());
        let line = title.map_or_else(|| id.clone(), |title| format!("{id} {title}"));
        facts([Some(line), author(event, commit)]).unwrap_or_default()
    });
    lines.collect()
}

/// The commits that are not listed, with a link to all.
pub(super) fn more(event: &Event, change: &RefChange) -> Option<String> {
    let listed = change.commits.len() as u64;
    let more = change
        .commit_count
        .checked_sub(listed)
        .filter(|&more| more > 0)?;
    let words = format!("{more} more");
    let more = if has_short_address(event) {
        all(event, change, words)
    } else {
        Noun::unlinked(words)
    };
    Some(format!("and {more}"))
}

/// A link to all commits of the push; `None` for a new branch, which is compared with nothing.
pub(super) fn comparison(event: &Event, change: &RefChange) -> Option<String> {
    let (before, now) = (change.before.as_ref()?, change.change.sha()?);
    match &change.change {
        Change::Moved(_) => compare(event, before, now, "compare"),
        Change::Reset(_) => compare(event, now, before, "compare"),
        Change::Created(_) | Change::Deleted(_) => None,
    }
}

/// The id in a list.
fn listed_id(event: &Event, sha: &CommitSha) -> String {
    if has_short_address(event) {
        commit(event, sha)
    } else {
        format!("`{}`", sha.short())
    }
}

fn author(event: &Event, commit: &PushedCommit) -> Option<String> {
    let actor = event.attributes.participants.actor.as_ref();
    let actor = actor.and_then(Person::display_name);
    let author = commit
        .author
        .as_deref()
        .filter(|&author| Some(author) != actor)?;
    super::fragments::name(author)
}
