//! One webhook from its headers to its answer. Owns the order of the steps and is the only place
//! where GitLab's side, the words and Rocket.Chat's side meet; each step is decided elsewhere.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName};
use tokio::time::Instant;

use crate::admission::Admission;
use crate::courier::{Busy, Courier};
use crate::delivery::{Effort, Verdict};
use crate::gitlab::delivery_id::DeliveryId;
use crate::gitlab::event::Event;
use crate::gitlab::origin::{Guard, OriginError};
use crate::notice::{self, Ignored, Notice};
use crate::outcome::{Failure, Outcome, Report};

const EVENT: HeaderName = HeaderName::from_static("x-gitlab-event");

/// What every webhook needs.
#[derive(Debug)]
pub struct Function {
    /// Who is let in.
    pub guard: Guard,
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
    let (report, event) = match function.admit(&parts.headers, body, started).await {
        Ok(admitted) => admitted,
        Err(report) => return report,
    };
    match notice::compose(&event) {
        Ok(notice) => function.tell(notice, report, started).await,
        Err(ignored) => Report {
            outcome: Outcome::Ignored(ignored),
            ..report
        },
    }
}

/// What holds until there are words for an event.
const UNTOLD: Outcome = Outcome::Ignored(Ignored::UnhandledKind);

impl Function {
    /// An event that proved its origin, and what is known of it. Its body has left memory when this
    /// returns, so that waiting for the chat server costs little.
    async fn admit(
        &self,
        headers: &HeaderMap,
        body: Body,
        started: Instant,
    ) -> Result<(Report, Event), Report> {
        let failed = |failure| Report::of(Outcome::Failed(failure));
        let outsider =
            |error: OriginError| failed(Failure::Origin(error, self.guard.expectation()));
        let claim = self
            .guard
            .inspect(headers, unix_seconds())
            .map_err(outsider)?;
        check_content(headers).map_err(failed)?;
        let body = self
            .admission
            .read(headers, body, started)
            .await
            .map_err(failed)?;
        let measured = |report| Report {
            body_bytes: u64::try_from(body.bytes().len()).ok(),
            ..report
        };
        let proof = claim
            .confirm(body.bytes())
            .map_err(|error| measured(outsider(error)))?;
        let hook = headers.get(EVENT).map(http::HeaderValue::as_bytes);
        match Event::parse(hook, body.bytes()) {
            Ok(event) => {
                let report = Report {
                    kind: Some(event.kind()),
                    ..measured(Report::of(UNTOLD)).proven_by(&proof)
                };
                Ok((report, event))
            }
            Err(error) => Err(measured(failed(Failure::Parse(error))).proven_by(&proof)),
        }
    }

    async fn tell(&self, notice: Notice, report: Report, started: Instant) -> Report {
        let fallback = self.accept_missing_key.then(|| notice.content_id.clone());
        let key = report.delivery_id.clone().or(fallback);
        let (outcome, effort, delivery_time) = match &key {
            Some(key) => self.deliver(key.clone(), &notice, started).await,
            None => (
                Outcome::Failed(Failure::MissingKey),
                Effort::default(),
                None,
            ),
        };
        Report {
            delivery_id: key,
            project: notice.project,
            sha: notice.sha,
            delivery_time,
            effort,
            outcome,
            ..report
        }
    }

    async fn deliver(
        &self,
        key: DeliveryId,
        notice: &Notice,
        started: Instant,
    ) -> (Outcome, Effort, Option<Duration>) {
        let begun = Instant::now();
        let (outcome, effort) = match self.courier.deliver(key, notice, started).await {
            Ok((Verdict::Delivered { id, known_by }, effort)) => {
                let message_id = id;
                let delivered = Outcome::Delivered {
                    message_id,
                    known_by,
                };
                (delivered, effort)
            }
            Ok((Verdict::Refused(refusal), effort)) => {
                (Outcome::Failed(Failure::Refused(refusal)), effort)
            }
            Err(Busy) => (Outcome::Failed(Failure::Busy), Effort::default()),
        };
        (outcome, effort, Some(begun.elapsed()))
    }
}

/// GitLab sends plain JSON. A compressed body could be a thousand times its size.
fn check_content(headers: &HeaderMap) -> Result<(), Failure> {
    let value = |name| {
        headers
            .get(name)
            .and_then(|value: &http::HeaderValue| value.to_str().ok())
    };
    let media_type = value(CONTENT_TYPE)
        .and_then(|value| value.split(';').next())
        .unwrap_or_default();
    if !media_type.trim().eq_ignore_ascii_case("application/json") {
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
