//! Webhooks that are sent again: the test of a webhook, records whose email addresses GitLab has redacted, and
//! bodies that say when their event occurred.

use std::time::{Duration, SystemTime};

use fakes::exchange::Response;
use fakes::gitlab::{Delivery, SAMPLE_KEY};
use fakes::rocketchat::FakeRocketChat;
use serde_json::{Value, json};
use webhook_app::gitlab::event::Event;
use webhook_app::gitlab::verification::{Verified, Verifier};
use webhook_app::notifier::routing;

use crate::harness::{Function, Harness, TOKEN, assert_delivered};
use crate::routing::example;

const REDACTED: &str = "[REDACTED]";

/// Rules that find commit authors by address.
const BY_ADDRESS: &str = "users: {kim@example.org: alice}\nrules: [{to: author}]";

fn push_by(author: Value) -> Value {
    let mut body = example("push");
    body["commits"][0]["author"] = author;
    body
}

fn redacted_push() -> Value {
    push_by(json!({ "name": "Kim", "email": REDACTED }))
}

fn signed(hook: &str, body: &Value) -> Delivery {
    Delivery::new(hook, body.to_string()).signed_with(SAMPLE_KEY)
}

async fn post(function: &Function, body: &Value) -> Response {
    function.post(&signed("Push Hook", body)).await
}

async fn with_rules(users: &[&str], rules: &str) -> (FakeRocketChat, Function) {
    let chat = FakeRocketChat::builder().users(users).start().await;
    let chat = chat.expect("starts");
    let settings = [("ROCKETCHAT_RECIPIENT", ""), ("ROUTES", rules)];
    let function = Function::start(&chat, &settings);
    (chat, function)
}

async fn counted(function: &Function, series: &str) -> String {
    let metrics = function.request("GET", "/metrics").await.text();
    let mut samples = metrics.lines().filter_map(|line| line.strip_prefix(series));
    samples.next().expect("is exposed").trim().to_owned()
}

/// The log lines with this text.
fn lines(output: &[String], text: &str) -> Vec<Value> {
    let lines = output.iter().filter(|line| line.contains(text));
    lines
        .map(|line| serde_json::from_str(line).expect("is JSON"))
        .collect()
}

#[tokio::test]
async fn the_test_of_a_webhook_sends_no_message() {
    let user = [("GITLAB_RECONCILE_USER", "@Webhook-Bot")];
    let harness = Harness::with(&user).await;
    let mut test = example("push");
    test["user_username"] = json!("webhook-bot");

    let answer = post(&harness.function, &test).await;

    assert_eq!(answer.status, 204);
    assert_eq!(answer.header("webhook-app-reason"), Some("hook_test"));
    test["user_username"] = json!("robin");
    assert_delivered(&post(&harness.function, &test).await);
    let mut tag = example("tag_push");
    tag["user_username"] = json!("webhook-bot");
    let tag = signed("Tag Push Hook", &tag);
    assert_delivered(&harness.post(&tag).await);
    harness.chat.mark_all_read();
    harness.finish();
}

#[tokio::test]
async fn without_the_setting_the_same_push_is_a_message() {
    let harness = Harness::start().await;
    let mut test = example("push");
    test["user_username"] = json!("webhook-bot");

    assert_delivered(&post(&harness.function, &test).await);

    harness.chat.mark_all_read();
    harness.finish();
}

#[tokio::test]
async fn a_recipient_whose_address_is_redacted_is_reported_and_the_others_are_notified() {
    let rules = "users: {kim@example.org: alice}\nrules: [{to: [author, '@lee']}]";
    let (chat, function) = with_rules(&["alice", "lee"], rules).await;

    let answer = post(&function, &redacted_push()).await;

    assert_delivered(&answer);
    let deliveries = answer.json()["deliveries"].clone();
    assert_eq!(deliveries[0]["recipient"], "@lee", "{deliveries}");
    assert!(deliveries[0]["message_id"].is_string(), "{deliveries}");
    assert_eq!(
        deliveries[1],
        json!({ "recipient": "author", "reason": "recipient_redacted" })
    );
    assert_eq!(chat.take_message().recipient, "lee");
    let name = "webhook_recipients_redacted_total";
    assert_eq!(counted(&function, name).await, "1");
    let output = function.finish(chat.auth_token());
    let [line] = &lines(&output, "a recipient got no message")[..] else {
        panic!("{output:?}");
    };
    assert_eq!(line["level"], "warn");
    assert_eq!(line["rule"], "rule 1 (line 2)");
    assert_eq!(line["role"], "author");
    assert_eq!(line["project"], "acme/rocket");
    assert!(!line.to_string().contains("example.org"), "{line}");
    chat.finish();
}

