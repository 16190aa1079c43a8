//! The message about a comment. Owns its wording; the event is parsed in
//! [`gitlab::note`](crate::gitlab::note).

use super::SkipReason;
use super::fragments::{in_project_by_actor, lines, noteable, page, title};
use crate::gitlab::event::Event;
use crate::gitlab::note::{Action, Note};

pub(super) fn render(event: &Event, note: &Note) -> Result<String, SkipReason> {
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
    let comment = match noteable(&note.noteable) {
        Some(noteable) => format!("{before}{noun} on {}", page(address, &noteable)),
        None => format!("{before}{}", page(address, noun)),
    };
    let headline = format!("{comment}{}", in_project_by_actor(event));
    Ok(lines(headline, title(event.attributes.text.as_deref())))
}
