//! One webhook from its headers to its answer. Owns the order of the steps and is the only place
//! where GitLab's side, the words and Rocket.Chat's side meet; each step is decided elsewhere.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName};
use tokio::time::Instant;

use crate::admission::Admission;
use crate::courier::Courier;
use crate::delivery::Verdict;
use crate::gitlab::event::Event;
use crate::gitlab::origin::{Guard, OriginError, Proof};
use crate::notice::{self, Notice};
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
    let (proof, event) = match function.admit(&parts.headers, body, started).await {
        Ok(admitted) => admitted,
        Err(report) => return report,
    };
    let report = match notice::compose(&event) {
        Ok(notice) => function.tell(notice, &proof, started).await,
        Err(ignored) => Report::of(Outcome::Ignored(ignored)).proven_by(&proof),
    };
    Report {
        kind: Some(event.kind()),
        ..report
    }
}

impl Function {
    /// An event that proved its origin. Its body has left memory when this returns, so that waiting
    /// for the chat server costs little.
    async fn admit(
        &self,
        headers: &HeaderMap,
        body: Body,
        started: Instant,
    ) -> Result<(Proof, Event), Report> {
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
        let proof = claim.confirm(body.bytes()).map_err(outsider)?;
        let hook = headers.get(EVENT).map(http::HeaderValue::as_bytes);
        match Event::parse(hook, body.bytes()) {
            Ok(event) => Ok((proof, event)),
            Err(error) => Err(failed(Failure::Parse(error)).proven_by(&proof)),
        }
    }

    async fn tell(&self, notice: Notice, proof: &Proof, started: Instant) -> Report {
        let fallback = self.accept_missing_key.then(|| notice.content_id.clone());
        let key = proof.delivery_id.clone().or(fallback);
        let outcome = match &key {
            Some(key) => match self.courier.deliver(key.clone(), &notice, started).await {
                Ok(Verdict::Delivered {
                    id: message_id,
                    known_by,
                }) => Outcome::Delivered {
                    message_id,
                    known_by,
                },
                Ok(Verdict::Refused(refusal)) => Outcome::Failed(Failure::Refused(refusal)),
                Err(crate::courier::Busy) => Outcome::Failed(Failure::Busy),
            },
            None => Outcome::Failed(Failure::MissingKey),
        };
        Report {
            delivery_id: key,
            project: notice.project,
            sha: notice.sha,
            ..Report::of(outcome).proven_by(proof)
        }
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
