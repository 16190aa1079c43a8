//! What is said of an emoji reaction. Owns the words; what they are made of is read in
//! [`gitlab::emoji`](crate::gitlab::emoji).

use super::Ignored;
use super::phrase::{MAX_NAME, page, place_and_actor, quote, thing};
use crate::gitlab::emoji::{Action, Emoji, Place};

pub(super) fn words(emoji: &Emoji) -> Result<String, Ignored> {
    let verb = match emoji.action {
        Some(Action::Awarded) => "added to",
        Some(Action::Revoked) => "removed from",
        Some(Action::Unknown) => return Err(Ignored::UnknownAction),
        None => "stands on",
    };
    let label = match (emoji.place, thing(&emoji.on)) {
        (Place::Thing, Some(thing)) => thing,
        (Place::Note, Some(thing)) => format!("a comment on {thing}"),
        (Place::Note, None) => "a comment".to_owned(),
        (Place::Thing, None) => "a page".to_owned(),
    };
    Ok(format!(
        "Reaction {} {verb} {}{}",
        quote(&emoji.name, MAX_NAME),
        page(emoji.page.as_deref(), &label),
        place_and_actor(&emoji.scene)
    ))
}
