//! The handler of notifications that the broker sends back. Owns the order of the steps: read the body, verify
//! the signature, send, put aside what cannot be delivered. Which status makes a broker send an event again is
//! decided in [`outcome`](crate::outcome).

use std::sync::Arc;
use std::time::SystemTime;

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use tokio::time::Instant;

use super::body_limit::LimitedBody;
use super::request_head;
use super::webhook::AppState;
use crate::dead_letters;
use crate::hand_off::{EventError, HandedOff, Receiver, event};
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
    let Some(broker) = &state.hand_off else {
        return Report::new(facts, Outcome::Failed(Failure::NotFound));
    };
    let event = match read(&state, request, started, &mut facts).await {
        Ok(event) => event,
        Err(failure) => return Report::new(facts, Outcome::Failed(failure)),
    };
    let report = match &event.content {
        Ok(content) => send(&state, content, started, facts).await,
        Err(error) => Report::new(facts, Outcome::Failed(Failure::Event(*error))),
    };
    // The address may lead here by mistake, and the event would go round.
    let sink = broker.dead_letter_sink.as_ref();
    let sink = sink.filter(|_| !dead_letters::was_refused(&event.headers));
    match (sink, &report.outcome) {
        (Some(sink), Outcome::Failed(failure)) if failure.is_final_for_broker() => {
            let outcome = put_aside(sink, &event, failure, started + broker.limit).await;
            Report { outcome, ..report }
        }
        _ => report,
    }
}

/// An event with a valid signature.
pub(super) struct SignedEvent {
    /// Its headers.
    pub(super) headers: HeaderMap,
    /// Its content, as it arrived.
    pub(super) body: LimitedBody,
    /// What it says.
    pub(super) content: Result<HandedOff, EventError>,
}

/// Reads and verifies an event.
pub(super) async fn read(
    state: &AppState,
    request: Request,
    started: Instant,
    facts: &mut Facts,
) -> Result<SignedEvent, Failure> {
    let (parts, body) = request.into_parts();
    request_head::check(&parts)?;
    request_head::check_content(&parts.headers, facts.source)?;
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
    let content = event::read(&parts.headers, body.bytes(), &state.hand_off_keys, now);
    if content == Err(EventError::Unsigned) {
        return Err(Failure::Event(EventError::Unsigned));
    }
    Ok(SignedEvent {
        headers: parts.headers,
        body,
        content,
    })
}

/// A fix whose failure is not found waits for it: both may have been handed off, and a broker does not keep
/// their order.
async fn send(state: &AppState, event: &HandedOff, started: Instant, facts: Facts) -> Report {
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

/// Sends an event that cannot be delivered to the service for dead letters itself, because some brokers forget what
/// is refused. An event without a valid signature never gets here: anybody could fill the disk with those.
async fn put_aside(
    sink: &Receiver,
    event: &SignedEvent,
    failure: &Failure,
    deadline: Instant,
) -> Outcome {
    let headers = dead_letters::refused(&event.headers, failure.status_for_broker());
    match sink
        .post_until(&headers, event.body.bytes(), deadline)
        .await
    {
        Ok(()) => Outcome::PutAside(failure.clone()),
        Err(error) => {
            tracing::error!(
                reason = failure.reason(),
                error = error.label(),
                "a message that cannot be delivered is not stored as a dead letter; the broker sends it again"
            );
            Outcome::Failed(Failure::NotPutAside)
        }
    }
}
