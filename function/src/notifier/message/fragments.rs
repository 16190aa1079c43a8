//! Fragments of the lines below the first one that several messages share. Owns that every fragment is
//! complete or missing. Outside text is escaped in [`markup`](crate::rocketchat::markup).

use std::fmt::Display;

use super::{MAX_NAME, MAX_PATH, MAX_TITLE};
use crate::gitlab::commit::CommitSha;
use crate::gitlab::event::Event;
use crate::gitlab::participants::Person;
use crate::limits::LIMITS;
use crate::rocketchat::markup::{InlineCode, Link, Shown, VisibleText};

/// The fragments that exist, with a dot between them.
pub(super) fn facts(facts: impl IntoIterator<Item = Option<String>>) -> Option<String> {
    let facts: Vec<_> = facts.into_iter().flatten().collect();
    (!facts.is_empty()).then(|| facts.join(" · "))
}

/// A title or the first line of a longer text.
pub(super) fn title(text: Option<&str>) -> Option<String> {
    shown(text?, MAX_TITLE)
}

/// What somebody wrote, in quotation marks unless it is in a code span.
pub(super) fn quoted(text: Option<&str>) -> Option<String> {
    match Shown::new(text?, MAX_TITLE)? {
        Shown::Plain(text) => Some(format!("“{text}”")),
        Shown::Code(text) => Some(text.to_string()),
    }
}

/// The title of what a comment or reaction is about.
pub(super) fn on_title(event: &Event) -> Option<String> {
    title(event.attributes.title.as_deref()).map(|title| format!("on: {title}"))
}

/// A title in a list.
pub(super) fn short_title(text: Option<&str>) -> Option<String> {
    shown(text?, LIMITS.texts.list_title)
}

/// A short outside text.
pub(super) fn name(text: &str) -> Option<String> {
    shown(text, MAX_NAME)
}

fn shown(text: &str, limit: usize) -> Option<String> {
    Shown::new(text, limit).map(|text| text.to_string())
}

/// A branch, tag or job in a code span.
pub(super) fn code(name: &str) -> Option<String> {
    InlineCode::new(name, MAX_PATH).map(|name| name.to_string())
}

/// Both branches of a merge request.
pub(in crate::notifier) fn branches(event: &Event) -> Option<String> {
    let source = code(event.attributes.source_branch.as_deref()?)?;
    let target = code(event.attributes.target_branch.as_deref()?)?;
    Some(format!("{source} into {target}"))
}

/// The first names, and how many more there are.
pub(super) fn people(people: &[Person]) -> Option<String> {
    list(people.iter().filter_map(Person::display_name))
}

