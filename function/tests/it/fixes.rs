//! Failures and their fixes: a success is told to those who were told of the failure that it makes
//! good, whichever replica told it, and to nobody else.

use serde_json::{Value, json};
use standins::exchange::Answer;
use standins::gitlab::{Delivery, SAMPLE_KEY};
use standins::rocketchat::{Fault, RocketChat, Route};
use webhook_app::notice::MAX_UNITS;
use webhook_app::routes::file;
use webhook_app::words::messages;

use crate::routes::{patch, sample};
use crate::world::{Function, World, assert_delivered, assert_problem};

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
async fn world() -> World {
    World::with(&[("ROCKETCHAT_RECIPIENT", ""), ("ROUTES", RULE)]).await
}

#[track_caller]
fn assert_no_fix(answer: &Answer) {
    let reason = answer.header("webhook-app-reason");
    assert_eq!(
        (answer.status, reason),
        (204, Some("not_a_fix")),
        "{}",
        answer.text()
    );
}

impl World {
    /// Posts what is told, and returns the message.
    async fn hear(&self, delivery: &Delivery) -> String {
        assert_delivered(&self.post(delivery).await);
        self.chat.take_message().text
    }
}

#[tokio::test]
async fn a_success_after_a_failure_of_the_same_commit_is_told() {
    let world = world().await;
    let failure = world.hear(&pipeline("failed", 'a', '0')).await;
    assert!(failure.contains(" failed on branch `main`"), "{failure}");
    let fix = world.hear(&pipeline("success", 'a', '0')).await;
    assert!(
        fix.contains("Pipeline 31](") && fix.contains(" passed again on branch `main`"),
        "{fix}"
    );
    world.finish();
}

#[tokio::test]
async fn a_success_of_the_push_after_a_failure_is_told() {
    let world = world().await;
    world.hear(&pipeline("failed", 'a', '0')).await;
    let fix = world.hear(&pipeline("success", 'b', 'a')).await;
    assert!(fix.contains(" passed again "), "{fix}");
    // The next one repairs nothing.
    assert_no_fix(&world.post(&pipeline("success", 'c', 'b')).await);
    world.finish();
}

#[tokio::test]
async fn a_success_without_a_failure_before_it_is_told_to_nobody() {
    let world = world().await;
    assert_no_fix(&world.post(&pipeline("success", 'a', '0')).await);
    assert_no_fix(&world.post(&pipeline("success", 'b', 'a')).await);
    assert_eq!(world.chat.calls(Route::GetMessage), 3);
    world.finish();
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
    let world = world().await;
    world.hear(&pipeline("failed", 'a', '0')).await;
    for change in others {
        let mut body = ended("success", 'b', 'a');
        patch(&mut body, &change);
        let answer = world.post(&delivery(&body)).await;
        assert_eq!(
            answer.header("webhook-app-reason"),
            Some("not_a_fix"),
            "{change}"
        );
    }
    world.finish();
}

#[tokio::test]
async fn tags_and_merge_requests_are_fixed_when_they_are_tried_again() {
    let world = world().await;
    for change in [
        json!({ "object_attributes": { "ref": "v2.0.0", "tag": true } }),
        json!({ "object_attributes": { "ref": "feature" }, "merge_request": { "iid": 12 } }),
    ] {
        for (status, expected) in [("failed", " failed "), ("success", " passed again ")] {
            let mut body = ended(status, 'a', '0');
            patch(&mut body, &change);
            let text = world.hear(&delivery(&body)).await;
            assert!(text.contains(expected), "{text}");
        }
    }
    world.finish();
}

#[tokio::test]
async fn a_commit_that_was_skipped_ends_the_chain() {
    let world = world().await;
    world.hear(&pipeline("failed", 'a', '0')).await;
    let skipped = world.post(&pipeline("skipped", 'b', 'a')).await;
    assert_eq!(skipped.header("webhook-app-reason"), Some("no_rule"));
    assert_no_fix(&world.post(&pipeline("success", 'c', 'b')).await);
    world.finish();
}

#[tokio::test]
async fn failures_of_one_commit_on_one_ref_are_one_message() {
    let world = world().await;
    world.hear(&pipeline("failed", 'a', '0')).await;
    assert_delivered(&world.post(&pipeline("failed", 'a', '0')).await);
    world.hear(&pipeline("failed", 'b', 'a')).await;
    world.finish();
}

