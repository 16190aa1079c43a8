//! A report as an HTTP response. Owns the bodies: JSON for a success, RFC 9457 problem details for
//! a failure. Which status and which words is [`outcome`](crate::outcome)'s decision.

use axum::Json;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::outcome::{Failure, Outcome, RecipientResult, Report, Source};
use crate::rocketchat::MessageId;

/// Says why nothing was sent, for a 204 has no body.
const REASON: HeaderName = HeaderName::from_static("webhook-app-reason");

#[derive(Serialize)]
struct Delivered<'a> {
    status: &'static str,
    message_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    deliveries: Vec<TheirShare<'a>>,
}

/// One of several recipients: either the message is stored, or there is a reason why it is not.
#[derive(Serialize)]
struct TheirShare<'a> {
    recipient: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

#[derive(Serialize)]
struct Problem<'a> {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    detail: String,
    reason: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    deliveries: Vec<TheirShare<'a>>,
}

/// The report travels in the response's extensions to whoever observes requests.
impl IntoResponse for Report {
    fn into_response(self) -> Response {
        let mut response = match &self.outcome {
            Outcome::Delivered { .. } if self.source == Source::CloudEvent => {
                StatusCode::OK.into_response()
            }
            Outcome::Delivered { message_id, .. } => {
                let sha = self
                    .sha
                    .as_ref()
                    .map(crate::gitlab::commit::CommitSha::as_str);
                Json(Delivered {
                    status: "delivered",
                    message_id: message_id.as_str(),
                    sha,
                    deliveries: recipients(&self.deliveries),
                })
                .into_response()
            }
            Outcome::SkipReason(_) => {
                let reason = HeaderValue::from_static(self.outcome.reason());
                (StatusCode::NO_CONTENT, [(REASON, reason)]).into_response()
            }
            Outcome::Failed(failure) => problem(failure, &self.deliveries),
        };
        response.extensions_mut().insert(self);
        response
    }
}

fn recipients(deliveries: &[RecipientResult]) -> Vec<TheirShare<'_>> {
    deliveries
        .iter()
        .map(|told| TheirShare {
            recipient: &told.recipient,
            message_id: told.result.as_ref().ok().map(MessageId::as_str),
            reason: told.result.as_ref().err().copied(),
        })
        .collect()
}

fn problem(failure: &Failure, deliveries: &[RecipientResult]) -> Response {
    let status =
        StatusCode::from_u16(failure.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let problem = Problem {
        r#type: "about:blank",
        title: status.canonical_reason().unwrap_or_default(),
        status: status.as_u16(),
        detail: failure.detail(),
        reason: failure.reason(),
        deliveries: recipients(deliveries),
    };
    let mut response = (status, Json(problem)).into_response();
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    if let Some(seconds) = failure.retry_after() {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}