/// The words for one of GitLab's terms.
pub(super) fn in_words(words: &[(&str, &'static str)], term: &str) -> Option<&'static str> {
    let found = words.iter().find(|(known, _)| *known == term);
    found.map(|(_, words)| *words)
}

/// The first entries of a list, and how many more there are; `None` if there is no entry.
pub(super) fn and_more(first: &[String], more: Option<impl Display>) -> Option<String> {
    let first = (!first.is_empty()).then(|| first.join(", "))?;
    Some(match more {
        Some(more) => format!("{first} and {more}"),
        None => first,
    })
}

/// The first texts of a list, and how many more there are.
pub(super) fn list<'a>(texts: impl Iterator<Item = &'a str>) -> Option<String> {
    let texts = texts.filter_map(|text| VisibleText::new(text, LIMITS.texts.list_name));
    let mut first = Vec::new();
    let mut more = 0;
    for text in texts {
        if first.len() < LIMITS.texts.names {
            first.push(Shown::from(text).to_string());
        } else {
            more += 1;
        }
    }
    and_more(&first, (more > 0).then(|| format!("{more} more")))
}

/// Whether lists link to pages of the project: only a short address is repeated, so that the message stays
/// below its limit.
pub(super) fn has_short_address(event: &Event) -> bool {
    let page = event.meta.project_url();
    page.is_none_or(|page| page.as_str().len() <= LIMITS.texts.list_address_bytes)
}

/// The short id as a link to the commit; `None` if the project has no valid URL.
pub(super) fn commit_link(event: &Event, sha: &CommitSha) -> Option<Link> {
    let path = format!("-/commit/{sha}");
    Link::below(event.meta.project_url()?, &path, sha)
}

/// The short id as a link to the commit, or the full id if it cannot be linked.
pub(in crate::notifier) fn commit(event: &Event, sha: &CommitSha) -> String {
    let link = commit_link(event, sha);
    link.map_or_else(|| format!("`{sha}`"), |link| link.to_string())
}

/// The commit that the event is about.
pub(super) fn shown_commit(event: &Event) -> Option<String> {
    let sha = event.attributes.shown_commit()?;
    Some(commit(event, sha))
}

/// The commit that the event is about, and its title.
pub(super) fn commit_line(event: &Event, title: Option<&str>) -> Option<String> {
    let commit = shown_commit(event);
    let title = title.and_then(|title| shown(title, MAX_TITLE));
    match (commit, title) {
        (Some(commit), Some(title)) => Some(format!("{commit} {title}")),
        (commit, title) => commit.or(title),
    }
}

/// A label, as a link to the page that shows what a commit has and an earlier one has not; `None` if
/// the project has no valid URL, because such a label says nothing by itself.
pub(super) fn compare(
    event: &Event,
    before: &CommitSha,
    after: &CommitSha,
    label: &'static str,
) -> Option<String> {
    let path = format!("-/compare/{before}...{after}");
    let link = Link::below(event.meta.project_url()?, &path, label);
    link.map(|link| link.to_string())
}

/// How long a finished pipeline or job took, unless GitLab says 0.
pub(super) fn took(event: &Event) -> Option<String> {
    let seconds = event.attributes.duration_seconds;
    let is_finished = !event.attributes.in_progress;
    let seconds = seconds.filter(|&seconds| seconds > 0 && is_finished)?;
    Some(format!("took {}", duration(seconds)))
}

/// `1 h 2 min 3 s`, without the parts that are zero.
fn duration(seconds: u64) -> String {
    let parts = [
        (seconds / 3600, "h"),
        (seconds / 60 % 60, "min"),
        (seconds % 60, "s"),
    ];
    let shown: Vec<_> = parts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count} {unit}"))
        .collect();
    if shown.is_empty() {
        "0 s".to_owned()
    } else {
        shown.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::{compare, duration};
    use crate::gitlab::commit::CommitSha;
    use crate::gitlab::event::Event;
    use crate::gitlab::kind::Kind;
    use crate::gitlab::verification::Verified;
    use crate::notifier::templates;

    #[test]
    fn a_duration_has_no_parts_that_are_zero() {
        for (seconds, expected) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (63, "1 min 3 s"),
            (3600, "1 h"),
            (90_061, "25 h 1 min 1 s"),
        ] {
            assert_eq!(duration(seconds), expected);
        }
    }

    #[test]
    fn a_comparison_is_linked_if_the_project_has_a_url() {
        let example = templates::example(Kind::Push).expect("exists");
        let [before, after] = ["a", "b"].map(|digit| digit.repeat(40));
        let link = |body: &str| {
            let event = Event::parse(None, Verified::by_operator(body.as_bytes()));
            let [before, after] = [&before, &after].map(|sha| CommitSha::parse(sha));
            compare(
                &event.expect("is an event"),
                &before.expect("is a commit"),
                &after.expect("is a commit"),
                "2 commits",
            )
        };
        let page = format!("https://gitlab.example.org/acme/rocket/-/compare/{before}...{after}");
        assert_eq!(link(example), Some(format!("[2 commits]({page})")));
        let without = example.replace("\"https://gitlab.example.org/acme/rocket\"", "null");
        assert_eq!(link(&without), None);
    }
}