#[tokio::test]
async fn who_was_not_told_of_the_failure_is_not_told_of_the_fix() {
    let chat = RocketChat::builder()
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
    let chat = RocketChat::start().await;
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
    let world = world().await;
    world.hear(&pipeline("failed", 'a', '0')).await;
    let fix = pipeline("success", 'b', 'a').id("the-fix");
    world.hear(&fix).await;
    assert_delivered(&world.post(&fix).await);
    world.finish();
}

#[tokio::test]
async fn a_failure_that_cannot_be_looked_for_fails_the_delivery_until_it_can() {
    let world = world().await;
    world.hear(&pipeline("failed", 'a', '0')).await;
    let fix = pipeline("success", 'b', 'a').id("the-fix");
    world
        .chat
        .misbehave_always(Route::GetMessage, Fault::Status(503));
    let answer = world.post(&fix).await;
    assert_problem(&answer, 503, "server_error");
    assert!(answer.header("retry-after").is_some());
    world.chat.behave();
    let text = world.hear(&fix).await;
    assert!(text.contains(" passed again "), "{text}");
    world.finish();
}

#[tokio::test]
async fn the_room_is_asked_for_again_since_an_old_one_would_hide_the_failure() {
    let world = world().await;
    world.hear(&pipeline("failed", 'a', '0')).await;
    world.hear(&pipeline("failed", 'c', '0')).await;
    let rooms = world.chat.calls(Route::CreateDirectMessage);
    world.hear(&pipeline("success", 'a', '0')).await;
    assert_eq!(world.chat.calls(Route::CreateDirectMessage), rooms + 1);
    world.finish();
}

#[tokio::test]
async fn a_look_for_the_failure_that_fails_once_is_made_again() {
    let world = world().await;
    world.hear(&pipeline("failed", 'a', '0')).await;
    world.chat.misbehave(Route::GetMessage, Fault::Status(503));
    world.hear(&pipeline("success", 'b', 'a')).await;
    world.finish();
}

#[tokio::test]
async fn who_hears_of_every_success_hears_of_it_as_of_any_other() {
    let rules = "rules:\n- {event: pipeline, status: [failed, fixed], to: '@alice', continue: true}\n- {event: pipeline, to: '@alice'}\n";
    let world = World::with(&[("ROCKETCHAT_RECIPIENT", ""), ("ROUTES", rules)]).await;
    world.hear(&pipeline("failed", 'a', '0')).await;
    let text = world.hear(&pipeline("success", 'b', 'a')).await;
    assert!(text.contains(" passed on "), "{text}");
    assert_eq!(world.chat.calls(Route::GetMessage), 0);
    world.finish();
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
    let world = World::with(&own).await;
    assert_eq!(world.hear(&pipeline("failed", 'a', '0')).await, "failed");
    let fix = world.hear(&pipeline("success", 'b', 'a')).await;
    assert_eq!(fix, "`main` is green again");
    world.finish();
}

#[test]
fn a_template_is_tried_with_a_fix_too() {
    let text = "pipeline: '{% if fixed %}{{ kind.nothing }}{% endif %}'";
    let mistakes = messages::parse(text).expect_err("fails on a fix");
    assert!(
        mistakes.join("\n").starts_with("line 1: pipeline: "),
        "{mistakes:?}"
    );
    assert!(messages::parse("push: '{{ fixed }}'").is_ok());
}

#[test]
fn a_rule_that_cannot_tell_fixes_says_why_at_its_line() {
    for (rule, expected) in [
        (
            "status: [failed, fixed]",
            "line 3: `fixed` is for pipelines",
        ),
        (
            "event: [pipeline, job]\n  status: [failed, fixed]",
            "line 4: `fixed` is for pipelines",
        ),
        (
            "event: job\n  status:\n  - failed\n  - fixed",
            "line 6: `fixed` is for pipelines",
        ),
        (
            "event: pipeline\n  status: fixed",
            "line 4: `fixed` is for those who were told of the failure",
        ),
        (
            "event: pipeline\n  status: [failed, success, fixed]",
            "line 4: `success` tells every success",
        ),
    ] {
        let text = format!("rules:\n- to: '@alice'\n  {rule}\n");
        let mistakes = file::parse(&text).expect_err(rule);
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
    let event =
        webhook_app::gitlab::event::Event::parse(None, body.as_bytes()).expect("is an event");
    let notice = webhook_app::notice::compose_fix(&event).expect("has words");
    assert!(notice.text.encode_utf16().count() <= MAX_UNITS);
}
