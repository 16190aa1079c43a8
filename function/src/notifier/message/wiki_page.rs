//! What is said of a page of a wiki. Owns the render; what they are made of is read in
//! [`gitlab::wiki_page`](crate::gitlab::wiki_page).

use super::SkipReason;
use super::fragments::{MAX_TITLE, lines, page, place_and_actor, quote, title};
use crate::gitlab::release::Action;
use crate::gitlab::wiki_page::WikiPage;

pub(super) fn render(wiki: &WikiPage) -> Result<String, SkipReason> {
    let verb = match wiki.action {
        Some(Action::Created) => "created",
        Some(Action::Updated) => "edited",
        Some(Action::Deleted) => "deleted",
        Some(Action::Unknown) => return Err(SkipReason::UnknownAction),
        None => "exists",
    };
    // The page that was deleted is gone.
    let address = wiki.page.as_deref();
    let address = address.filter(|_| wiki.action != Some(Action::Deleted));
    let headline = format!(
        "{} {} {verb}{}",
        page(address, "Wiki page"),
        quote(&wiki.title, MAX_TITLE),
        place_and_actor(&wiki.meta)
    );
    Ok(lines(headline, title(wiki.message.as_deref())))
}
