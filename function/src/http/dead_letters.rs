//! The handler of events that the broker puts aside. Owns the order of the steps: verify, store, count, log,
//! notify the operators. How they are stored is in [`dead_letters`](crate::dead_letters).

use std::sync::Arc;
use std::time::SystemTime;

use axum::extract::{Request, State};
use tokio::time::Instant;

use super::redelivery;
use super::webhook::AppState;
use crate::dead_letters::DeadLetter;
use crate::hand_off::EventError;
use crate::outcome::{Facts, Failure, Outcome, Report, Source};
use crate::telemetry::trace;

/// Handles one event.
pub(super) async fn receive(State(state): State<Arc<AppState>>, request: Request) -> Report {
    let started = Instant::now();
    let mut facts = Facts {
        source: Source::Redelivery,
        ..Facts::default()
    };
    match store(&state, request, started, &mut facts).await {
        Ok(letter) => {
            notify(&state, &letter, started).await;
            Report::new(facts, Outcome::DeadLetter)
        }
        Err(failure) => Report::new(facts, Outcome::Failed(failure)),
    }
}

async fn store(
    state: &AppState,
    request: Request,
    started: Instant,
    facts: &mut Facts,
) -> Result<DeadLetter, Failure> {
    let Some(dead_letters) = &state.dead_letters else {
        return Err(Failure::NotFound);
    };
    let event = redelivery::read(state, request, started, facts).await?;
    let content = event.content.as_ref().ok();
    let letter = DeadLetter::new(
        &event.headers,
        event.body.bytes(),
        content.map(|content| &content.notification),
        SystemTime::now(),
    );
    let letter = letter.ok_or(Failure::Event(EventError::Unreadable))?;
    // Blocks the only thread for some milliseconds; this process has nothing else to do.
    dead_letters.folder.store(&letter).map_err(|error| {
        tracing::error!("{error}; the broker sends the dead letter again");
        Failure::NotStored
    })?;
    Ok(letter)
}

/// The dead letter is stored, so nothing is lost if nobody is notified.
async fn notify(state: &AppState, letter: &DeadLetter, started: Instant) {
    tracing::error!(
        event_id = letter.id.as_str(),
        recipient = letter.recipient.as_str(),
        refused_with = letter.status,
        "the broker gave up a message; webhook-app dead-letters lists it and sends it again"
    );
    let report_to = state.dead_letters.as_ref();
    let Some(to) = report_to.and_then(|dead_letters| dead_letters.report_to.clone()) else {
        return;
    };
    let headers = trace::headers();
    let notice = letter.notice(to);
    let sent = state.sender.redeliver(&notice, started, &headers).await;
    if let Outcome::Failed(failure) = Outcome::of(&sent) {
        tracing::error!(
            reason = failure.reason(),
            "could not notify the operators of a dead letter"
        );
    }
}
