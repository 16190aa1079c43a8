//! The message about a merge request. Owns its wording; the event is parsed in
//! [`gitlab::merge_request`](crate::gitlab::merge_request).

use super::changes;
use super::fragments::{branches, compare, facts, has_short_address, shown_commit, title};
use super::headline::Headline;
use super::noun::Noun;
use super::sign::Sign;
use super::{Message, SkipReason};
use crate::gitlab::changes::{ChangeAction, without_draft};
use crate::gitlab::event::Event;
use crate::gitlab::merge_request::{Action, MergeRequest, State};

pub(super) fn render(event: &Event, request: &MergeRequest) -> Result<Message, SkipReason> {
    let attributes = &event.attributes;
    let (sign, verb) = match (request.action, request.state) {
        (Some(Action::Updated), _) => changes::verb(&attributes.changes, Sign::MergeRequest)?,
        (Some(action), _) => verb(action)?,
        (None, Some(state)) => verb_of_state(state),
        (None, None) => return Err(SkipReason::UnknownAction),
    };
    let is_draft = attributes.draft == Some(true);
    let noun = if is_draft && attributes.changes != [ChangeAction::Draft] {
        "Draft merge request"
    } else {
        "Merge request"
    };
    let headline = Headline::new(sign)
        .noun(&Noun::numbered(event, noun, "merge_requests"))
        .words(" ")
        .words(verb)
        .in_project(event)
        .actor_of(
            if request.is_reset {
                ", reset by a push of "
            } else {
                " by "
            },
            event,
        );
    let name = attributes.title.as_deref();
    let name = name.map(|name| if is_draft { without_draft(name) } else { name });
    Ok(Message::new(headline)
        .line(title(name))
        .line(facts([branches(event), shown_commit(event)]))
        .line(facts(details(event, request).into_iter().map(Some))))
}

fn verb(action: Action) -> Result<(Sign, &'static str), SkipReason> {
    match action {
        Action::Opened => Ok((Sign::MergeRequest, "opened")),
        Action::Closed => Ok((Sign::Ended, "closed")),
        Action::Reopened => Ok((Sign::MergeRequest, "reopened")),
        Action::Merged => Ok((Sign::Done, "merged")),
        Action::Approved => Ok((Sign::Approved, "approved")),
        Action::Approval => Ok((Sign::Approved, "got an approval")),
        Action::Unapproved => Ok((Sign::TakenBack, "is no longer approved")),
        Action::Unapproval => Ok((Sign::TakenBack, "lost an approval")),
        Action::Pushed => Ok((Sign::Commits, "got new commits")),
        Action::Updated => Err(SkipReason::MinorUpdate),
        Action::Unknown => Err(SkipReason::UnknownAction),
    }
}

fn verb_of_state(state: State) -> (Sign, &'static str) {
    match state {
        State::Open => (Sign::MergeRequest, "is open"),
        State::Closed => (Sign::Ended, "is closed"),
        State::Locked => (Sign::UnderWay, "is being merged"),
        State::Merged => (Sign::Done, "is merged"),
    }
}

/// The people of a new merge request, or what an update changed.
pub(super) fn details(event: &Event, request: &MergeRequest) -> Vec<String> {
    match request.action {
        Some(Action::Opened | Action::Reopened) => changes::facts_of_new(event),
        Some(Action::Updated) => changes::facts(event, &request.replaced),
        Some(Action::Pushed) => {
            let mut facts = changes::facts(event, &request.replaced);
            facts.splice(0..0, comparison(event, request, "what is new"));
            facts
        }
        _ => Vec::new(),
    }
}

/// A link to the commits that are new.
pub(super) fn comparison(
    event: &Event,
    request: &MergeRequest,
    label: &'static str,
) -> Option<String> {
    let (before, now) = (request.old_head.as_ref()?, event.attributes.sha.as_ref()?);
    if !has_short_address(event) {
        return None;
    }
    compare(event, before, now, label)
}
