//! Words of this program that name a thing, such as `Pipeline 31`, and its page. Owns that they are a
//! link where GitLab has a page for the thing, and plain words otherwise.

use std::fmt;

use crate::gitlab::event::Event;
use crate::gitlab::note::Noteable;
use crate::rocketchat::markup::{Label, Link};

/// Words of letters, digits, spaces and `-`, linked if there is a page.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Noun {
    words: String,
    link: Option<Link>,
}

impl Noun {
    pub(super) fn unlinked(words: impl Into<String>) -> Self {
        let words = words.into();
        Self { words, link: None }
    }

    /// Linked if `address` is a valid URL.
    pub(super) fn page(address: Option<&str>, words: impl Into<String>) -> Self {
        let words = words.into();
        let link = address.and_then(|address| Link::page(address, Label::words(words.as_str())));
        Self { words, link }
    }

    /// Linked to a page of the project if the project has a valid URL.
    pub(super) fn of_project(event: &Event, path: &str, words: impl Into<String>) -> Self {
        let words = words.into();
        let label = Label::words(words.as_str());
        let base = event.meta.project_url();
        let link = base.and_then(|base| Link::below(base, path, label));
        Self { words, link }
    }

    /// The words and the event's number, linked to the page that GitLab sent, or else to the page with
    /// this number in `folder` of the project.
    pub(super) fn numbered(event: &Event, words: &str, folder: &str) -> Self {
        let (address, number) = (&event.attributes.page, event.attributes.number);
        let words = numbered(words, number);
        match (address, number) {
            (None, Some(number)) => Self::of_project(event, &format!("-/{folder}/{number}"), words),
            (address, _) => Self::page(address.as_deref(), words),
        }
    }

    /// A merge request of the project by its number.
    pub(super) fn merge_request(event: &Event, number: u64) -> Self {
        let path = format!("-/merge_requests/{number}");
        Self::of_project(event, &path, format!("merge request {number}"))
    }

    /// The object of a comment or reaction at this address; `None` for an unknown type.
    pub(super) fn noteable(address: Option<&str>, noteable: &Noteable) -> Option<Self> {
        Some(Self::page(address, noteable_words(noteable)?))
    }

    /// The same page, with words before its own.
    pub(super) fn after(address: Option<&str>, words: &str, noteable: &Noteable) -> Option<Self> {
        let noteable = noteable_words(noteable)?;
        Some(Self::page(address, format!("{words} {noteable}")))
    }

    /// How many characters a reader sees.
    pub(super) fn visible(&self) -> usize {
        self.words.len()
    }
}

impl fmt::Display for Noun {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.link {
            Some(link) => write!(formatter, "{link}"),
            None => formatter.write_str(&self.words),
        }
    }
}

/// A noun with the number, if GitLab sent one.
pub(super) fn numbered(noun: &str, number: Option<u64>) -> String {
    number.map_or_else(|| noun.to_owned(), |number| format!("{noun} {number}"))
}

fn noteable_words(noteable: &Noteable) -> Option<String> {
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
