//! What is said of a merge request. Owns the render; what they are made of is read in
//! [`gitlab::merge_request`](crate::gitlab::merge_request).

use super::SkipReason;
use super::fragments::{MAX_PATH, at, lines, numbered_page, place_and_actor, quoted, title};
use crate::gitlab::merge_request::{Action, MergeRequest, State};

pub(super) fn render(request: &MergeRequest) -> Result<String, SkipReason> {
    let verb = match request.action {
        Some(action) => verb(action)?,
        None => state(request.state.ok_or(SkipReason::UnknownAction)?),
    };
    let noun = numbered_page(
        &request.meta,
        request.page.as_deref(),
        "Merge request",
        "merge_requests",
        request.number,
    );
    let headline = format!("{noun} {verb}{}", place_and_actor(&request.meta));
    Ok(lines(headline, details(request)))
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

/// The title, then from where to where, as far as GitLab said.
fn details(request: &MergeRequest) -> Option<String> {
    let title = title(request.title.as_deref());
    let source = quoted(request.source.as_deref(), MAX_PATH);
    let target = quoted(request.target.as_deref(), MAX_PATH);
    let way = source
        .zip(target)
        .map(|(source, target)| format!("{source} into {target}"));
    let parts: Vec<_> = [title, way].into_iter().flatten().collect();
    let at = at(&request.meta, request.sha.as_ref());
    if parts.is_empty() {
        return at.strip_prefix(' ').map(str::to_owned);
    }
    Some(format!("{}{at}", parts.join(", ")))
}
