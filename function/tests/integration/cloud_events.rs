//! Webhooks as CloudEvents: accepted only where that is configured, answered without a body, and identified by
//! the envelope.

use fakes::exchange::{Response, exchange};
use serde_json::json;

use crate::harness::{Harness, assert_problem};

const ENABLED: &[(&str, &str)] = &[("ACCEPT_CLOUDEVENTS", "true")];

async fn post(harness: &Harness, path: &str, headers: &[(&str, &str)], body: &str) -> Response {
    let headers: Vec<(String, Vec<u8>)> = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
        .collect();
    exchange(
        "POST",
        &harness.function.url(path),
        &headers,
        body.as_bytes(),
    )
    .await
    .expect("is answered")
}

fn binary<'a>(id: &'a str, kind: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("content-type", "application/json"),
        ("ce-specversion", "1.0"),
        ("ce-id", id),
        ("ce-source", "https://gitlab.example.org/acme/rocket"),
        ("ce-type", kind),
        ("comgitlabevent", "Push Hook"),
    ]
}

fn push() -> String {
    crate::routing::example("push").to_string()
}

#[tokio::test]
async fn both_content_modes_are_delivered_once_and_answered_without_a_body() {
    let harness = Harness::with(ENABLED).await;
    let headers = binary("1", "dev.knative.sources.gitlab.push");
    let body = push();
    let first = post(&harness, "/", &headers, &body).await;
    assert_eq!((first.status, first.body.as_slice()), (200, &b""[..]));
    harness.chat.take_message();
    let envelope = json!({
        "specversion": "1.0",
        "id": "1",
        "source": "https://gitlab.example.org/acme/rocket",
        "type": "dev.knative.sources.gitlab.push",
        "data": crate::routing::example("push"),
    });
    let structured = [("content-type", "application/cloudevents+json")];
    // The broker redelivers the event in the other content mode, which sends no second message.
    let again = post(&harness, "/", &structured, &envelope.to_string()).await;
    assert_eq!((again.status, again.body.as_slice()), (200, &b""[..]));
    let other = post(
        &harness,
        "/",
        &binary("2", "dev.knative.sources.gitlab.job"),
        &crate::routing::example("job").to_string(),
    )
    .await;
    assert_eq!(other.status, 200, "{}", other.text());
    harness.chat.take_message();
    harness.finish();
}

#[tokio::test]
async fn an_unsupported_event_is_answered_with_204() {
    let harness = Harness::with(ENABLED).await;
    let headers = binary("1", "dev.knative.sources.gitlab.system");
    let answer = post(&harness, "/", &headers, r#"{"object_kind":"unheard_of"}"#).await;
    assert_eq!((answer.status, answer.body.as_slice()), (204, &b""[..]));
    harness.finish();
}

#[tokio::test]
async fn cloud_events_are_rejected_unless_enabled() {
    let harness = Harness::start().await;
    let headers = binary("1", "dev.knative.sources.gitlab.push");
    assert_problem(
        &post(&harness, "/", &headers, &push()).await,
        401,
        "missing_signature",
    );
    harness.finish();
}

#[tokio::test]
async fn webhooks_are_still_verified_when_cloud_events_are_enabled() {
    let harness = Harness::with(ENABLED).await;
    let headers = binary("1", "dev.knative.sources.gitlab.push");
    assert_problem(
        &post(&harness, "/webhook", &headers, &push()).await,
        401,
        "missing_signature",
    );
    let plain = [("content-type", "application/json")];
    assert_problem(
        &post(&harness, "/", &plain, &push()).await,
        401,
        "missing_signature",
    );
    harness.finish();
}

#[tokio::test]
async fn an_incomplete_envelope_is_rejected() {
    let harness = Harness::with(ENABLED).await;
    let headers = [
        ("content-type", "application/json"),
        ("ce-specversion", "1.0"),
    ];
    assert_problem(
        &post(&harness, "/", &headers, &push()).await,
        400,
        "unexpected_body",
    );
    let headers = [
        ("content-type", "application/json"),
        ("ce-specversion", "0.3"),
        ("ce-id", "1"),
        ("ce-source", "s"),
    ];
    assert_problem(
        &post(&harness, "/", &headers, &push()).await,
        400,
        "unexpected_body",
    );
    harness.finish();
}
