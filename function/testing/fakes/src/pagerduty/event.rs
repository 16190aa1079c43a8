//! What PagerDuty's Events API v2 requires of an event, by its documentation
//! (<https://developer.pagerduty.com/docs/send-alert-event>), and what Alertmanager's webhooks have. Stricter than the real
//! one about unknown fields, which are mistakes of the configuration.

use serde_json::{Map, Value};

const EVENT: &[&str] = &[
    "routing_key",
    "event_action",
    "dedup_key",
    "payload",
    "images",
    "links",
    "client",
    "client_url",
];
const PAYLOAD: &[&str] = &[
    "summary",
    "source",
    "severity",
    "timestamp",
    "component",
    "group",
    "class",
    "custom_details",
];
const ACTIONS: &[&str] = &["trigger", "acknowledge", "resolve"];
const SEVERITIES: &[&str] = &["critical", "error", "warning", "info"];
const MAX_BYTES: usize = 512 * 1024;
const MAX_SUMMARY: usize = 1024;
const MAX_DEDUP_KEY: usize = 255;

/// The event, or everything that is wrong with it.
pub(super) fn check_event(body: &[u8], routing_key: &str) -> Result<Value, Vec<String>> {
    let event = object(body)?;
    let mut errors = unknown(&event, EVENT, "");
    if body.len() > MAX_BYTES {
        errors.push(format!("the event has {} bytes", body.len()));
    }
    // Without showing the key that was found.
    if event.get("routing_key").and_then(Value::as_str) != Some(routing_key) {
        errors.push("Invalid routing key".to_owned());
    }
    let action = one_of(&event, "event_action", ACTIONS, &mut errors);
    let key = event.get("dedup_key").and_then(Value::as_str);
    if key.is_some_and(|key| key.chars().count() > MAX_DEDUP_KEY) {
        errors.push("'dedup_key' is too long (maximum is 255 characters)".to_owned());
    }
    if key.is_none_or(str::is_empty) && action != "trigger" {
        errors.push("'dedup_key' is missing or blank".to_owned());
    }
    match event.get("payload").and_then(Value::as_object) {
        Some(payload) => check_payload(payload, &mut errors),
        None if action == "trigger" => errors.push("'payload' is missing or blank".to_owned()),
        None => {}
    }
    check_links(&event, &mut errors);
    if errors.is_empty() {
        Ok(Value::Object(event))
    } else {
        Err(errors)
    }
}

/// Checks a webhook of Alertmanager, version 4.
pub(super) fn check_heartbeat(body: &[u8]) -> Result<(), Vec<String>> {
    let webhook = object(body)?;
    let is_firing = webhook.get("status").and_then(Value::as_str) == Some("firing");
    let is_known = webhook.get("version").and_then(Value::as_str) == Some("4");
    if is_firing && is_known {
        return Ok(());
    }
    Err(vec![
        "expected a firing webhook of version 4 as heartbeat".to_owned(),
    ])
}

fn object(body: &[u8]) -> Result<Map<String, Value>, Vec<String>> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(object)) => Ok(object),
        _ => Err(vec!["expected a JSON object".to_owned()]),
    }
}

fn check_payload(payload: &Map<String, Value>, errors: &mut Vec<String>) {
    errors.extend(unknown(payload, PAYLOAD, "payload."));
    let mut text = |name: &str| {
        let found = payload.get(name).and_then(Value::as_str).unwrap_or("");
        if found.is_empty() {
            errors.push(format!("'payload.{name}' is missing or blank"));
        }
        found.chars().count()
    };
    text("source");
    if text("summary") > MAX_SUMMARY {
        errors.push("'payload.summary' is too long (maximum is 1024 characters)".to_owned());
    }
    one_of(payload, "severity", SEVERITIES, errors);
}

fn check_links(event: &Map<String, Value>, errors: &mut Vec<String>) {
    for (list, required) in [("links", "href"), ("images", "src")] {
        let entries = event.get(list).and_then(Value::as_array);
        for entry in entries.into_iter().flatten() {
            let address = entry[required].as_str().unwrap_or("");
            if !address.starts_with("https://") && !address.starts_with("http://") {
                errors.push(format!("'{list}.{required}' is no address"));
            }
        }
    }
}

/// The value of a field that has only these; empty if it is another one.
fn one_of<'a>(
    object: &'a Map<String, Value>,
    name: &str,
    allowed: &[&str],
    errors: &mut Vec<String>,
) -> &'a str {
    let found = object.get(name).and_then(Value::as_str).unwrap_or("");
    if allowed.contains(&found) {
        return found;
    }
    errors.push(format!(
        "'{name}' is {found:?}, expected one of {allowed:?}"
    ));
    ""
}

fn unknown(object: &Map<String, Value>, known: &[&str], place: &str) -> Vec<String> {
    let names = object.keys().filter(|name| !known.contains(&name.as_str()));
    names
        .map(|name| format!("'{place}{name}' is not a field"))
        .collect()
}
