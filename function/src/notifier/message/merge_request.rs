//! The message about a merge request. Owns its wording; the event is parsed in
//! [`gitlab::merge_request`](crate::gitlab::merge_request).

use super::changes::{verb_of_changes, verb_with_changes};
use super::fragments::{at, in_project_by_actor, lines, numbered_page, optional_code, title};
use super::{MAX_PATH, SkipReason};
use crate::gitlab::event::Event;
use crate::gitlab::merge_request::{Action, MergeRequest, State};

pub(super) fn render(event: &Event, request: &MergeRequest) -> Result<String, SkipReason> {
    let verb = match request.action {
        Some(Action::Updated) => verb_of_changes(&event.attributes.changes)?,
        Some(action @ Action::Pushed) => {
            verb_with_changes(verb(action)?, &event.attributes.changes)
        }
        Some(action) => verb(action)?.to_owned(),
        None => state(request.state.ok_or(SkipReason::UnknownAction)?).to_owned(),
    };
    let noun = numbered_page(event, "Merge request", "merge_requests");
    let headline = format!("{noun} {verb}{}", in_project_by_actor(event));
    Ok(lines(headline, details(event)))
}

fn verb(action: Action) -> Result<&'static str, SkipReason> {
    match action {
        Action::Opened => Ok("opened"),
        Action::Closed => Ok("closed"),
        Action::Reopened => Ok("reopened"),
        Action::Merged => Ok("merged"),
        Action::Approved => Ok("approved"),
        Action::Approval => Ok("got an approval"),
        Action::Unapproved => Ok("no longer approved"),
        Action::Unapproval => Ok("lost an approval"),
        Action::Pushed => Ok("got new commits"),
        Action::Updated => Err(SkipReason::MinorUpdate),
        Action::Unknown => Err(SkipReason::UnknownAction),
    }
}

fn state(state: State) -> &'static str {
    match state {
        State::Open => "is open",
        State::Closed => "is closed",
        State::Locked => "is being merged",
        State::Merged => "is merged",
    }
}

/// The title, both branches and the commit, as far as GitLab sends them.
fn details(event: &Event) -> Option<String> {
    let attributes = &event.attributes;
    let title = title(attributes.title.as_deref());
    let source = optional_code(attributes.source_branch.as_deref(), MAX_PATH);
    let target = optional_code(attributes.target_branch.as_deref(), MAX_PATH);
    let branches = source
        .zip(target)
        .map(|(source, target)| format!("{source} into {target}"));
    let parts: Vec<_> = [title, branches].into_iter().flatten().collect();
    let at = at(event);
    if parts.is_empty() {
        return at.strip_prefix(' ').map(str::to_owned);
    }
    Some(format!("{}{at}", parts.join(", ")))
}
