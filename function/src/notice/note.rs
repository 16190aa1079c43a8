//! What is said of a comment. Owns the words and which comments are not told; what they are made of
//! is read in [`gitlab::note`](crate::gitlab::note).

use super::Ignored;
use super::phrase::{lines, page, place_and_actor, thing, title};
use crate::gitlab::note::{Action, Note};

pub(super) fn words(note: &Note) -> Result<String, Ignored> {
    if note.system {
        return Err(Ignored::SystemNote);
    }
    match note.action {
        Action::Created => {}
        Action::Updated => return Err(Ignored::MinorUpdate),
        Action::Unknown => return Err(Ignored::UnknownAction),
    }
    let address = note.page.as_deref();
    let comment = match thing(&note.on) {
        Some(thing) => format!("Comment on {}", page(address, &thing)),
        None => page(address, "Comment"),
    };
    let headline = format!("{comment}{}", place_and_actor(&note.scene));
    Ok(lines(headline, title(note.text.as_deref())))
}
