//! Failures and their fixes: a success is told to those who were told of the failure that it makes
//! good, whichever replica told it, and to nobody else.

use fakes::exchange::Response;
use fakes::gitlab::{Delivery, SAMPLE_KEY};
use fakes::rocketchat::{FakeRocketChat, Fault, Route};
use serde_json::{Value, json};
use webhook_app::limits::LIMITS;
use webhook_app::notifier::message;
use webhook_app::notifier::{routing, templates};

use crate::harness::{Function, Harness, assert_delivered, assert_problem};
use crate::messages::parse;
use crate::routing::{patch, sample};

const RULE: &str = "rules: [{event: pipeline, status: [failed, fixed], to: '@alice'}]";

/// A pipeline that ended, for the commit `sha` that came after `before`; both are one hex digit.
fn pipeline(status: &str, sha: char, before: char) -> Delivery {
    delivery(&ended(status, sha, before))
}

fn ended(status: &str, sha: char, before: char) -> Value {
    let digits = |digit: char| digit.to_string().repeat(40);
    let mut body = sample("pipeline");
    let change = json!({ "status": status, "sha": digits(sha), "before_sha": digits(before) });
    patch(&mut body["object_attributes"], &change);
    body
}

fn delivery(body: &Value) -> Delivery {
    Delivery::new("Pipeline Hook", body.to_string()).signed_with(SAMPLE_KEY)
}

/// A function whose one rule tells alice of failures and fixes.
async fn harness() -> Harness {
    Harness::with(&[("ROCKETCHAT_RECIPIENT", ""), ("ROUTES", RULE)]).await
}

#[track_caller]
fn assert_no_fix(answer: &Response) {
    let reason = answer.header("webhook-app-reason");
    assert_eq!(
        (answer.status, reason),
        (204, Some("not_a_fix")),
        "{}",
        answer.text()
    );
}

impl Harness {
    /// Posts what is told, and returns the message.
    async fn hear(&self, delivery: &Delivery) -> String {
        assert_delivered(&self.post(delivery).await);
        self.chat.take_message().text
    }
}

#[tokio::test]
async fn a_success_after_a_failure_of_the_same_commit_is_told() {
    let harness = harness().await;
    let failure = harness.hear(&pipeline("failed", 'a', '0')).await;
    assert!(failure.contains(" failed on branch `main`"), "{failure}");
    let fix = harness.hear(&pipeline("success", 'a', '0')).await;
    assert!(
        fix.contains("Pipeline 31](") && fix.contains(" passed again on branch `main`"),
        "{fix}"
    );
    harness.finish();
}

#[tokio::test]
async fn a_success_of_the_push_after_a_failure_is_told() {
    let harness = harness().await;
    harness.hear(&pipeline("failed", 'a', '0')).await;
    let fix = harness.hear(&pipeline("success", 'b', 'a')).await;
    assert!(fix.contains(" passed again "), "{fix}");
    // The next one repairs nothing.
    assert_no_fix(&harness.post(&pipeline("success", 'c', 'b')).await);
    harness.finish();
}

#[tokio::test]
async fn a_success_without_a_failure_before_it_is_told_to_nobody() {
    let harness = harness().await;
    assert_no_fix(&harness.post(&pipeline("success", 'a', '0')).await);
    assert_no_fix(&harness.post(&pipeline("success", 'b', 'a')).await);
    assert_eq!(harness.chat.calls(Route::GetMessage), 3);
    harness.finish();
}

#[tokio::test]
async fn failures_of_another_ref_project_or_commit_are_not_fixed() {
    let others = [
        json!({ "object_attributes": { "ref": "release-2" } }),
        json!({ "project": { "id": 43 } }),
        json!({ "project": { "web_url": "https://gitlab.example.com/acme/rocket" } }),
        json!({ "merge_request": { "iid": 12 } }),
        json!({ "object_attributes": { "before_sha": "c".repeat(40) } }),
        json!({ "object_attributes": { "source": "parent_pipeline" } }),
        json!({ "object_attributes": { "sha": null } }),
        json!({ "project": { "id": null } }),
    ];
    let harness = harness().await;
    harness.hear(&pipeline("failed", 'a', '0')).await;
    for change in others {
        let mut body = ended("success", 'b', 'a');
        patch(&mut body, &change);
        let answer = harness.post(&delivery(&body)).await;
        assert_eq!(
            answer.header("webhook-app-reason"),
            Some("not_a_fix"),
            "{change}"
        );
    }
    harness.finish();
}

