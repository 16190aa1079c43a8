//! Fragments that several messages share. Owns that every fragment is complete or missing. Outside
//! text is escaped in [`markup`](crate::rocketchat::markup).

use super::{MAX_NAME, MAX_PATH, MAX_TITLE};
use crate::gitlab::commit::CommitSha;
use crate::gitlab::event::Event;
use crate::gitlab::note::Noteable;
use crate::gitlab::participants::Person;
use crate::gitlab::push::RefKind;
use crate::rocketchat::markup::{InlineCode, Label, Link};

/// A headline and, if there are details, a second line.
pub(super) fn lines(headline: String, details: Option<String>) -> String {
    match details {
        Some(details) => format!("{headline}\n{details}"),
        None => headline,
    }
}

/// A required name as inline code; `?` if it has no visible characters.
pub(super) fn code(name: &str, limit: usize) -> String {
    InlineCode::new(name, limit).map_or_else(|| "`?`".to_owned(), |name| name.to_string())
}

/// Optional outside text as inline code.
pub(super) fn optional_code(text: Option<&str>, limit: usize) -> Option<String> {
    InlineCode::new(text?, limit).map(|text| text.to_string())
}

/// A title or the first line of a longer text.
pub(super) fn title(text: Option<&str>) -> Option<String> {
    optional_code(text, MAX_TITLE)
}

/// The user who triggered the event, by full name or else by username.
pub(super) fn actor(event: &Event) -> Option<&str> {
    let actor = event.attributes.participants.actor.as_ref();
    actor.and_then(Person::display_name)
}

/// ` by ` and a name, or nothing.
pub(super) fn by(name: Option<&str>) -> String {
    prefixed(" by ", optional_code(name, MAX_NAME))
}

/// ` in ` and the project, or nothing.
pub(super) fn in_project(event: &Event) -> String {
    prefixed(" in ", optional_code(event.meta.project_label(), MAX_PATH))
}

/// The project and the user who triggered the event; most headlines end with them.
pub(super) fn in_project_by_actor(event: &Event) -> String {
    format!("{}{}", in_project(event), by(actor(event)))
}

/// `before` and the text, or nothing if there is no text.
pub(super) fn prefixed(before: &str, text: Option<String>) -> String {
    text.map_or_else(String::new, |text| format!("{before}{text}"))
}

/// The short id as a link to the commit, or the full id if it cannot be linked.
pub(in crate::notifier) fn commit(event: &Event, sha: &CommitSha) -> String {
    let link = event
        .meta
        .web_url()
        .and_then(|page| Link::below(page, &format!("-/commit/{sha}"), sha));
    link.map_or_else(|| format!("`{sha}`"), |link| link.to_string())
}

/// ` at ` and the commit that the event is about, or nothing.
pub(super) fn at(event: &Event) -> String {
    let sha = event.attributes.shown_commit();
    prefixed(" at ", sha.map(|sha| commit(event, sha)))
}

/// A label, as a link if `address` is a valid URL.
pub(super) fn page(address: Option<&str>, label: &str) -> String {
    let link = address.and_then(|address| Link::page(address, Label::words(label)));
    link.map_or_else(|| label.to_owned(), |link| link.to_string())
}

/// A label, as a link to a page of the project if the project has a valid URL.
pub(super) fn project_page(event: &Event, path: &str, label: &str) -> String {
    let link = event
        .meta
        .web_url()
        .and_then(|base| Link::below(base, path, Label::words(label)));
    link.map_or_else(|| label.to_owned(), |link| link.to_string())
}

/// A label, as a link to the page that shows what a commit has and an earlier one has not; `None` if
/// the project has no valid URL, because such a label says nothing by itself.
#[cfg_attr(not(test), expect(dead_code, reason = "no message links to it"))]
pub(super) fn compare(
    event: &Event,
    before: &CommitSha,
    after: &CommitSha,
    label: &str,
) -> Option<Link> {
    let path = format!("-/compare/{before}...{after}");
    Link::below(event.meta.web_url()?, &path, label)
}

/// A merge request of the project by its number.
pub(super) fn merge_request_page(event: &Event, number: u64) -> String {
    project_page(
        event,
        &format!("-/merge_requests/{number}"),
        &format!("merge request {number}"),
    )
}

/// A noun and the event's number, as a link to the page that GitLab sent, or else to the page with
/// this number in `folder` of the project.
pub(super) fn numbered_page(event: &Event, noun: &str, folder: &str) -> String {
    let (address, number) = (&event.attributes.page, event.attributes.number);
    let label = numbered(noun, number);
    match (address, number) {
        (None, Some(number)) => project_page(event, &format!("-/{folder}/{number}"), &label),
        (address, _) => page(address.as_deref(), &label),
    }
}

/// The noteable in words that can be the label of a link.
pub(super) fn noteable(noteable: &Noteable) -> Option<String> {
    match noteable {
        Noteable::Commit(Some(sha)) => Some(format!("commit {}", sha.short())),
        Noteable::Commit(None) => Some("a commit".to_owned()),
        Noteable::MergeRequest(Some(number), _) => Some(format!("merge request {number}")),
        Noteable::MergeRequest(None, _) => Some("a merge request".to_owned()),
        Noteable::Issue(Some(number)) => Some(format!("issue {number}")),
        Noteable::Issue(None) => Some("an issue".to_owned()),
        Noteable::Snippet => Some("a snippet".to_owned()),
        Noteable::Other => None,
    }
}

/// A noun with the number, if GitLab sent one.
pub(super) fn numbered(noun: &str, number: Option<u64>) -> String {
    number.map_or_else(|| noun.to_owned(), |number| format!("{noun} {number}"))
}

/// GitLab's term for a kind of ref.
pub(super) fn ref_noun(kind: RefKind) -> &'static str {
    match kind {
        RefKind::Branch => "branch",
        RefKind::Tag => "tag",
    }
}

/// `1 h 2 min 3 s`, without the parts that are zero.
pub(super) fn duration(seconds: u64) -> String {
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
        let linked = link(example).map(|link| link.to_string());
        assert_eq!(linked, Some(format!("[2 commits]({page})")));
        let without = example.replace("\"https://gitlab.example.org/acme/rocket\"", "null");
        assert_eq!(link(&without), None);
    }
}
