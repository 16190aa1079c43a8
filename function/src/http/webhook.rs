//! One webhook from its headers to its answer. Owns the order of the steps and is the only place
//! where GitLab's side, the words and Rocket.Chat's side meet; each step is decided elsewhere.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};
use tokio::time::Instant;

use crate::gitlab::attributes::EventAttributes;
use crate::gitlab::cloud_event;
use crate::gitlab::event::Event;
use crate::gitlab::verification::{OriginError, Unverified, Verifier};
use crate::http::body_limit::BodyLimit;
use crate::notifier::SkipReason;
use crate::notifier::{Notifier, Planned};
use crate::outcome::{Failure, Outcome, Report, Source};
use crate::send::sender::Sender;

const EVENT: HeaderName = HeaderName::from_static("x-gitlab-event");

/// What every webhook needs.
#[derive(Debug)]
pub struct Function {
    /// Who is let in.
    pub guard: Verifier,
    /// Whether CloudEvents are let in, all of them: their origin is whoever can reach this port.
    pub accept_cloud_events: bool,
    /// Who hears of it, and in which words.
    pub notifier: Notifier,
    /// Who brings the message.
    pub sender: Sender,
    /// Room for bodies.
    pub admission: BodyLimit,
    /// Whether a delivery without a key, from a GitLab before 17.4, is named by its content.
    pub accept_missing_key: bool,
}

/// Takes one webhook: lets it in, reads it, delivers the message, and says how it ended.
pub async fn receive(State(function): State<Arc<Function>>, request: Request) -> Report {
    let started = Instant::now();
    let (parts, body) = request.into_parts();
    let source = function.source(&parts);
    let admitted = function.admit(source, &parts.headers, body, started);
    let (report, event, attributes) = match admitted.await {
        Ok(admitted) => admitted,
        Err(report) => return Report { source, ..report },
    };
    let report = Report { source, ..report };
    match function.notifier.tell(&event, &attributes) {
        Ok(planned) => {
            function
                .deliver(planned, &attributes, report, started)
                .await
        }
        Err(ignored) => Report {
            outcome: Outcome::SkipReason(ignored),
            ..report
        },
    }
}

/// What holds until there are words for an event.
const UNTOLD: Outcome = Outcome::SkipReason(SkipReason::UnhandledKind);

/// An event, what is known of it, and what can be asked of it.
type Admitted = (Report, Event, EventAttributes);

impl Function {
    /// A broker posts to the address it is given, and that has no path of ours.
    fn source(&self, parts: &Parts) -> Source {
        let is_event = self.accept_cloud_events
            && parts.uri.path() == "/"
            && cloud_event::is_one(&parts.headers);
        if is_event {
            Source::CloudEvent
        } else {
            Source::Webhook
        }
    }

    /// An event that proved its origin. Its body has left memory when this returns, so that waiting
    /// for the chat server costs little.
    async fn admit(
        &self,
        source: Source,
        headers: &HeaderMap,
        body: Body,
        started: Instant,
    ) -> Result<Admitted, Report> {
        let failed = |failure| Report::of(Outcome::Failed(failure));
        let unverified = match source {
            Source::Webhook => Some(self.guard.verify_headers(headers, unix_seconds())),
            Source::CloudEvent => None,
        };
        let unverified = unverified
            .transpose()
            .map_err(|error| failed(self.outsider(error)))?;
        check_content(headers, source).map_err(failed)?;
        let body = self.admission.read(headers, body, started).await;
        let body = body.map_err(failed)?;
        let mut report = Report {
            body_bytes: u64::try_from(body.bytes().len()).ok(),
            ..Report::of(UNTOLD)
        };
        let read = match unverified {
            Some(unverified) => self.open(unverified, headers, body.bytes(), &mut report),
            None => self.unpack(headers, body.bytes(), &mut report),
        };
        match read {
            Ok((event, attributes)) => Ok((report, event, attributes)),
            Err(failure) => Err(Report {
                outcome: Outcome::Failed(failure),
                ..report
            }),
        }
    }

