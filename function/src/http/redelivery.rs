//! The handler of notifications that the broker sends back. Owns the order of the steps: read the body, verify
//! the signature, send. Which status makes a broker send an event again is decided in
//! [`outcome`](crate::outcome).

use std::sync::Arc;
use std::time::SystemTime;

use axum::extract::{Request, State};
use tokio::time::Instant;

use super::request_head;
use super::webhook::AppState;
use crate::hand_off::{EventError, HandedOff, event};
use crate::limits::LIMITS;
use crate::outcome::{Facts, Failure, Outcome, Report, Source};
use crate::send::SendResult;
use crate::telemetry::trace;

/// Handles one event.
pub(super) async fn receive(State(state): State<Arc<AppState>>, request: Request) -> Report {
    let started = Instant::now();
    let mut facts = Facts {
        source: Source::Redelivery,
        ..Facts::default()
    };
    match read(&state, request, started, &mut facts).await {
        Ok(event) => send(&state, event, started, facts).await,
        Err(failure) => Report::new(facts, Outcome::Failed(failure)),
    }
}

async fn read(
    state: &AppState,
    request: Request,
    started: Instant,
    facts: &mut Facts,
) -> Result<HandedOff, Failure> {
    let (parts, body) = request.into_parts();
    request_head::check(&parts)?;
    request_head::check_content(&parts.headers, facts.source)?;
    let Some(hand_off) = &state.hand_off else {
        return Err(Failure::NotFound);
    };
    // Before the body is read, which anybody could send.
    if !event::has_signature(&parts.headers) {
        return Err(Failure::Event(EventError::Unsigned));
    }
    let limit = LIMITS.hand_off.max_bytes;
    let body = state
        .body_limit
        .read(&parts.headers, body, started, limit)
        .await?;
    facts.body_bytes = u64::try_from(body.bytes().len()).ok();
    let now = SystemTime::now();
    event::read(&parts.headers, body.bytes(), &hand_off.keys, now).map_err(Failure::Event)
}

/// A fix whose failure is not found waits for it: both may have been handed off, and a broker does not keep
/// their order.
async fn send(state: &AppState, event: HandedOff, started: Instant, facts: Facts) -> Report {
    let headers = trace::headers();
    let sent = state
        .sender
        .redeliver(&event.notification, started, &headers);
    let sent = sent.await;
    if sent.result == SendResult::Withheld && event.age < LIMITS.hand_off.fix_wait {
        return Report::new(facts, Outcome::Failed(Failure::EarlyFix));
    }
    Report::sent(facts, vec![sent], started.elapsed())
}
