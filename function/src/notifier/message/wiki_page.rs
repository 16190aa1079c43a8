//! The message about a wiki page. Owns its wording; the event is parsed in
//! [`gitlab::wiki_page`](crate::gitlab::wiki_page).

use super::fragments::{code, in_project_by_actor, lines, page, title};
use super::{MAX_TITLE, SkipReason};
use crate::gitlab::event::Event;
use crate::gitlab::release::Action;
use crate::gitlab::wiki_page::WikiPage;

pub(super) fn render(event: &Event, wiki: &WikiPage) -> Result<String, SkipReason> {
    let verb = match wiki.action {
        Some(Action::Created) => "created",
        Some(Action::Updated) => "edited",
        Some(Action::Deleted) => "deleted",
        Some(Action::Unknown) => return Err(SkipReason::UnknownAction),
        None => "exists",
    };
    // A deleted wiki page has no page to link to.
    let address = event.attributes.page.as_deref();
    let address = address.filter(|_| wiki.action != Some(Action::Deleted));
    let headline = format!(
        "{} {} {verb}{}",
        page(address, "Wiki page"),
        code(&wiki.title, MAX_TITLE),
        in_project_by_actor(event)
    );
    Ok(lines(headline, title(event.attributes.text.as_deref())))
}
