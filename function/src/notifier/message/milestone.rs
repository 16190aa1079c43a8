//! The message about a milestone. Owns its wording; the event is parsed in
//! [`gitlab::milestone`](crate::gitlab::milestone). A milestone of a group has no link, because GitLab
//! sends no address with it.

use super::fragments::{name, title};
use super::headline::Headline;
use super::noun::{Noun, numbered};
use super::sign::Sign;
use super::{Message, SkipReason};
use crate::gitlab::event::Event;
use crate::gitlab::milestone::{Action, Milestone};

pub(super) fn render(event: &Event, milestone: &Milestone) -> Result<Message, SkipReason> {
    let (sign, verb) = match milestone.action {
        Some(Action::Created) => (Sign::Milestone, " created"),
        Some(Action::Closed) => (Sign::Done, " closed"),
        Some(Action::Reopened) => (Sign::Milestone, " reopened"),
        Some(Action::Deleted) => (Sign::Removed, " deleted"),
        Some(Action::Unknown) => return Err(SkipReason::UnknownAction),
        None => (Sign::Milestone, " exists"),
    };
    let words = numbered("Milestone", event.attributes.number);
    // A deleted milestone has no page.
    let has_page = milestone.action != Some(Action::Deleted);
    let noun = match event.attributes.number.filter(|_| has_page) {
        Some(number) => Noun::of_project(event, &format!("-/milestones/{number}"), words),
        None => Noun::unlinked(words),
    };
    let headline = Headline::new(sign).noun(&noun).words(verb);
    let headline = match &milestone.group {
        Some(group) => headline.in_group(Some(group)),
        None => headline.in_project(event),
    };
    let due = milestone.due.as_deref().and_then(name);
    Ok(Message::new(headline.actor_of(" by ", event))
        .line(title(Some(&milestone.title)))
        .line(due.map(|due| format!("due {due}"))))
}
