//! Repeated headers in the events of gateways. Owns that a header which the client sent twice is repeated
//! in the request too, so that a forged second signature is rejected as by the server. What a repeated
//! header means is decided in [`verification`](crate::gitlab::verification) and
//! [`webhook`](crate::http::webhook).
//!
//! A load balancer sends only the last value of a header, unless its target group has
//! `lambda.multi_value_headers.enabled`; the values before it cannot be recovered.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use lambda_http::request::LambdaRequest;

use crate::gitlab::idempotency_key::IDEMPOTENCY_KEY;

const SIGNATURE: &str = "webhook-signature";

/// Headers that a webhook has once, and that contain no comma.
const SINGLE: [&str; 5] = [
    IDEMPOTENCY_KEY,
    "webhook-id",
    "webhook-timestamp",
    "x-gitlab-event",
    "x-gitlab-token",
];

/// Keeps repeated headers apart that the conversion to a request would lose.
pub(super) fn keep(event: &mut LambdaRequest) {
    match event {
        // Has one value per header in one list and all values in another, and the first list wins.
        LambdaRequest::ApiGatewayV1(event) => {
            remove_repeated(&mut event.headers, &event.multi_value_headers);
        }
        LambdaRequest::Alb(event) => {
            remove_repeated(&mut event.headers, &event.multi_value_headers);
        }
        // Joins the values of a header with commas.
        LambdaRequest::ApiGatewayV2(event) => repeat_joined(&mut event.headers),
        _ => {}
    }
}

fn remove_repeated(single: &mut HeaderMap, all: &HeaderMap) {
    for name in all.keys() {
        if all.get_all(name).iter().count() > 1 {
            single.remove(name);
        }
    }
}

fn repeat_joined(headers: &mut HeaderMap) {
    for name in SINGLE {
        repeat_if(headers, name, |value| value.contains(&b','));
    }
    // One value is a list of entries, separated by spaces, and an entry contains one comma: `v1,…`.
    repeat_if(headers, SIGNATURE, |value| {
        let mut entries = value.split(|byte| *byte == b' ');
        entries.any(|entry| entry.split(|byte| *byte == b',').nth(2).is_some())
    });
}

fn repeat_if(headers: &mut HeaderMap, name: &'static str, is_joined: fn(&[u8]) -> bool) {
    let joined: Option<HeaderValue> = headers
        .get(name)
        .filter(|value| is_joined(value.as_bytes()))
        .cloned();
    if let Some(value) = joined {
        headers.append(HeaderName::from_static(name), value);
    }
}
