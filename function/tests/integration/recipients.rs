//! Recipients who cannot be reached: what Rocket.Chat says about them decides whether a webhook fails. Also
//! the first contact with a recipient, and recipients who are deleted, renamed or written in another case.

use std::time::{Duration, Instant};

use fakes::exchange::Response;
use fakes::gitlab::{Delivery, SAMPLE_KEY};
use fakes::rocketchat::{FakeRocketChat, Kept, Route};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::harness::{Function, Harness, assert_delivered, assert_problem, push};
use crate::routing::example;

/// A rule for the reviewers of a merge request.
const REVIEWERS: &str = "rules: [{event: merge_request, to: [reviewers]}]";

/// A merge request with these reviewers.
fn reviewed_by(names: &[&str]) -> Delivery {
    let mut body = example("merge_request");
    let reviewers = names
        .iter()
        .map(|name| json!({ "id": 1, "name": "A reviewer", "username": name }));
    body["reviewers"] = reviewers.collect::<Vec<Value>>().into();
    Delivery::new("Merge Request Hook", body.to_string()).signed_with(SAMPLE_KEY)
}

fn function(chat: &FakeRocketChat, rules: &str) -> Function {
    Function::start(chat, &[("ROCKETCHAT_RECIPIENT", ""), ("ROUTES", rules)])
}

