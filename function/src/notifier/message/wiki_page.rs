//! The message about a wiki page. Owns its wording; the event is parsed in
//! [`gitlab::wiki_page`](crate::gitlab::wiki_page).

use super::fragments::{quoted, title};
use super::headline::Headline;
use super::noun::Noun;
use super::sign::Sign;
use super::{Message, SkipReason};
use crate::gitlab::event::Event;
use crate::gitlab::release::Action;
use crate::gitlab::wiki_page::WikiPage;

pub(super) fn render(event: &Event, wiki: &WikiPage) -> Result<Message, SkipReason> {
    let (sign, verb) = match wiki.action {
        Some(Action::Created) => (Sign::Wiki, " created"),
        Some(Action::Updated) => (Sign::Wiki, " edited"),
        Some(Action::Deleted) => (Sign::Removed, " deleted"),
        Some(Action::Unknown) => return Err(SkipReason::UnknownAction),
        None => (Sign::Wiki, " exists"),
    };
    // A deleted wiki page has no page to link to.
    let address = event.attributes.page.as_deref();
    let address = address.filter(|_| wiki.action != Some(Action::Deleted));
    let headline = Headline::new(sign)
        .noun(&Noun::page(address, "Wiki page"))
        .words(verb)
        .in_project_by_actor(event);
    Ok(Message::new(headline)
        .line(title(Some(&wiki.title)))
        .line(quoted(event.attributes.text.as_deref())))
}
