//! The message about a release. Owns its wording; the event is parsed in
//! [`gitlab::release`](crate::gitlab::release).

use super::fragments::{commit_line, title};
use super::headline::Headline;
use super::noun::Noun;
use super::sign::Sign;
use super::{Message, SkipReason};
use crate::gitlab::event::Event;
use crate::gitlab::release::{Action, Release};

pub(super) fn render(event: &Event, release: &Release) -> Result<Message, SkipReason> {
    let (sign, verb) = match release.action {
        Some(Action::Created) => (Sign::Release, "published"),
        Some(Action::Updated) => (Sign::Release, "edited"),
        Some(Action::Deleted) => (Sign::Removed, "deleted"),
        Some(Action::Unknown) => return Err(SkipReason::UnknownAction),
        None => (Sign::Release, "is published"),
    };
    // A deleted release has no page.
    let address = event.attributes.page.as_deref();
    let address = address.filter(|_| release.action != Some(Action::Deleted));
    let headline = Headline::new(sign)
        .noun(&Noun::page(address, "Release"))
        .words(" ")
        .name("tag", &release.tag)
        .words(" ")
        .words(verb)
        .in_project(event);
    let name = event.attributes.title.as_deref();
    let name = name.filter(|name| *name != release.tag);
    Ok(Message::new(headline)
        .line(title(name))
        .line(commit_line(event, release.commit_title.as_deref())))
}
