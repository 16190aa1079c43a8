//! The message about a deployment. What it is made of is read in
//! [`gitlab::deployment`](crate::gitlab::deployment).

use super::SkipReason;
use super::fragments::{
    MAX_NAME, MAX_PATH, actor, at, by, lines, numbered, page, place, prefixed, quote, quoted, title,
};
use crate::gitlab::deployment::Deployment;
use crate::gitlab::event::Event;
use crate::gitlab::status::Status;

pub(super) fn render(event: &Event, deployment: &Deployment) -> Result<String, SkipReason> {
    let verb = match deployment.status {
        Status::Success => "succeeded",
        Status::Failed => "failed",
        Status::Canceled => "was canceled",
        Status::Skipped => "was skipped",
        Status::Unfinished => "is under way",
        Status::Unknown => return Err(SkipReason::UnknownAction),
    };
    let label = numbered("Deployment", event.attributes.number);
    let headline = format!(
        "{} to {} {verb}{}{}{}",
        page(event.attributes.page.as_deref(), &label),
        quote(&deployment.environment, MAX_NAME),
        place(event),
        at(event),
        by(actor(event))
    );
    Ok(lines(headline, details(event)))
}

fn details(event: &Event) -> Option<String> {
    let title = title(event.attributes.title.as_deref());
    let from = quoted(event.attributes.reference.as_deref(), MAX_PATH);
    match title {
        Some(title) => Some(format!("{title}{}", prefixed(" from ", from))),
        None => from.map(|from| format!("from {from}")),
    }
}
