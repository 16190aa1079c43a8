//! Fixed pipelines: a success that fixes a failure is sent to the recipients of that failure only, whichever
//! replica sent it.

use fakes::exchange::Response;
use fakes::gitlab::{Delivery, SAMPLE_KEY};
use fakes::rocketchat::{FakeRocketChat, Fault, Route};
use serde_json::{Value, json};
use webhook_app::limits::LIMITS;
use webhook_app::notifier::message::{self, MessageStyle};
use webhook_app::notifier::{routing, templates};

use crate::harness::{Function, Harness, assert_delivered, assert_problem};
use crate::messages::parse;
use crate::routing::{example, patch};

const RULE: &str = "rules: [{event: pipeline, status: [failed, fixed], to: '@alice'}]";

/// A pipeline that ended, for the commit `sha` that came after `before`; both are one hex digit.
fn pipeline(status: &str, sha: char, before: char) -> Delivery {
    delivery(&ended(status, sha, before))
}

fn ended(status: &str, sha: char, before: char) -> Value {
    let digits = |digit: char| digit.to_string().repeat(40);
    let mut body = example("pipeline");
    let change = json!({ "status": status, "sha": digits(sha), "before_sha": digits(before) });
    patch(&mut body["object_attributes"], &change);
    body
}

fn delivery(body: &Value) -> Delivery {
    Delivery::new("Pipeline Hook", body.to_string()).signed_with(SAMPLE_KEY)
}

/// A function with one rule, which sends failures and fixes to alice.
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
    /// Posts a webhook that sends one message, and returns its text.
    async fn deliver(&self, delivery: &Delivery) -> String {
        assert_delivered(&self.post(delivery).await);
        self.chat.take_message().text
    }
}

#[tokio::test]
async fn a_success_after_a_failure_of_the_same_commit_sends_a_fix() {
    let harness = harness().await;
    let failure = harness.deliver(&pipeline("failed", 'a', '0')).await;
    assert!(failure.contains(" failed on `main`"), "{failure}");
    let fix = harness.deliver(&pipeline("success", 'a', '0')).await;
    assert!(
        fix.contains("Pipeline 31](") && fix.contains(" passed again on `main`"),
        "{fix}"
    );
    harness.finish();
}

#[tokio::test]
async fn a_success_of_the_next_push_after_a_failure_sends_a_fix() {
    let harness = harness().await;
    harness.deliver(&pipeline("failed", 'a', '0')).await;
    let fix = harness.deliver(&pipeline("success", 'b', 'a')).await;
    assert!(fix.contains(" passed again "), "{fix}");
    // The success after that fixes nothing.
    assert_no_fix(&harness.post(&pipeline("success", 'c', 'b')).await);
    harness.finish();
}

#[tokio::test]
async fn a_success_without_an_earlier_failure_sends_nothing() {
    let harness = harness().await;
    assert_no_fix(&harness.post(&pipeline("success", 'a', '0')).await);
    assert_no_fix(&harness.post(&pipeline("success", 'b', 'a')).await);
    // Three failures, each under the id that it has and the one that it had before ids were keyed.
    assert_eq!(harness.chat.calls(Route::GetMessage), 3 * 2);
    harness.finish();
}

