//! Phrases that several messages share. Owns how long outside text may be, and that every fragments is
//! whole or not there at all. How outside text is made harmless is [`markup`](crate::rocketchat::markup)'s
//! business.

use crate::gitlab::commit::CommitSha;
use crate::gitlab::meta::EventMeta;
use crate::gitlab::note::Noteable;
use crate::gitlab::project::Project;
use crate::gitlab::push::RefKind;
use crate::rocketchat::markup::{InlineCode, Link};

/// Longest outside texts in a message, in UTF-16 units. Together with our own render and the longest
/// links they stay below 5000, Rocket.Chat's default limit, and a message stays readable.
pub(super) const MAX_NAME: usize = 100;
pub(super) const MAX_PATH: usize = 255;
pub(super) const MAX_TITLE: usize = 200;

/// A headline and, where there is more to say, a second line.
pub(super) fn lines(headline: String, details: Option<String>) -> String {
    match details {
        Some(details) => format!("{headline}\n{details}"),
        None => headline,
    }
}

/// A name that holds nothing visible is still a name, and the sentence needs one.
pub(super) fn quote(name: &str, limit: usize) -> String {
    InlineCode::new(name, limit).map_or_else(|| "`?`".to_owned(), |name| name.to_string())
}

/// Outside text that may be missing.
pub(super) fn quoted(text: Option<&str>, limit: usize) -> Option<String> {
    InlineCode::new(text?, limit).map(|text| text.to_string())
}

/// A title or the first line of a longer text.
pub(super) fn title(text: Option<&str>) -> Option<String> {
    quoted(text, MAX_TITLE)
}

/// Who did it.
pub(super) fn by(name: Option<&str>) -> String {
    fragments(" by ", quoted(name, MAX_NAME))
}

/// Where it happened.
pub(super) fn place(meta: &EventMeta) -> String {
    let path = meta.project.as_ref().map(|project| project.path.as_str());
    fragments(" in ", quoted(path, MAX_PATH))
}

/// Where it happened and who did it: how most headlines end.
pub(super) fn place_and_actor(meta: &EventMeta) -> String {
    format!("{}{}", place(meta), by(meta.actor.as_deref()))
}

/// `before` and the text, or nothing.
pub(super) fn fragments(before: &str, text: Option<String>) -> String {
    text.map_or_else(String::new, |text| format!("{before}{text}"))
}

/// The short id as a link to its page, or the whole id where there is no page to link to.
pub(super) fn commit(project: Option<&Project>, sha: &CommitSha) -> String {
    let page = project.and_then(|project| project.web_url.as_deref());
    match page.and_then(|page| Link::below(page, &format!("-/commit/{sha}"), sha.short())) {
        Some(link) => link.to_string(),
        None => format!("`{sha}`"),
    }
}

/// The commit an event is about, after `at`.
pub(super) fn at(meta: &EventMeta, sha: Option<&CommitSha>) -> String {
    fragments(" at ", sha.map(|sha| commit(meta.project.as_ref(), sha)))
}

/// Our own render, as a link to the page that GitLab named, if it can be linked to.
pub(super) fn page(address: Option<&str>, label: &str) -> String {
    let link = address.and_then(|address| Link::page(address, label));
    link.map_or_else(|| label.to_owned(), |link| link.to_string())
}

/// Our own render, as a link to a page of the project, if that can be linked to.
pub(super) fn project_page(meta: &EventMeta, path: &str, label: &str) -> String {
    let project = meta.project.as_ref();
    let base = project.and_then(|project| project.web_url.as_deref());
    let link = base.and_then(|base| Link::below(base, path, label));
    link.map_or_else(|| label.to_owned(), |link| link.to_string())
}

/// A noun and number as a link to the page that GitLab named, or else to the one of that number in
/// the folder of the project.
pub(super) fn numbered_page(
    meta: &EventMeta,
    address: Option<&str>,
    noun: &str,
    folder: &str,
    number: Option<u64>,
) -> String {
    let label = numbered(noun, number);
    match (address, number) {
        (None, Some(number)) => project_page(meta, &format!("-/{folder}/{number}"), &label),
        _ => page(address, &label),
    }
}

/// What a comment or a reaction stands on, in a word or two that can be the label of a link.
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

/// A noun of ours with the number people know the noteable by, if GitLab sent one.
pub(super) fn numbered(noun: &str, number: Option<u64>) -> String {
    number.map_or_else(|| noun.to_owned(), |number| format!("{noun} {number}"))
}

/// What GitLab calls a ref.
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
    use super::duration;

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
}
