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

use crate::admission::Admission;
use crate::courier::Courier;
use crate::gitlab::circumstances::Circumstances;
use crate::gitlab::cloud_event;
use crate::gitlab::event::Event;
use crate::gitlab::origin::{Claim, Guard, OriginError};
use crate::notice::Ignored;
use crate::outcome::{Entrance, Failure, Outcome, Report};
use crate::telling::{Telling, Tidings};

const EVENT: HeaderName = HeaderName::from_static("x-gitlab-event");

/// What every webhook needs.
#[derive(Debug)]
pub struct Function {
    /// Who is let in.
    pub guard: Guard,
    /// Whether CloudEvents are let in, all of them: their origin is whoever can reach this port.
    pub accept_cloud_events: bool,
    /// Who hears of it, and in which words.
    pub telling: Telling,
    /// Who brings the message.
    pub courier: Courier,
    /// Room for bodies.
    pub admission: Admission,
    /// Whether a delivery without a key, from a GitLab before 17.4, is named by its content.
    pub accept_missing_key: bool,
}

/// Takes one webhook: lets it in, reads it, delivers the message, and says how it ended.
pub async fn receive(State(function): State<Arc<Function>>, request: Request) -> Report {
    let started = Instant::now();
    let (parts, body) = request.into_parts();
    let entrance = function.entrance(&parts);
    let admitted = function.admit(entrance, &parts.headers, body, started);
    let (report, event, circumstances) = match admitted.await {
        Ok(admitted) => admitted,
        Err(report) => return Report { entrance, ..report },
    };
    let report = Report { entrance, ..report };
    match function.telling.tell(&event, &circumstances) {
        Ok(tidings) => {
            function
                .deliver(tidings, &circumstances, report, started)
                .await
        }
        Err(ignored) => Report {
            outcome: Outcome::Ignored(ignored),
            ..report
        },
    }
}

/// What holds until there are words for an event.
const UNTOLD: Outcome = Outcome::Ignored(Ignored::UnhandledKind);

/// An event, what is known of it, and what can be asked of it.
type Admitted = (Report, Event, Circumstances);

impl Function {
    /// A broker posts to the address it is given, and that has no path of ours.
    fn entrance(&self, parts: &Parts) -> Entrance {
        let is_event = self.accept_cloud_events
            && parts.uri.path() == "/"
            && cloud_event::is_one(&parts.headers);
        if is_event {
            Entrance::CloudEvent
        } else {
            Entrance::Webhook
        }
    }

    /// An event that proved its origin. Its body has left memory when this returns, so that waiting
    /// for the chat server costs little.
    async fn admit(
        &self,
        entrance: Entrance,
        headers: &HeaderMap,
        body: Body,
        started: Instant,
    ) -> Result<Admitted, Report> {
        let failed = |failure| Report::of(Outcome::Failed(failure));
        let claim = match entrance {
            Entrance::Webhook => Some(self.guard.inspect(headers, unix_seconds())),
            Entrance::CloudEvent => None,
        };
        let claim = claim
            .transpose()
            .map_err(|error| failed(self.outsider(error)))?;
        check_content(headers, entrance).map_err(failed)?;
        let body = self.admission.read(headers, body, started).await;
        let body = body.map_err(failed)?;
        let mut report = Report {
            body_bytes: u64::try_from(body.bytes().len()).ok(),
            ..Report::of(UNTOLD)
        };
        let read = match claim {
            Some(claim) => self.open(claim, headers, body.bytes(), &mut report),
            None => self.unpack(headers, body.bytes(), &mut report),
        };
        match read {
            Ok((event, circumstances)) => Ok((report, event, circumstances)),
            Err(failure) => Err(Report {
                outcome: Outcome::Failed(failure),
                ..report
            }),
        }
    }

    /// A webhook of GitLab's.
    fn open(
        &self,
        claim: Claim,
        headers: &HeaderMap,
        body: &[u8],
        report: &mut Report,
    ) -> Result<(Event, Circumstances), Failure> {
        let proof = claim.confirm(body).map_err(|error| self.outsider(error))?;
        report.note_proof(proof);
        let hook = headers.get(EVENT).map(http::HeaderValue::as_bytes);
        self.read(hook, body, report)
    }

    /// A webhook in an envelope.
    fn unpack(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        report: &mut Report,
    ) -> Result<(Event, Circumstances), Failure> {
        let event = cloud_event::open(headers, body).map_err(Failure::Parse)?;
        report.delivery_id = Some(event.delivery_id);
        self.read(None, &event.data, report)
    }

    fn read(
        &self,
        hook: Option<&[u8]>,
        body: &[u8],
        report: &mut Report,
    ) -> Result<(Event, Circumstances), Failure> {
        let event = Event::parse(hook, body).map_err(Failure::Parse)?;
        let circumstances = self.telling.circumstances(&event, body);
        let circumstances = circumstances.map_err(Failure::Parse)?;
        report.kind = Some(event.kind());
        Ok((event, circumstances))
    }

    fn outsider(&self, error: OriginError) -> Failure {
        Failure::Origin(error, self.guard.expectation())
    }

    async fn deliver(
        &self,
        tidings: Vec<Tidings>,
        circumstances: &Circumstances,
        report: Report,
        started: Instant,
    ) -> Report {
        // All are told of the same event.
        let notice = tidings.first().map(|tidings| &tidings.notice);
        let fallback = notice.filter(|_| self.accept_missing_key);
        let fallback = fallback.map(|notice| notice.content_id.clone());
        let report = Report {
            delivery_id: report.delivery_id.clone().or(fallback),
            project: notice.and_then(|notice| notice.project.clone()),
            sha: notice.and_then(|notice| notice.sha.clone()),
            ..report
        };
        let delivery_id = report.delivery_id.as_ref();
        let errands = self.telling.errands(delivery_id, tidings, circumstances);
        match errands {
            Ok(errands) => {
                let begun = Instant::now();
                let verdicts = self.courier.deliver(&errands, started).await;
                let targets: Vec<_> = errands.iter().map(|errand| &errand.target).collect();
                let report = report.told(&targets, verdicts);
                let was_sent = !matches!(report.outcome, Outcome::Ignored(_));
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
fn check_content(headers: &HeaderMap, entrance: Entrance) -> Result<(), Failure> {
    let value = |name| {
        headers
            .get(name)
            .and_then(|value: &http::HeaderValue| value.to_str().ok())
    };
    let media_type = value(CONTENT_TYPE)
        .and_then(|value| value.split(';').next())
        .unwrap_or_default();
    let is_envelope = entrance == Entrance::CloudEvent && cloud_event::is_structured(headers);
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
