//! The handler of webhooks, from the request to its report. Owns the order of the steps: check the
//! headers, verify, read the body, parse, plan, send. Each step is implemented in its own module.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use tokio::time::Instant;

use super::body_limit::BodyLimit;
use super::request_head::{self, EVENT};
use crate::dead_letters::DeadLetters;
use crate::gitlab::cloud_event;
use crate::gitlab::event::Event;
use crate::gitlab::rejection::Rejection;
use crate::gitlab::verification::{OriginError, Unverified, Verified, Verifier};
use crate::hand_off::{HandOff, HandOffKeys, Receiver, Sink};
use crate::limits::LIMITS;
use crate::notifier::notification::Notification;
use crate::notifier::{Notifier, Plan};
use crate::outcome::{Facts, Failure, Outcome, Report, Source};
use crate::send::Sender;
use crate::telemetry::trace;

/// What the handler needs for each request.
#[derive(Debug)]
pub struct AppState {
    /// How webhooks are authenticated.
    pub verifier: Verifier,
    /// Whether CloudEvents are accepted; they are not authenticated.
    pub accept_cloud_events: bool,
    /// Decides which notifications an event causes.
    pub notifier: Notifier,
    /// Sends them.
    pub sender: Sender,
    /// The broker that keeps what is not delivered in time, if there is one.
    pub hand_off: Option<Broker>,
    /// Verifies events that come back.
    pub hand_off_keys: Arc<HandOffKeys>,
    /// Where events are stored that the broker puts aside, if this process does that.
    pub dead_letters: Option<DeadLetters>,
    /// Limits on bodies.
    pub body_limit: BodyLimit,
    /// Whether a delivery without an idempotency key, from GitLab before 17.4, is identified by its content.
    pub accept_missing_key: bool,
}

/// The broker.
#[derive(Debug)]
pub struct Broker {
    /// Accepts events.
    pub(crate) sink: Sink,
    /// Stores the events that are put aside here and not by the broker, if there is such a service.
    pub(crate) dead_letter_sink: Option<Receiver>,
    /// Time from the headers of a webhook to the end of the last call to the broker.
    pub(crate) limit: Duration,
}

/// Handles one webhook.
pub(crate) async fn receive(State(state): State<Arc<AppState>>, request: Request) -> Report {
    let started = Instant::now();
    let (parts, body) = request.into_parts();
    let mut facts = Facts {
        source: state.source(&parts),
        ..Facts::default()
    };
    if let Err(failure) = request_head::check(&parts) {
        return Report::new(facts, Outcome::Failed(failure));
    }
    match state.plan(&parts.headers, body, started, &mut facts).await {
        Ok(notifications) => state.send(&notifications, facts, started).await,
        Err(outcome) => Report::new(facts, outcome),
    }
}

impl AppState {
    /// A broker posts CloudEvents to an address without a path.
    fn source(&self, parts: &Parts) -> Source {
        let is_event = self.accept_cloud_events
            && parts.uri.path() == "/"
            && cloud_event::is_cloud_event(&parts.headers);
        if is_event {
            Source::CloudEvent
        } else {
            Source::Webhook
        }
    }

    /// The notifications to send. The body is freed when this returns, so that requests which wait for
    /// Rocket.Chat need little memory.
    async fn plan(
        &self,
        headers: &HeaderMap,
        body: Body,
        started: Instant,
        facts: &mut Facts,
    ) -> Result<Vec<Notification>, Outcome> {
        let event = self.event(headers, body, started, facts).await;
        let event = event.map_err(Outcome::Failed)?;
        facts.kind = Some(event.kind());
        let plan = self.notifier.plan(&event).map_err(Outcome::Skipped)?;
        let Plan {
            notifications,
            redacted,
            warnings,
        } = plan.noted_if_late(event.meta.occurred_at, SystemTime::now());
        facts.project = event.meta.project_label().map(str::to_owned);
        facts.sha = event.attributes.sha;
        if facts.idempotency_key.is_none() {
            if !self.accept_missing_key {
                return Err(Outcome::Failed(Failure::MissingKey));
            }
            facts.idempotency_key = Some(event.meta.content_key);
        }
        facts.redacted = redacted;
        facts.warnings = warnings;
        Ok(notifications)
    }

    /// Reads, verifies and parses the body.
    async fn event(
        &self,
        headers: &HeaderMap,
        body: Body,
        started: Instant,
        facts: &mut Facts,
    ) -> Result<Event, Failure> {
        let unverified = match facts.source {
            Source::Webhook => Some(self.verify_headers(headers)?),
            Source::CloudEvent | Source::Redelivery => None,
        };
        request_head::check_content(headers, facts.source)?;
        let body = self
            .body_limit
            .read(headers, body, started, LIMITS.bodies.max_bytes)
            .await?;
        let body = body.bytes();
        facts.body_bytes = u64::try_from(body.len()).ok();
        if let Some(unverified) = unverified {
            let verified = unverified.verify_body(body);
            let verified = verified.map_err(|error| self.rejected(error, headers))?;
            let hook = headers.get(EVENT).map(HeaderValue::as_bytes);
            parse(hook, verified, facts)
        } else {
            let event = cloud_event::parse(headers, body).map_err(Failure::Parse)?;
            parse(None, Verified::by_broker(&event.data, event.key), facts)
        }
    }

    fn verify_headers(&self, headers: &HeaderMap) -> Result<Unverified<'_>, Failure> {
        let unverified = self.verifier.verify_headers(headers, unix_seconds());
        unverified.map_err(|error| self.rejected(error, headers))
    }

    fn rejected(&self, error: OriginError, headers: &HeaderMap) -> Failure {
        Failure::Origin(Rejection::new(&self.verifier, error, headers))
    }

    async fn send(&self, notifications: &[Notification], facts: Facts, started: Instant) -> Report {
        let send_started = Instant::now();
        let headers = trace::headers();
        let mut recipients = self.sender.send_all(notifications, started, &headers).await;
        if let Some(broker) = &self.hand_off {
            let hand_off = HandOff {
                sink: &broker.sink,
                received_at: SystemTime::now() - started.elapsed(),
                deadline: started + broker.limit,
                headers: &headers,
            };
            hand_off.unfinished(notifications, &mut recipients).await;
        }
        Report::sent(facts, recipients, send_started.elapsed())
    }
}

fn parse(hook: Option<&[u8]>, verified: Verified, facts: &mut Facts) -> Result<Event, Failure> {
    facts.authentication = verified.authentication();
    facts.idempotency_key = verified.idempotency_key().cloned();
    Event::parse(hook, verified).map_err(Failure::Parse)
}

fn unix_seconds() -> u64 {
    // With a clock before 1970, every signature is stale and rejected.
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_secs())
}