#[tokio::test]
async fn tags_and_merge_requests_are_fixed_when_they_are_tried_again() {
    let harness = harness().await;
    for change in [
        json!({ "object_attributes": { "ref": "v2.0.0", "tag": true } }),
        json!({ "object_attributes": { "ref": "feature" }, "merge_request": { "iid": 12 } }),
    ] {
        for (status, expected) in [("failed", " failed "), ("success", " passed again ")] {
            let mut body = ended(status, 'a', '0');
            patch(&mut body, &change);
            let text = harness.hear(&delivery(&body)).await;
            assert!(text.contains(expected), "{text}");
        }
    }
    harness.finish();
}

#[tokio::test]
async fn a_commit_that_was_skipped_ends_the_chain() {
    let harness = harness().await;
    harness.hear(&pipeline("failed", 'a', '0')).await;
    let skipped = harness.post(&pipeline("skipped", 'b', 'a')).await;
    assert_eq!(skipped.header("webhook-app-reason"), Some("no_rule"));
    assert_no_fix(&harness.post(&pipeline("success", 'c', 'b')).await);
    harness.finish();
}

#[tokio::test]
async fn failures_of_one_commit_on_one_ref_are_one_message() {
    let harness = harness().await;
    harness.hear(&pipeline("failed", 'a', '0')).await;
    assert_delivered(&harness.post(&pipeline("failed", 'a', '0')).await);
    harness.hear(&pipeline("failed", 'b', 'a')).await;
    harness.finish();
}

#[tokio::test]
async fn who_was_not_told_of_the_failure_is_not_told_of_the_fix() {
    let chat = FakeRocketChat::builder()
        .users(&["alice", "robin", "kim"])
        .start()
        .await
        .expect("starts");
    let rules =
        "rules: [{event: pipeline, status: [failed, fixed], to: ['@alice', pipeline starter]}]";
    let own = [("ROCKETCHAT_RECIPIENT", ""), ("ROUTES", rules)];
    let function = Function::start(&chat, &own);
    assert_delivered(&function.post(&pipeline("failed", 'a', '0')).await);
    let mut told = [chat.take_message().recipient, chat.take_message().recipient];
    told.sort_unstable();
    assert_eq!(told, ["alice", "robin"]);
    let mut by_kim = ended("success", 'b', 'a');
    by_kim["user"]["username"] = json!("kim");
    let answer = function.post(&delivery(&by_kim)).await;
    assert_delivered(&answer);
    let message = chat.take_message();
    assert_eq!(message.recipient, "alice");
    assert_eq!(
        answer.json()["deliveries"],
        json!([
            { "recipient": "@alice", "message_id": message.id },
            { "recipient": "@kim", "reason": "not_a_fix" },
        ])
    );
    function.finish(chat.auth_token());
    chat.finish();
}

#[tokio::test]
async fn another_replica_finds_the_failure() {
    let chat = FakeRocketChat::start().await;
    let own = [("ROCKETCHAT_RECIPIENT", ""), ("ROUTES", RULE)];
    let [one, other] = [(); 2].map(|()| Function::start(&chat, &own));
    assert_delivered(&one.post(&pipeline("failed", 'a', '0')).await);
    chat.take_message();
    assert_delivered(&other.post(&pipeline("success", 'b', 'a')).await);
    assert!(chat.take_message().text.contains(" passed again "));
    for replica in [one, other] {
        replica.finish(chat.auth_token());
    }
    chat.finish();
}

#[tokio::test]
async fn a_fix_that_is_delivered_again_is_told_once() {
    let harness = harness().await;
    harness.hear(&pipeline("failed", 'a', '0')).await;
    let fix = pipeline("success", 'b', 'a').id("the-fix");
    harness.hear(&fix).await;
    assert_delivered(&harness.post(&fix).await);
    harness.finish();
}

#[tokio::test]
async fn a_commit_that_stays_green_is_told_once() {
    let harness = harness().await;
    harness.hear(&pipeline("failed", 'a', '0')).await;
    harness
        .hear(&pipeline("success", 'a', '0').id("retried"))
        .await;
    assert_delivered(
        &harness
            .post(&pipeline("success", 'a', '0').id("nightly"))
            .await,
    );
    harness.finish();
}

#[tokio::test]
async fn a_failure_that_cannot_be_looked_for_fails_the_delivery_until_it_can() {
    let harness = harness().await;
    harness.hear(&pipeline("failed", 'a', '0')).await;
    let fix = pipeline("success", 'b', 'a').id("the-fix");
    harness
        .chat
        .inject_fault_always(Route::GetMessage, Fault::Status(503));
    let answer = harness.post(&fix).await;
    assert_problem(&answer, 503, "server_error");
    assert!(answer.header("retry-after").is_some());
    harness.chat.clear_faults();
    let text = harness.hear(&fix).await;
    assert!(text.contains(" passed again "), "{text}");
    harness.finish();
}