/// The reason of each recipient without a message.
fn reasons(answer: &Response) -> Vec<(String, String)> {
    let json = answer.json();
    let deliveries = json["deliveries"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let missing = deliveries
        .iter()
        .filter(|delivery| !delivery["reason"].is_null());
    missing
        .map(|delivery| (text(&delivery["recipient"]), text(&delivery["reason"])))
        .collect()
}

#[tokio::test]
async fn people_in_a_role_who_cannot_be_reached_do_not_fail_the_webhook() {
    let people = ["alice", "away", "locked", "secret"];
    let chat = FakeRocketChat::builder().users(&people).start().await;
    let chat = chat.expect("listens");
    chat.direct_room(&[chat.username(), "away"]);
    chat.deactivate_user("away");
    chat.set_read_only("locked");
    chat.set_encrypted("secret");
    let function = function(&chat, REVIEWERS);
    let everybody = ["nobody", "away", "locked", "secret", "alice"];
    let answer = function.post(&reviewed_by(&everybody)).await;
    assert_delivered(&answer);
    assert_eq!(chat.take_message().recipient, "alice");
    let expected = everybody[..4].iter();
    let expected: Vec<_> = expected
        .map(|name| (format!("@{name}"), "unreachable".to_owned()))
        .collect();
    assert_eq!(reasons(&answer), expected);
    let metrics = function.request("GET", "/metrics").await.text();
    for reason in [
        "unknown_user",
        "deactivated_user",
        "read_only_room",
        "encrypted_room",
    ] {
        let series = format!("webhook_recipients_unreachable_total{{reason=\"{reason}\"}} 1\n");
        assert!(metrics.contains(&series), "{series}");
    }
    let output = function.finish(chat.auth_token());
    for name in &everybody[..4] {
        let names = |line: &&String| line.contains("warn") && line.contains(&format!("@{name}"));
        assert_eq!(
            output.iter().filter(names).count(),
            1,
            "{name}: {output:#?}"
        );
    }
    chat.finish();
}

#[tokio::test]
async fn a_webhook_that_reaches_nobody_in_a_role_succeeds_and_names_them() {
    let chat = FakeRocketChat::start().await;
    let function = function(&chat, REVIEWERS);
    let answer = function.post(&reviewed_by(&["nobody"])).await;
    let expected = json!({
        "status": "skipped",
        "reason": "unreachable",
        "deliveries": [{ "recipient": "@nobody", "reason": "unreachable" }],
    });
    assert_eq!((answer.status, answer.json()), (200, expected));
    function.finish(chat.auth_token());
    chat.finish();
}

#[tokio::test]
async fn a_refusal_without_evidence_fails_every_webhook() {
    let chat = FakeRocketChat::start().await;
    let function = function(&chat, REVIEWERS);
    assert_delivered(&function.post(&reviewed_by(&["alice"])).await);
    chat.take_message();
    for roles in [&[][..], &["guest"]] {
        chat.set_roles(roles);
        for names in [&["alice"][..], &["bob"], &["alice", "bob"]] {
            let answer = function.post(&reviewed_by(names)).await;
            assert_eq!(answer.status, 503, "{}", answer.text());
            assert!(!answer.text().contains("unreachable"), "{}", answer.text());
        }
    }
    function.finish(chat.auth_token());
    chat.finish();
}

#[tokio::test]
async fn a_name_in_another_case_does_not_fail_the_webhook() {
    let chat = FakeRocketChat::start().await;
    let function = function(&chat, REVIEWERS);
    let answer = function.post(&reviewed_by(&["Alice", "bob"])).await;
    assert_delivered(&answer);
    assert_eq!(
        reasons(&answer),
        [("@Alice".to_owned(), "unreachable".to_owned())]
    );
    assert_eq!(chat.take_message().recipient, "bob");
    function.finish(chat.auth_token());
    chat.finish();
}

#[tokio::test]
async fn a_recipient_in_the_configuration_fails_the_webhook_only_if_nobody_is_reached() {
    let chat = FakeRocketChat::start().await;
    for (rules, status) in [
        ("rules: [{to: '@nobody'}]", 503),
        ("rules: [{to: ['@nobody', '@alice']}]", 200),
        (
            "{others: '@nobody', rules: [{event: push, to: [pusher]}]}",
            503,
        ),
    ] {
        let function = function(&chat, rules);
        let mut body = example("push");
        body["user_username"] = json!("someone not mapped");
        let delivery = Delivery::new("Push Hook", body.to_string()).signed_with(SAMPLE_KEY);
        let answer = function.post(&delivery).await;
        assert_eq!(answer.status, status, "{rules}: {}", answer.text());
        if status == 503 {
            assert_problem(&answer, 503, "unreachable");
        }
        let metrics = function.request("GET", "/metrics").await.text();
        let gauge = "\nwebhook_configuration_unreachable_recipients 1\n";
        assert!(metrics.contains(gauge), "{rules}");
        chat.mark_all_read();
        function.finish(chat.auth_token());
    }
    chat.finish();
}

#[tokio::test]
async fn a_room_in_the_configuration_that_refuses_delays_nothing() {
    let chat = FakeRocketChat::start().await;
    let room = chat.direct_room(&[chat.username(), "alice"]);
    let rules = format!("rules: [{{to: 'room:{room}'}}]");
    let function = function(&chat, &rules);
    assert_delivered(&function.post(&push()).await);
    chat.take_message();
    chat.set_read_only("alice");
    assert_problem(&function.post(&push()).await, 503, "unreachable");
    chat.set_roles(&[]);
    assert_eq!(function.post(&push()).await.status, 503);
    assert!(chat.calls(Route::RoomInfo) <= 2, "asks again and again");
    assert_eq!(chat.calls(Route::CreateDirectMessage), 0);
    function.finish(chat.auth_token());
    chat.finish();
}

#[tokio::test]
async fn a_recipient_in_the_configuration_is_checked_at_startup() {
    let chat = FakeRocketChat::start().await;
    let rules = "rules: [{to: ['@nobody', '@alice', pusher]}]";
    let function = function(&chat, rules);
    let warning = "a recipient in the configuration cannot receive messages";
    let started = Instant::now();
    let is_logged = || function.output().iter().any(|line| line.contains(warning));
    while !is_logged() && started.elapsed() < Duration::from_secs(20) {
        let _ = function.request("GET", "/healthz").await;
    }
    let metrics = function.request("GET", "/metrics").await.text();
    assert!(metrics.contains("\nwebhook_configuration_unreachable_recipients 1\n"));
    let output = function.finish(chat.auth_token());
    let warnings: Vec<_> = output
        .iter()
        .filter(|line| line.contains(warning))
        .collect();
    assert_eq!(warnings.len(), 1, "{output:#?}");
    assert!(warnings[0].contains("@nobody"), "{}", warnings[0]);
    chat.finish();
}

#[tokio::test]
async fn simultaneous_first_messages_to_one_recipient_are_all_delivered() {
    let builder = FakeRocketChat::builder().racing_room_creation();
    let chat = builder.start().await.expect("listens");
    let replicas = [(); 2].map(|()| Function::start(&chat, &[]));
    let mut posts = JoinSet::new();
    for replica in &replicas {
        for _ in 0..4 {
            let url = replica.url("/webhook");
            posts.spawn(async move { push().post_to(&url).await });
        }
    }
    for answer in posts.join_all().await {
        assert_delivered(&answer);
    }
    assert_eq!(chat.messages().len(), 8);
    // Each replica makes one call for all of its messages, and one of the two calls is repeated.
    let calls = chat.calls(Route::CreateDirectMessage);
    assert!((2..=3).contains(&calls), "{calls} calls");
    chat.mark_all_read();
    for replica in replicas {
        replica.finish(chat.auth_token());
    }
    chat.finish();
}

#[tokio::test]
async fn a_deleted_message_that_the_server_keeps_is_not_sent_again() {
    for kept in [Kept::Removed, Kept::Hidden] {
        let harness = Harness::start().await;
        let delivery = push();
        assert_delivered(&harness.post(&delivery).await);
        let id = harness.chat.take_message().id;
        harness.chat.delete_message_keeping(&id, kept);
        let answer = harness.post(&delivery).await;
        assert_delivered(&answer);
        let json = answer.json();
        assert_eq!(
            (&json["message_id"], &json["deleted"]),
            (&json!(id), &json!(true))
        );
        assert!(harness.chat.messages().is_empty(), "{kept:?}");
        harness.finish();
    }
}

/// Names that the server allows if an administrator changes its setting `UTF8_User_Names_Validation`, and a
/// user of another Matrix server.
#[tokio::test]
async fn a_recipient_may_have_any_name_that_the_server_allows() {
    let names = [
        "jörg.müller",
        "山田",
        "alice@example.org",
        "Ada Example",
        "o'neil+test&more=1%20",
        "kim:example.org",
        "@kim:example.org",
    ];
    for name in names {
        let chat = FakeRocketChat::builder().users(&[name]).start().await;
        let chat = chat.expect("listens");
        let function = Function::start(&chat, &[("ROCKETCHAT_RECIPIENT", name)]);
        assert_delivered(&function.post(&push()).await);
        assert_eq!(chat.take_message().recipient, name);
        // The name is also looked up when the server refuses it, so it must fit into a query.
        let id = chat.direct_room(&[chat.username(), name]);
        assert!(!id.is_empty());
        chat.deactivate_user(name);
        let answer = function.post(&push().id("second")).await;
        assert_problem(&answer, 503, "unreachable");
        function.finish(chat.auth_token());
        chat.finish();
    }
}

#[tokio::test]
async fn rules_name_users_of_other_matrix_servers_and_users_with_spaces() {
    let names = ["@kim:example.org", "Ada Example"];
    let chat = FakeRocketChat::builder().users(&names).start().await;
    let chat = chat.expect("listens");
    let rules = r#"{users: {robin: "Ada Example"}, rules: [{to: ["@kim:example.org", pusher]}]}"#;
    let function = function(&chat, rules);
    assert_delivered(&function.post(&push()).await);
    let mut recipients: Vec<_> = chat.messages().into_iter().map(|it| it.recipient).collect();
    recipients.sort_unstable();
    assert_eq!(recipients, names);
    chat.mark_all_read();
    function.finish(chat.auth_token());
    chat.finish();
}
