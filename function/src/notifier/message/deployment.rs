//! The message about a deployment. Owns its wording; the event is parsed in
//! [`gitlab::deployment`](crate::gitlab::deployment).

use super::fragments::{
    actor, at, by, code, in_project, lines, merge_request_page, numbered, optional_code, page,
    prefixed, title,
};
use super::{MAX_NAME, MAX_PATH, SkipReason};
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
        code(&deployment.environment, MAX_NAME),
        in_project(event),
        at(event),
        by(actor(event))
    );
    Ok(lines(headline, details(event)))
}

fn details(event: &Event) -> Option<String> {
    let title = title(event.attributes.title.as_deref());
    let reference = event.attributes.reference.as_deref();
    let from = match event.attributes.merge_request() {
        Some(number) => Some(merge_request_page(event, number)),
        None => optional_code(reference, MAX_PATH),
    };
    match title {
        Some(title) => Some(format!("{title}{}", prefixed(" from ", from))),
        None => from.map(|from| format!("from {from}")),
    }
}
