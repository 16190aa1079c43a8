//! The event log of a hook, and sending a record of it again.
//! Source: `lib/api/hooks/{events,resend_hook}.rb`, `app/finders/web_hooks/web_hook_logs_finder.rb`,
//! `app/services/web_hooks/events/resend_service.rb`.

use serde_json::json;

use crate::gitlab::server::access::Caller;
use crate::gitlab::server::call::{Call, Parameters, has_no_valid_value};
use crate::gitlab::server::hook::Owner;
use crate::gitlab::server::limiter::Endpoint;
use crate::gitlab::server::log::{Event, INTERNAL_ERROR};
use crate::gitlab::server::pagination::Page;
use crate::gitlab::server::reply::Reply;
use crate::gitlab::server::webhook::{Executed, Force, Sending};
use crate::gitlab::server::{Server, Trigger};

/// Unlike other lists, this one refuses larger pages.
const LARGEST_PAGE: i64 = 20;

pub(super) fn list(server: &Server, call: &Call, project: u64, hook: u64) -> Result<Reply, Reply> {
    let query = call.query();
    let filters = filters(&query)?;
    if query
        .number("per_page")?
        .is_some_and(|size| size > LARGEST_PAGE)
    {
        return Err(has_no_valid_value("per_page"));
    }
    let page = Page::of(&query)?;
    let state = server.state();
    state
        .hook(Owner::Project(project), hook)
        .ok_or_else(Reply::no_record)?;
    let now = server.clock.now();
    let events = state.events.iter().rev();
    let events = events.filter(|event| event.hook == hook && event.is_shown(now));
    let events = events.filter(|event| filters.is_empty() || matches_any(event, &filters));
    let events: Vec<_> = events
        .map(|event| event.json(server.settings.shows_event_times))
        .collect();
    let reply = page.reply(&events, call, &server.settings.base_url);
    Ok(if state.has_endless_logs {
        reply.with_next_page(page.number + 1)
    } else {
        reply
    })
}

/// The values of `status`, which are separated by commas.
fn filters(query: &Parameters) -> Result<Vec<String>, Reply> {
    let text = query.text("status")?.unwrap_or_default();
    let filters = text
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty());
    let filters: Vec<_> = filters.map(str::to_owned).collect();
    let is_known = |filter: &String| {
        let number = filter.parse::<u16>();
        ["successful", "client_failure", "server_failure"].contains(&filter.as_str())
            || number.is_ok_and(|number| {
                hyper::StatusCode::from_u16(number)
                    .is_ok_and(|status| status.canonical_reason().is_some())
            })
    };
    if filters.iter().all(is_known) {
        Ok(filters)
    } else {
        Err(has_no_valid_value("status"))
    }
}

fn matches_any(event: &Event, filters: &[String]) -> bool {
    let text = event.status();
    let status = text.parse::<u16>().ok();
    filters.iter().any(|filter| match filter.as_str() {
        "successful" => matches!(status, Some(200..=299)),
        "client_failure" => matches!(status, Some(400..=499)),
        "server_failure" => matches!(status, Some(500..=599)) || text == INTERNAL_ERROR,
        exact => text == exact,
    })
}

pub(super) async fn resend(
    server: &Server,
    caller: &Caller,
    project: u64,
    hook: u64,
    event: u64,
) -> Result<Reply, Reply> {
    let sending = {
        let now = server.clock.now();
        let mut state = server.state();
        let found = state.hook(Owner::Project(project), hook);
        let address = found.ok_or_else(Reply::no_record)?.address();
        // Refused requests count, and so do those for records that are not there.
        let limiter = &mut state.limiter;
        limiter.endpoint(Endpoint::Resend, project, caller.id, now)?;
        let mut events = state.events.iter();
        let found = events.find(|other| other.id == event && other.hook == hook);
        let event = found.filter(|event| event.is_kept(now));
        let event = event.ok_or_else(Reply::no_record)?;
        if event.sent_to != address {
            let text = "The hook URL has changed, and this log entry cannot be retried";
            return Err(Reply::message(422, text));
        }
        Sending {
            trigger: Trigger::of_hook_name(event.trigger).unwrap_or(Trigger::Push),
            body: event.request_data.clone(),
            idempotency_key: event.idempotency_key().map(str::to_owned),
            force: Force::No,
        }
    };
    match server.execute(hook, sending).await {
        Executed::Response(attempt, _) => {
            let body = json!({ "response_status": attempt.status });
            Ok(Reply::json(201, &body))
        }
        Executed::Refused(reason) => Err(Reply::message(422, reason)),
        Executed::Failed(_, error) => Err(Reply::message(422, error)),
    }
}
