//! The message about a comment. Owns its wording; the event is parsed in
//! [`gitlab::note`](crate::gitlab::note).

use super::fragments::{facts, on_title, quoted, shown_commit};
use super::headline::Headline;
use super::noun::Noun;
use super::sign::Sign;
use super::{Message, SkipReason};
use crate::gitlab::event::Event;
use crate::gitlab::note::{Action, Note, Noteable};

pub(super) fn render(event: &Event, note: &Note) -> Result<Message, SkipReason> {
    if note.system {
        return Err(SkipReason::SystemNote);
    }
    // GitLab names the author of an edited comment, who need not be who edited it.
    let (before, noun) = match note.action {
        Action::Created => ("", "Comment"),
        Action::Updated => ("Edited ", "comment"),
        Action::Unknown => return Err(SkipReason::UnknownAction),
    };
    let address = event.attributes.page.as_deref();
    let headline = Headline::new(Sign::Comment).words(before);
    let headline = match Noun::noteable(address, &note.noteable) {
        Some(noteable) => headline.words(noun).words(" on ").noun(&noteable),
        None => headline.noun(&Noun::page(address, noun)),
    };
    // The commit of a comment on a commit is in the first line.
    let commit = shown_commit(event).filter(|_| !matches!(note.noteable, Noteable::Commit(_)));
    Ok(Message::new(headline.in_project_by_actor(event))
        .line(quoted(event.attributes.text.as_deref()))
        .line(facts([on_title(event), commit])))
}