#[tokio::test]
async fn the_room_is_asked_for_again_since_an_old_one_would_hide_the_failure() {
    let harness = harness().await;
    harness.hear(&pipeline("failed", 'a', '0')).await;
    harness.hear(&pipeline("failed", 'c', '0')).await;
    let rooms = harness.chat.calls(Route::CreateDirectMessage);
    harness.hear(&pipeline("success", 'a', '0')).await;
    assert_eq!(harness.chat.calls(Route::CreateDirectMessage), rooms + 1);
    harness.finish();
}

#[tokio::test]
async fn a_look_for_the_failure_that_fails_once_is_made_again() {
    let harness = harness().await;
    harness.hear(&pipeline("failed", 'a', '0')).await;
    harness
        .chat
        .inject_fault(Route::GetMessage, Fault::Status(503));
    harness.hear(&pipeline("success", 'b', 'a')).await;
    harness.finish();
}

#[tokio::test]
async fn who_hears_of_every_success_hears_of_it_as_of_any_other() {
    let rules = "rules:\n- {event: pipeline, status: [failed, fixed], to: '@alice', continue: true}\n- {event: pipeline, to: '@alice'}\n";
    let harness = Harness::with(&[("ROCKETCHAT_RECIPIENT", ""), ("ROUTES", rules)]).await;
    harness.hear(&pipeline("failed", 'a', '0')).await;
    let text = harness.hear(&pipeline("success", 'b', 'a')).await;
    assert!(text.contains(" passed on "), "{text}");
    assert_eq!(harness.chat.calls(Route::GetMessage), 0);
    harness.finish();
}

#[tokio::test]
async fn a_template_can_tell_a_fix_from_other_successes() {
    let words =
        "pipeline: '{% if fixed %}{{ ref }} is green again{% else %}{{ status }}{% endif %}'";
    let own = [
        ("ROCKETCHAT_RECIPIENT", ""),
        ("ROUTES", RULE),
        ("MESSAGES", words),
    ];
    let harness = Harness::with(&own).await;
    assert_eq!(harness.hear(&pipeline("failed", 'a', '0')).await, "failed");
    let fix = harness.hear(&pipeline("success", 'b', 'a')).await;
    assert_eq!(fix, "`main` is green again");
    harness.finish();
}

#[test]
fn a_template_is_tried_with_a_fix_too() {
    let text = "pipeline: '{% if fixed %}{{ kind.nothing }}{% endif %}'";
    let mistakes = templates::parse(text).expect_err("fails on a fix");
    assert!(
        mistakes.join("\n").starts_with("line 1: pipeline: "),
        "{mistakes:?}"
    );
    assert!(templates::parse("push: '{{ fixed }}'").is_ok());
}

#[test]
fn a_rule_that_cannot_tell_fixes_says_why_at_its_line() {
    for (rule, expected) in [
        (
            "status: [failed, fixed]",
            "line 3: `fixed` matches pipelines only",
        ),
        (
            "event: [pipeline, job]\n  status: [failed, fixed]",
            "line 4: `fixed` matches pipelines only",
        ),
        (
            "event: job\n  status:\n  - failed\n  - fixed",
            "line 6: `fixed` matches pipelines only",
        ),
        (
            "event: pipeline\n  status: fixed",
            "line 4: `fixed` needs the notification of the failure",
        ),
        (
            "event: pipeline\n  status: [failed, success, fixed]",
            "line 4: `success` matches every success",
        ),
    ] {
        let text = format!("rules:\n- to: '@alice'\n  {rule}\n");
        let mistakes = routing::parse(&text).expect_err(rule);
        assert_eq!(mistakes.len(), 1, "{mistakes:?}");
        assert!(mistakes[0].starts_with(expected), "{mistakes:?}");
    }
}

#[test]
fn the_longest_fix_still_fits() {
    let mut body = ended("success", 'a', '0');
    let long = "ä".repeat(4000);
    body["object_attributes"]["ref"] = json!(long);
    body["project"]["path_with_namespace"] = json!(long);
    body["commit"]["message"] = json!(long);
    body["user"]["name"] = json!(long);
    let body = body.to_string();
    let event = parse(None, body.as_bytes()).expect("is an event");
    let text = message::render_fix(&event).expect("has a message");
    assert!(text.encode_utf16().count() <= LIMITS.texts.message);
}