#[tokio::test]
async fn a_success_does_not_fix_another_ref_project_or_commit() {
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
    harness.deliver(&pipeline("failed", 'a', '0')).await;
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
async fn tags_and_merge_requests_are_fixed_by_a_retry() {
    let harness = harness().await;
    for change in [
        json!({ "object_attributes": { "ref": "v2.0.0", "tag": true } }),
        json!({ "object_attributes": { "ref": "feature" }, "merge_request": { "iid": 12 } }),
    ] {
        for (status, expected) in [("failed", " failed "), ("success", " passed again ")] {
            let mut body = ended(status, 'a', '0');
            patch(&mut body, &change);
            let text = harness.deliver(&delivery(&body)).await;
            assert!(text.contains(expected), "{text}");
        }
    }
    harness.finish();
}

#[tokio::test]
async fn a_skipped_pipeline_ends_the_chain() {
    let harness = harness().await;
    harness.deliver(&pipeline("failed", 'a', '0')).await;
    let skipped = harness.post(&pipeline("skipped", 'b', 'a')).await;
    assert_eq!(skipped.header("webhook-app-reason"), Some("no_rule"));
    assert_no_fix(&harness.post(&pipeline("success", 'c', 'b')).await);
    harness.finish();
}

#[tokio::test]
async fn repeated_failures_of_a_commit_on_one_ref_send_one_message() {
    let harness = harness().await;
    harness.deliver(&pipeline("failed", 'a', '0')).await;
    assert_delivered(&harness.post(&pipeline("failed", 'a', '0')).await);
    harness.deliver(&pipeline("failed", 'b', 'a')).await;
    harness.finish();
}

#[tokio::test]
async fn a_recipient_without_the_failure_gets_no_fix() {
    let chat = FakeRocketChat::builder()
        .users(&["alice", "robin", "kim"])
        .start()
        .await
        .expect("starts");
    let rules =
        "rules: [{event: pipeline, status: [failed, fixed], to: ['@alice', pipeline starter]}]";
    let overrides = [("ROCKETCHAT_RECIPIENT", ""), ("ROUTES", rules)];
    let function = Function::start(&chat, &overrides);
    assert_delivered(&function.post(&pipeline("failed", 'a', '0')).await);
    let mut recipients = [chat.take_message().recipient, chat.take_message().recipient];
    recipients.sort_unstable();
    assert_eq!(recipients, ["alice", "robin"]);
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
    let overrides = [("ROCKETCHAT_RECIPIENT", ""), ("ROUTES", RULE)];
    let [one, other] = [(); 2].map(|()| Function::start(&chat, &overrides));
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
async fn a_redelivered_fix_is_sent_once() {
    let harness = harness().await;
    harness.deliver(&pipeline("failed", 'a', '0')).await;
    let fix = pipeline("success", 'b', 'a').id("the-fix");
    harness.deliver(&fix).await;
    assert_delivered(&harness.post(&fix).await);
    harness.finish();
}

#[tokio::test]
async fn repeated_successes_of_a_fixed_commit_send_one_fix() {
    let harness = harness().await;
    harness.deliver(&pipeline("failed", 'a', '0')).await;
    harness
        .deliver(&pipeline("success", 'a', '0').id("retried"))
        .await;
    assert_delivered(
        &harness
            .post(&pipeline("success", 'a', '0').id("nightly"))
            .await,
    );
    harness.finish();
}

#[tokio::test]
async fn a_delivery_fails_while_the_failure_cannot_be_looked_up() {
    let harness = harness().await;
    harness.deliver(&pipeline("failed", 'a', '0')).await;
    let fix = pipeline("success", 'b', 'a').id("the-fix");
    harness
        .chat
        .inject_fault_always(Route::GetMessage, Fault::Status(503));
    let answer = harness.post(&fix).await;
    assert_problem(&answer, 503, "server_error");
    assert!(answer.header("retry-after").is_some());
    harness.chat.clear_faults();
    let text = harness.deliver(&fix).await;
    assert!(text.contains(" passed again "), "{text}");
    harness.finish();
}

#[tokio::test]
async fn the_room_is_resolved_again_because_a_stale_one_would_hide_the_failure() {
    let harness = harness().await;
    harness.deliver(&pipeline("failed", 'a', '0')).await;
    harness.deliver(&pipeline("failed", 'c', '0')).await;
    let rooms = harness.chat.calls(Route::CreateDirectMessage);
    harness.deliver(&pipeline("success", 'a', '0')).await;
    assert_eq!(harness.chat.calls(Route::CreateDirectMessage), rooms + 1);
    harness.finish();
}

#[tokio::test]
async fn a_failed_lookup_of_the_failure_is_retried() {
    let harness = harness().await;
    harness.deliver(&pipeline("failed", 'a', '0')).await;
    harness
        .chat
        .inject_fault(Route::GetMessage, Fault::Status(503));
    harness.deliver(&pipeline("success", 'b', 'a')).await;
    harness.finish();
}

#[tokio::test]
async fn a_recipient_of_every_success_gets_the_ordinary_message() {
    let rules = "rules:\n- {event: pipeline, status: [failed, fixed], to: '@alice', continue: true}\n- {event: pipeline, to: '@alice'}\n";
    let harness = Harness::with(&[("ROCKETCHAT_RECIPIENT", ""), ("ROUTES", rules)]).await;
    harness.deliver(&pipeline("failed", 'a', '0')).await;
    let text = harness.deliver(&pipeline("success", 'b', 'a')).await;
    assert!(text.contains(" passed on "), "{text}");
    // The id that the failure had before ids were keyed; the success looks up nothing.
    assert_eq!(harness.chat.calls(Route::GetMessage), 1);
    harness.finish();
}

#[tokio::test]
async fn a_template_can_distinguish_a_fix_from_other_successes() {
    let template =
        "pipeline: '{% if fixed %}{{ ref }} is green again{% else %}{{ status }}{% endif %}'";
    let overrides = [
        ("ROCKETCHAT_RECIPIENT", ""),
        ("ROUTES", RULE),
        ("MESSAGES", template),
    ];
    let harness = Harness::with(&overrides).await;
    assert_eq!(
        harness.deliver(&pipeline("failed", 'a', '0')).await,
        "failed"
    );
    let fix = harness.deliver(&pipeline("success", 'b', 'a')).await;
    assert_eq!(fix, "`main` is green again");
    harness.finish();
}

#[test]
fn a_template_is_also_checked_with_a_fix() {
    let text = "pipeline: '{% if fixed %}{{ kind.nothing }}{% endif %}'";
    let errors = templates::parse(text).expect_err("fails on a fix");
    assert!(
        errors.join("\n").starts_with("line 1: pipeline: "),
        "{errors:?}"
    );
    assert!(templates::parse("push: '{{ fixed }}'").is_ok());
}

#[test]
fn a_rule_that_cannot_match_fixes_is_an_error_with_its_line() {
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
        let errors = routing::parse(&text).expect_err(rule);
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(errors[0].starts_with(expected), "{errors:?}");
    }
}

#[test]
fn the_longest_fix_is_within_the_message_limit() {
    let mut body = ended("success", 'a', '0');
    let long = "ä".repeat(4000);
    body["object_attributes"]["ref"] = json!(long);
    body["project"]["path_with_namespace"] = json!(long);
    body["commit"]["message"] = json!(long);
    body["user"]["name"] = json!(long);
    let body = body.to_string();
    let event = parse(None, body.as_bytes()).expect("is an event");
    let fix = message::render_fix(&event, MessageStyle::Signs);
    let text = fix.expect("has a message").text();
    assert!(text.encode_utf16().count() <= LIMITS.texts.message);
}
