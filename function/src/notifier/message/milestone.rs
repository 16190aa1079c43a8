//! What is said of a milestone. Owns the render; what they are made of is read in
//! [`gitlab::milestone`](crate::gitlab::milestone).

use super::SkipReason;
use super::fragments::{MAX_NAME, MAX_TITLE, lines, place_and_actor, project_page, quote, quoted};
use crate::gitlab::milestone::{Action, Milestone};

pub(super) fn render(milestone: &Milestone) -> Result<String, SkipReason> {
    let verb = match milestone.action {
        Some(Action::Created) => "created",
        Some(Action::Closed) => "closed",
        Some(Action::Reopened) => "reopened",
        Some(Action::Unknown) => return Err(SkipReason::UnknownAction),
        None => "exists",
    };
    let noun = match milestone.number {
        Some(number) => project_page(
            &milestone.meta,
            &format!("-/milestones/{number}"),
            &format!("Milestone {number}"),
        ),
        None => "Milestone".to_owned(),
    };
    let headline = format!("{noun} {verb}{}", place_and_actor(&milestone.meta));
    let title = quote(&milestone.title, MAX_TITLE);
    let details = match quoted(milestone.due.as_deref(), MAX_NAME) {
        Some(due) => format!("{title}, due {due}"),
        None => title,
    };
    Ok(lines(headline, Some(details)))
}
