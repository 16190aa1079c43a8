//! The message about an emoji reaction. Owns its wording; the event is parsed in
//! [`gitlab::emoji`](crate::gitlab::emoji).

use super::fragments::{facts, on_title, shown_commit};
use super::headline::Headline;
use super::noun::Noun;
use super::sign::Sign;
use super::{Message, SkipReason};
use crate::gitlab::emoji::{Action, Emoji, Target};
use crate::gitlab::event::Event;
use crate::gitlab::note::Noteable;

pub(super) fn render(event: &Event, emoji: &Emoji) -> Result<Message, SkipReason> {
    let (sign, verb) = match emoji.action {
        Some(Action::Awarded) => (Sign::Reaction, " added to "),
        Some(Action::Revoked) => (Sign::TakenBack, " removed from "),
        Some(Action::Unknown) => return Err(SkipReason::UnknownAction),
        None => (Sign::Reaction, " on "),
    };
    let (address, noteable) = (event.attributes.page.as_deref(), &emoji.noteable);
    let (found, unknown) = match emoji.target {
        Target::Noteable => (Noun::noteable(address, noteable), "a page"),
        Target::Note => (Noun::after(address, "a comment on", noteable), "a comment"),
    };
    let on = found.unwrap_or_else(|| Noun::page(address, unknown));
    let headline = Headline::new(sign)
        .words("Emoji ")
        .name("emoji", &emoji.name)
        .words(verb)
        .noun(&on)
        .in_project_by_actor(event);
    // The commit of a comment on a commit is in the first line.
    let commit = shown_commit(event).filter(|_| !matches!(noteable, Noteable::Commit(_)));
    Ok(Message::new(headline).line(facts([on_title(event), commit])))
}
