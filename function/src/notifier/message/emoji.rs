//! The message about an emoji reaction. Owns its wording; the event is parsed in
//! [`gitlab::emoji`](crate::gitlab::emoji).

use super::fragments::{code, in_project_by_actor, noteable, page};
use super::{MAX_NAME, SkipReason};
use crate::gitlab::emoji::{Action, Emoji, Target};
use crate::gitlab::event::Event;

pub(super) fn render(event: &Event, emoji: &Emoji) -> Result<String, SkipReason> {
    let verb = match emoji.action {
        Some(Action::Awarded) => "added to",
        Some(Action::Revoked) => "removed from",
        Some(Action::Unknown) => return Err(SkipReason::UnknownAction),
        None => "on",
    };
    let label = match (emoji.target, noteable(&emoji.noteable)) {
        (Target::Noteable, Some(noteable)) => noteable,
        (Target::Note, Some(noteable)) => format!("a comment on {noteable}"),
        (Target::Note, None) => "a comment".to_owned(),
        (Target::Noteable, None) => "a page".to_owned(),
    };
    Ok(format!(
        "Reaction {} {verb} {}{}",
        code(&emoji.name, MAX_NAME),
        page(event.attributes.page.as_deref(), &label),
        in_project_by_actor(event)
    ))
}