#[tokio::test]
async fn if_nobody_is_left_the_webhook_succeeds_and_says_why() {
    let (chat, function) = with_rules(&["alice"], BY_ADDRESS).await;

    let answer = post(&function, &redacted_push()).await;

    assert_eq!(answer.status, 200, "{}", answer.text());
    let expected = json!({
        "status": "skipped",
        "reason": "recipient_redacted",
        "deliveries": [{ "recipient": "author", "reason": "recipient_redacted" }],
    });
    assert_eq!(answer.json(), expected);
    let series = "webhook_deliveries_total{outcome=\"ignored\",reason=\"recipient_redacted\"}";
    assert_eq!(counted(&function, series).await, "1");
    function.finish(chat.auth_token());
    chat.finish();
}

#[tokio::test]
async fn the_live_webhook_finds_the_recipient_by_address() {
    let (chat, function) = with_rules(&["alice"], BY_ADDRESS).await;
    let live = push_by(json!({ "name": "Kim", "email": "kim@example.org" }));

    assert_delivered(&post(&function, &live).await);

    assert_eq!(chat.take_message().recipient, "alice");
    let name = "webhook_recipients_redacted_total";
    assert_eq!(counted(&function, name).await, "0");
    function.finish(chat.auth_token());
    chat.finish();
}

/// Whom the rules notify, and which recipients are redacted.
fn routed(rules: &str, body: &Value) -> String {
    let rules = routing::parse(rules).expect("is valid");
    let body = body.to_string();
    let event = Event::parse(None, Verified::by_operator(body.as_bytes())).expect("is an event");
    let decision = rules.explain(&event);
    match decision.recipients {
        Ok(recipients) => {
            let list = recipients.list.iter().map(routing::Recipient::label);
            let redacted = recipients.redacted.iter();
            let redacted = redacted.map(|recipient| format!("{recipient:?}"));
            list.chain(redacted).collect::<Vec<_>>().join(" ")
        }
        Err(reason) => reason.label().to_owned(),
    }
}

#[test]
fn only_rules_that_need_a_redacted_address_report_it() {
    let redacted =
        |role: &str| format!("RedactedRecipient {{ rule: \"rule 1 (line 1)\", role: \"{role}\" }}");
    let users = "users: {kim@example.org: kim}";
    let push = redacted_push();
    let mut unknown_pusher = push.clone();
    for field in ["user_id", "user_username"] {
        unknown_pusher[field] = Value::Null;
    }
    let mut only_id = push.clone();
    only_id["user_username"] = Value::Null;
    for (rules, body, expected) in [
        // The pusher has a username, and a private address is `[REDACTED]` in ordinary webhooks too.
        (
            format!("rules: [{{to: pusher}}]\n{users}"),
            &push,
            "@robin".to_owned(),
        ),
        (
            format!("rules: [{{to: pusher}}]\n{users}\nothers: drop"),
            &push,
            "unmapped".to_owned(),
        ),
        (
            format!("rules: [{{to: pusher}}]\n{users}"),
            &only_id,
            "unmapped".to_owned(),
        ),
        (
            format!("rules: [{{to: pusher}}]\n{users}"),
            &unknown_pusher,
            redacted("pusher"),
        ),
        (
            format!("rules: [{{to: author}}]\n{users}"),
            &push,
            redacted("author"),
        ),
        (
            format!("rules: [{{to: [author, author]}}]\n{users}"),
            &push,
            redacted("author"),
        ),
        // Nobody is listed by address.
        (
            "rules: [{to: author}]\nusers: {kim: k}".to_owned(),
            &push,
            "unmapped".to_owned(),
        ),
        (
            format!("rules: [{{to: author}}]\n{users}\nothers: '@lead'"),
            &push,
            format!("@lead {}", redacted("author")),
        ),
        // Conditions.
        (
            "rules: [{author: kim@example.org, to: '@lead'}]".to_owned(),
            &push,
            redacted("author"),
        ),
        (
            "rules: [{author: kim@example.org, to: '@lead'}, {to: '@lee'}]".to_owned(),
            &push,
            format!("@lee {}", redacted("author")),
        ),
        (
            "rules: [{author: kim, to: '@lead'}]".to_owned(),
            &push,
            "no_rule".to_owned(),
        ),
        (
            "rules: [{event: pipeline, author: kim@example.org, to: '@lead'}]".to_owned(),
            &push,
            "no_rule".to_owned(),
        ),
        (
            "rules: [{to: '@lead', not: {author: kim@example.org}}]".to_owned(),
            &push,
            "@lead".to_owned(),
        ),
        (
            "rules: [{actor: '*@example.org', to: '@lead'}]".to_owned(),
            &push,
            "no_rule".to_owned(),
        ),
    ] {
        assert_eq!(routed(&rules, body), expected, "{rules}");
    }
}

