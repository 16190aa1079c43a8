//! What is said of a comment. Owns the render and which comments are not told; what they are made of
//! is read in [`gitlab::note`](crate::gitlab::note).

use super::SkipReason;
use super::fragments::{lines, noteable, page, place_and_actor, title};
use crate::gitlab::note::{Action, Note};

pub(super) fn render(note: &Note) -> Result<String, SkipReason> {
    if note.system {
        return Err(SkipReason::SystemNote);
    }
    match note.action {
        Action::Created => {}
        Action::Updated => return Err(SkipReason::MinorUpdate),
        Action::Unknown => return Err(SkipReason::UnknownAction),
    }
    let address = note.page.as_deref();
    let comment = match noteable(&note.on) {
        Some(noteable) => format!("Comment on {}", page(address, &noteable)),
        None => page(address, "Comment"),
    };
    let headline = format!("{comment}{}", place_and_actor(&note.meta));
    Ok(lines(headline, title(note.text.as_deref())))
}
