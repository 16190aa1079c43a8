//! The message about an emoji reaction. What it is made of is read in
//! [`gitlab::emoji`](crate::gitlab::emoji).

use super::SkipReason;
use super::fragments::{MAX_NAME, noteable, page, place_and_actor, quote};
use crate::gitlab::emoji::{Action, Emoji, Place};
use crate::gitlab::event::Event;

pub(super) fn render(event: &Event, emoji: &Emoji) -> Result<String, SkipReason> {
    let verb = match emoji.action {
        Some(Action::Awarded) => "added to",
        Some(Action::Revoked) => "removed from",
        Some(Action::Unknown) => return Err(SkipReason::UnknownAction),
        None => "stands on",
    };
    let label = match (emoji.place, noteable(&emoji.on)) {
        (Place::Noteable, Some(noteable)) => noteable,
        (Place::Note, Some(noteable)) => format!("a comment on {noteable}"),
        (Place::Note, None) => "a comment".to_owned(),
        (Place::Noteable, None) => "a page".to_owned(),
    };
    Ok(format!(
        "Reaction {} {verb} {}{}",
        quote(&emoji.name, MAX_NAME),
        page(event.attributes.page.as_deref(), &label),
        place_and_actor(event)
    ))
}
