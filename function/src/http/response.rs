//! Converts a report to an HTTP response. Owns the bodies: JSON for a success, RFC 9457 problem details
//! for a failure. Statuses, reasons and texts are in [`outcome`](crate::outcome).

use axum::Json;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::gitlab::commit::CommitSha;
use crate::notifier::SkipReason;
use crate::outcome::{Failure, Outcome, Report, Source};
use crate::send::{ConfirmedBy, RecipientResult};

/// The reason why nothing was sent, because a 204 has no body.
const REASON: HeaderName = HeaderName::from_static("webhook-app-reason");

#[derive(Serialize)]
struct Delivered<'a> {
    status: &'static str,
    message_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha: Option<&'a str>,
    /// An earlier delivery or attempt has stored it.
    #[serde(skip_serializing_if = "is_false")]
    found: bool,
    #[serde(skip_serializing_if = "is_false")]
    deleted: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    deliveries: Vec<DeliveryJson>,
}

/// Nothing was sent, or a broker keeps it, and each recipient has a reason.
#[derive(Serialize)]
struct Unsent {
    status: &'static str,
    reason: &'static str,
    deliveries: Vec<DeliveryJson>,
}

/// One of several recipients: the ID of the stored message, or the reason why there is none.
#[derive(Serialize)]
struct DeliveryJson {
    recipient: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_id: Option<String>,
    /// An earlier delivery or attempt has stored it.
    #[serde(skip_serializing_if = "is_false")]
    found: bool,
    /// Somebody has deleted the message, and Rocket.Chat keeps it.
    #[serde(skip_serializing_if = "is_false")]
    deleted: bool,
    /// A broker keeps the message and sends it again.
    #[serde(skip_serializing_if = "is_false")]
    handed_off: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

#[derive(Serialize)]
struct Problem {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    detail: String,
    reason: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    deliveries: Vec<DeliveryJson>,
}

/// The response carries the report in its extensions, for the telemetry layer.
impl IntoResponse for Report {
    fn into_response(self) -> Response {
        let mut response = match &self.outcome {
            Outcome::Delivered { .. }
            | Outcome::HandedOff(_)
            | Outcome::Skipped(SkipReason::Unreachable | SkipReason::RecipientRedacted)
                if self.facts.source != Source::Webhook =>
            {
                status(&self).into_response()
            }
            Outcome::Delivered {
                message_id,
                confirmed_by,
            } => Json(Delivered {
                status: "delivered",
                message_id: message_id.as_str(),
                sha: self.facts.sha.as_ref().map(CommitSha::as_str),
                found: confirmed_by.is_found(),
                deleted: *confirmed_by == ConfirmedBy::FoundDeleted,
                deliveries: several(&self),
            })
            .into_response(),
            Outcome::DeadLetter | Outcome::PutAside(_) => status(&self).into_response(),
            Outcome::HandedOff(_) => unsent(&self, "handed_off"),
            Outcome::Skipped(SkipReason::Unreachable | SkipReason::RecipientRedacted) => {
                unsent(&self, "skipped")
            }
            Outcome::Skipped(_) => {
                let reason = HeaderValue::from_static(self.outcome.reason());
                (StatusCode::NO_CONTENT, [(REASON, reason)]).into_response()
            }
            Outcome::Failed(failure) => problem(failure, &self),
        };
        response.extensions_mut().insert(self);
        response
    }
}

fn status(report: &Report) -> StatusCode {
    StatusCode::from_u16(report.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn unsent(report: &Report, word: &'static str) -> Response {
    let body = Unsent {
        status: word,
        reason: report.outcome.reason(),
        deliveries: deliveries(report),
    };
    (status(report), Json(body)).into_response()
}

/// The results of several recipients; the response to one recipient already contains its result.
fn several(report: &Report) -> Vec<DeliveryJson> {
    if report.recipients.len() + report.facts.redacted.len() < 2 {
        return Vec::new();
    }
    deliveries(report)
}

fn deliveries(report: &Report) -> Vec<DeliveryJson> {
    let recipients = report.recipients.iter().map(DeliveryJson::sent);
    let redacted = report.facts.redacted.iter();
    let redacted = redacted.map(|recipient| DeliveryJson {
        reason: Some(SkipReason::RecipientRedacted.label()),
        ..DeliveryJson::to(recipient.role.to_owned())
    });
    recipients.chain(redacted).collect()
}

impl DeliveryJson {
    fn to(recipient: String) -> Self {
        Self {
            recipient,
            message_id: None,
            found: false,
            deleted: false,
            handed_off: false,
            reason: None,
        }
    }

    fn sent(recipient: &RecipientResult) -> Self {
        let mut json = Self::to(recipient.destination.label());
        match Outcome::of(recipient) {
            Outcome::Delivered {
                message_id,
                confirmed_by,
            } => {
                json.message_id = Some(message_id.to_string());
                json.found = confirmed_by.is_found();
                json.deleted = confirmed_by == ConfirmedBy::FoundDeleted;
            }
            outcome => {
                json.handed_off = matches!(outcome, Outcome::HandedOff(_));
                json.reason = Some(outcome.reason());
            }
        }
        json
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_false(flag: &bool) -> bool {
    !flag
}

fn problem(failure: &Failure, report: &Report) -> Response {
    let status = status(report);
    let problem = Problem {
        r#type: "about:blank",
        title: status.canonical_reason().unwrap_or_default(),
        status: status.as_u16(),
        detail: failure.detail(),
        reason: failure.reason(),
        deliveries: several(report),
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
