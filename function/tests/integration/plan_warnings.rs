//! Decisions that change who gets what although the webhook succeeds: recipients beyond the limit, a text
//! whose end is not read for mentions, and a template that fails on an event. All are logged and counted.

use fakes::gitlab::{Delivery, SAMPLE_KEY};
use fakes::rocketchat::FakeRocketChat;
use serde_json::{Value, json};
use webhook_app::limits::LIMITS;

use crate::harness::{Function, TOKEN, assert_delivered, assert_problem, push};
use crate::routing::example;

/// Succeeds on the example, which has one reviewer, and takes too many steps with 90.
const TEMPLATE: &str = "merge_request: '{% for a in reviewers %}{% for b in reviewers %}{% for c in reviewers %}{{ a }}{% endfor %}{% endfor %}{% endfor %}'";

fn merge_request_with_90_reviewers() -> Delivery {
    let mut body = example("merge_request");
    let reviewer = body["reviewers"][0].clone();
    body["reviewers"] = json!(vec![reviewer; 90]);
    Delivery::new("Merge Request Hook", body.to_string())
}

/// The one log line with this text.
fn warning(lines: &[String], text: &str) -> Value {
    let lines = lines.iter().filter(|line| line.contains(text));
    let lines: Vec<Value> = lines
        .map(|line| serde_json::from_str(line).expect("is JSON"))
        .collect();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(lines[0]["level"], "warn");
    lines[0].clone()
}

async fn counter(function: &Function, name: &str) -> String {
    let metrics = function.request("GET", "/metrics").await.text();
    let mut samples = metrics.lines().filter_map(|line| line.strip_prefix(name));
    samples.next().expect("is exposed").trim().to_owned()
}

#[tokio::test]
async fn recipients_beyond_the_limit_are_logged_and_counted() {
    let names: Vec<_> = (0..LIMITS.routing.max_recipients + 3)
        .map(|number| format!("user{number}"))
        .collect();
    let users: Vec<_> = names.iter().map(String::as_str).collect();
    let chat = FakeRocketChat::builder().users(&users).start().await;
    let chat = chat.expect("starts");
    let list: Vec<_> = names.iter().map(|name| format!("'@{name}'")).collect();
    let rules = format!("rules: [{{to: [{}]}}]", list.join(", "));
    let settings = [("ROCKETCHAT_RECIPIENT", ""), ("ROUTES", rules.as_str())];
    let function = Function::start(&chat, &settings);
    let name = "webhook_recipients_truncated_total";
    assert_eq!(counter(&function, name).await, "0");

    assert_delivered(&function.post(&push()).await);

    assert_eq!(chat.messages().len(), LIMITS.routing.max_recipients);
    chat.mark_all_read();
    assert_eq!(counter(&function, name).await, "3");
    let line = warning(
        &function.finish(chat.auth_token()),
        "recipients were not notified",
    );
    assert_eq!(line["left_out"], 3);
    assert_eq!(line["limit"], LIMITS.routing.max_recipients);
    chat.finish();
}

#[tokio::test]
async fn a_text_whose_end_is_not_read_for_mentions_is_logged_and_counted() {
    let chat = FakeRocketChat::builder().users(&["lee"]).start().await;
    let chat = chat.expect("starts");
    let rules = "rules: [{to: mentioned}]";
    let settings = [("ROCKETCHAT_RECIPIENT", ""), ("ROUTES", rules)];
    let function = Function::start(&chat, &settings);
    let mut body = example("note");
    let rest = "x ".repeat(LIMITS.events.max_json_string_bytes);
    body["object_attributes"]["note"] = json!(format!("@lee {rest} @ada"));
    let delivery = Delivery::new("Note Hook", body.to_string()).signed_with(SAMPLE_KEY);

    assert_delivered(&function.post(&delivery).await);

    chat.mark_all_read();
    let name = "webhook_recipients_truncated_total";
    assert_eq!(counter(&function, name).await, "1");
    let line = warning(
        &function.finish(chat.auth_token()),
        "the end of the text was not read",
    );
    assert_eq!(line["kind"], "note");
    chat.finish();
}

#[tokio::test]
async fn a_template_that_fails_on_an_event_is_logged_and_counted() {
    let chat = FakeRocketChat::start().await;
    let function = Function::start(&chat, &[("MESSAGES", TEMPLATE)]);
    let delivery = merge_request_with_90_reviewers().signed_with(SAMPLE_KEY);
    let name = "webhook_template_failures_total";
    assert_eq!(counter(&function, name).await, "0");

    assert_delivered(&function.post(&delivery).await);

    let message = chat.take_message();
    assert!(
        message.text.starts_with("🔀 [Merge request 12]("),
        "{}",
        message.text
    );
    assert_eq!(counter(&function, name).await, "1");
    let line = warning(
        &function.finish(chat.auth_token()),
        "a template in MESSAGES failed",
    );
    assert_eq!(line["kind"], "merge_request");
    chat.finish();
}

#[tokio::test]
async fn a_rejected_webhook_has_no_warnings() {
    let chat = FakeRocketChat::start().await;
    let settings = [
        ("GITLAB_SIGNING_KEYS", ""),
        ("GITLAB_WEBHOOK_TOKENS", TOKEN),
        ("MESSAGES", TEMPLATE),
    ];
    let function = Function::start(&chat, &settings);
    let delivery = merge_request_with_90_reviewers().token(TOKEN);
    let keyless = delivery.without("Idempotency-Key").without("webhook-id");

    assert_problem(&function.post(&keyless).await, 400, "missing_key");

    let name = "webhook_template_failures_total";
    assert_eq!(counter(&function, name).await, "0");
    let log = function.finish(chat.auth_token());
    let warned = log.iter().any(|line| line.contains("template in MESSAGES"));
    assert!(!warned, "{log:#?}");
    chat.finish();
}
