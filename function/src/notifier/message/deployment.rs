//! The message about a deployment. Owns its wording; the event is parsed in
//! [`gitlab::deployment`](crate::gitlab::deployment).

use super::fragments::{code, commit_line};
use super::headline::Headline;
use super::noun::{Noun, numbered};
use super::pipeline::verb_of_unfinished;
use super::sign::Sign;
use super::{MAX_NAME, Message, SkipReason};
use crate::gitlab::deployment::Deployment;
use crate::gitlab::event::Event;
use crate::gitlab::status::Status;
use crate::rocketchat::markup::VisibleText;

pub(super) fn render(event: &Event, deployment: &Deployment) -> Result<Message, SkipReason> {
    let (sign, verb) = match deployment.status {
        Status::Success => (Sign::Passed, "succeeded"),
        Status::Failed => (Sign::Failed, "failed"),
        Status::Canceled => (Sign::Ended, "canceled"),
        Status::Skipped => (Sign::Ended, "skipped"),
        Status::Unfinished => (Sign::UnderWay, verb_of_unfinished(event)),
        Status::Unknown => return Err(SkipReason::UnknownAction),
    };
    let attributes = &event.attributes;
    let words = numbered("Deployment", attributes.number);
    let environment = VisibleText::or_unnamed(&deployment.environment, MAX_NAME);
    let environments = event
        .meta
        .project_url()
        .and_then(|project| project.below("-/environments"));
    let headline = Headline::new(sign)
        .noun(&Noun::page(attributes.page.as_deref(), words))
        .words(" to ")
        .subject("environment", environment, environments)
        .words(" ")
        .words(verb)
        .in_project(event)
        .actor_of(", started by ", event);
    let from = match attributes.merge_request() {
        Some(number) => Some(Noun::merge_request(event, number).to_string()),
        None => attributes.reference.as_deref().and_then(code),
    };
    Ok(Message::new(headline)
        .line(commit_line(event, attributes.title.as_deref()))
        .line(from.map(|from| format!("from {from}"))))
}