    /// A webhook of GitLab's.
    fn open(
        &self,
        unverified: Unverified,
        headers: &HeaderMap,
        body: &[u8],
        report: &mut Report,
    ) -> Result<(Event, EventAttributes), Failure> {
        let verified = unverified
            .verify_body(body)
            .map_err(|error| self.outsider(error))?;
        report.authenticated_as(verified);
        let hook = headers.get(EVENT).map(http::HeaderValue::as_bytes);
        self.read(hook, body, report)
    }

    /// A webhook in an envelope.
    fn unpack(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        report: &mut Report,
    ) -> Result<(Event, EventAttributes), Failure> {
        let event = cloud_event::open(headers, body).map_err(Failure::Parse)?;
        report.delivery_id = Some(event.delivery_id);
        self.read(None, &event.data, report)
    }

    fn read(
        &self,
        hook: Option<&[u8]>,
        body: &[u8],
        report: &mut Report,
    ) -> Result<(Event, EventAttributes), Failure> {
        let event = Event::parse(hook, body).map_err(Failure::Parse)?;
        let attributes = self.notifier.attributes(&event, body);
        let attributes = attributes.map_err(Failure::Parse)?;
        report.kind = Some(event.kind());
        Ok((event, attributes))
    }

    fn outsider(&self, error: OriginError) -> Failure {
        Failure::Origin(error, self.guard.expectation())
    }

    async fn deliver(
        &self,
        planned: Vec<Planned>,
        attributes: &EventAttributes,
        report: Report,
        started: Instant,
    ) -> Report {
        // All are told of the same event.
        let message = planned.first().map(|planned| &planned.message);
        let fallback = message.filter(|_| self.accept_missing_key);
        let fallback = fallback.map(|message| message.content_id.clone());
        let report = Report {
            delivery_id: report.delivery_id.clone().or(fallback),
            project: message.and_then(|message| message.project.clone()),
            sha: message.and_then(|message| message.sha.clone()),
            ..report
        };
        let delivery_id = report.delivery_id.as_ref();
        let notifications = self
            .notifier
            .notifications(delivery_id, planned, attributes);
        match notifications {
            Ok(notifications) => {
                let begun = Instant::now();
                let verdicts = self.sender.deliver(&notifications, started).await;
                let targets: Vec<_> = notifications
                    .iter()
                    .map(|notification| &notification.target)
                    .collect();
                let report = report.told(&targets, verdicts);
                let was_sent = !matches!(report.outcome, Outcome::SkipReason(_));
                Report {
                    delivery_time: was_sent.then(|| begun.elapsed()),
                    ..report
                }
            }
            Err(outcome) => Report { outcome, ..report },
        }
    }
}

/// GitLab sends plain JSON. A compressed body could be a thousand times its size.
fn check_content(headers: &HeaderMap, source: Source) -> Result<(), Failure> {
    let value = |name| {
        headers
            .get(name)
            .and_then(|value: &http::HeaderValue| value.to_str().ok())
    };
    let media_type = value(CONTENT_TYPE)
        .and_then(|value| value.split(';').next())
        .unwrap_or_default();
    let is_envelope = source == Source::CloudEvent && cloud_event::is_structured(headers);
    if !is_envelope && !media_type.trim().eq_ignore_ascii_case("application/json") {
        return Err(Failure::MediaType);
    }
    match headers
        .get(CONTENT_ENCODING)
        .map(|_| value(CONTENT_ENCODING))
    {
        None => Ok(()),
        Some(Some(encoding)) if encoding.eq_ignore_ascii_case("identity") => Ok(()),
        Some(_) => Err(Failure::ContentEncoding),
    }
}

fn unix_seconds() -> u64 {
    // A clock before 1970 makes every signature stale, which is the safe side.
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_secs())
}