#[test]
fn an_address_is_redacted_only_if_gitlab_says_so() {
    for (email, is_redacted) in [
        (json!(REDACTED), true),
        (json!("[redacted]"), false),
        (json!(""), false),
        (json!("kim"), false),
        (json!(7), false),
        (json!([REDACTED]), false),
        (Value::Null, false),
    ] {
        let body = push_by(json!({ "name": "Kim", "email": email }));
        let found = routed(BY_ADDRESS, &body).contains("RedactedRecipient");
        assert_eq!(found, is_redacted, "{email}");
    }
}

fn ago(age: Duration) -> String {
    humantime::format_rfc3339_seconds(SystemTime::now() - age).to_string()
}

fn occurred_at(hook: &str, time: &str) -> Value {
    let mut body = example(hook);
    body["webhook_app"] = json!({ "occurred_at": time });
    body
}

#[tokio::test]
async fn a_webhook_about_a_past_event_says_from_when_it_is() {
    let template = [("MESSAGES", "issue: 'An issue: {{ title }}'")];
    let harness = Harness::with(&template).await;
    let time = ago(Duration::from_hours(48));
    let note = format!("_late, from {} {} UTC_", &time[..10], &time[11..16]);

    for (hook, kind) in [
        ("Push Hook", "push"),
        ("Pipeline Hook", "pipeline"),
        ("Issue Hook", "issue"),
    ] {
        assert_delivered(&harness.post(&signed(hook, &occurred_at(kind, &time))).await);
        let text = harness.chat.take_message().text;
        assert!(text.ends_with(&note), "{kind}: {text}");
        assert_eq!(text.starts_with("An issue: "), kind == "issue", "{text}");
    }

    let now = occurred_at("push", &ago(Duration::ZERO));
    assert_delivered(&post(&harness.function, &now).await);
    let text = harness.chat.take_message().text;
    assert!(!text.contains("late"), "{text}");
    let output = harness.finish();
    assert_eq!(lines(&output, "occurred_at"), [Value::Null; 0]);
}

#[tokio::test]
async fn a_time_that_no_event_can_have_is_ignored_with_a_warning() {
    let harness = Harness::start().await;
    let times = [
        ("unreadable", "yesterday".to_owned()),
        ("too_old", ago(Duration::from_hours(15 * 24))),
        ("future", "2999-01-01T00:00:00Z".to_owned()),
    ];

    for (reason, time) in &times {
        assert_delivered(&post(&harness.function, &occurred_at("push", time)).await);
        let text = harness.chat.take_message().text;
        assert!(!text.contains("late"), "{reason}: {text}");
    }

    let output = harness.finish();
    let found = lines(&output, "webhook_app.occurred_at");
    let found: Vec<_> = found.iter().map(|line| &line["reason"]).collect();
    assert_eq!(found, times.map(|(reason, _)| reason));
}

#[tokio::test]
async fn only_an_authenticated_webhook_can_say_when_its_event_occurred() {
    let time = ago(Duration::from_hours(1));
    let body = occurred_at("push", &time);
    let token = [
        ("GITLAB_SIGNING_KEYS", ""),
        ("GITLAB_WEBHOOK_TOKENS", TOKEN),
    ];
    let open = [
        ("GITLAB_SIGNING_KEYS", ""),
        ("ALLOW_UNAUTHENTICATED", "true"),
    ];
    for (settings, is_late) in [(token, true), (open, false)] {
        let harness = Harness::with(&settings).await;
        let delivery = Delivery::new("Push Hook", body.to_string()).token(TOKEN);
        assert_delivered(&harness.post(&delivery).await);
        let text = harness.chat.take_message().text;
        assert_eq!(text.contains("_late, from "), is_late, "{text}");
        harness.finish();
    }
}

#[test]
fn a_body_that_says_when_its_event_occurred_is_as_strict_as_any_other() {
    let body = occurred_at("push", "2026-11-28T14:03:00Z").to_string();
    let parse = |body: &[u8]| {
        let open = Verifier::None;
        let head = open.verify_headers(&http::HeaderMap::new(), 0);
        let verified = head.expect("accepts all").verify_body(body);
        Event::parse(None, verified.expect("accepts all"))
    };
    assert!(parse(body.as_bytes()).is_ok());
    for length in 0..body.len() {
        assert!(parse(&body.as_bytes()[..length]).is_err(), "{length}");
    }
    let twice = body.replacen('{', "{\"webhook_app\":{},", 1);
    assert!(parse(twice.as_bytes()).is_err());
    let mut bytes = body.into_bytes();
    let at = bytes.windows(4).position(|part| part == b"2026");
    bytes[at.expect("is there")] = 0xff;
    assert!(parse(&bytes).is_err());
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    let huge = format!("\"{}\"", "9".repeat(1 << 20));
    for value in [deep, huge, "{\"occurred_at\":7}".to_owned()] {
        let body = format!(
            "{{\"object_kind\":\"issue\",\"webhook_app\":{value},\"object_attributes\":{{}}}}"
        );
        assert!(parse(body.as_bytes()).is_ok(), "{value:.40}");
    }
}
