//! Notification routing: rules match as their comments say, GitLab users map to Rocket.Chat users, several
//! recipients get one message each, and errors in a file are reported with their lines.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::Stdio;

use fakes::rocketchat::{FakeRocketChat, Fault, Route};
use proptest::prelude::*;
use serde_json::{Value, json};
use webhook_app::gitlab::event::Event;
use webhook_app::gitlab::kind::Kind;
use webhook_app::limits::LIMITS;
use webhook_app::notifier::routing::{self, Recipient, RoutingRules};

use crate::harness::{Function, assert_delivered, assert_problem, program, push};
use crate::messages::{fixtures, parse};

/// Five rules; the tests below check them against their comments.
const FIVE: &str = "\
users:
  robin: robin.rocket       # username
  '8': kim                  # user id, for events without a username
  kim@example.org: kim      # commit authors have an email address only
others: drop
rules:
  # Events in playgrounds notify nobody.
  - project: play/**
    to: nobody
  # Failures notify the committer and the room on duty.
  - name: failures
    event: [pipeline, job]
    status: failed
    to: [committer, 'room:duty']
  # Merge requests notify their reviewers and assignees, except the user who triggered the event.
  - event: merge_request
    to: [reviewers, assignees]
    except_actor: true
  # Opened and closed issues, also confidential ones, notify one person.
  - event: issue
    confidential: true
    action: [open, close]
    to: '@security'
  # Pushes to main and release branches by robin or kim notify the team and the pusher.
  - event: push
    ref: [main, release-*]
    actor: [robin, kim]
    to: ['@team', pusher]
    except_actor: true
";

fn rules(text: &str) -> RoutingRules {
    routing::parse(text).expect("has no errors")
}

fn event(body: &Value) -> Event {
    parse(None, body.to_string().as_bytes()).expect("is an event")
}

pub(crate) fn recipients_of(rules: &RoutingRules, body: &Value) -> String {
    recipients_of_event(rules, &event(body))
}

/// The recipients of an event, or why it has none.
pub(crate) fn recipients_of_event(rules: &RoutingRules, event: &Event) -> String {
    match rules.evaluate(event) {
        Ok(recipients) if recipients.list.is_empty() => "recipient_redacted".to_owned(),
        Ok(recipients) => recipients
            .list
            .iter()
            .map(Recipient::label)
            .collect::<Vec<_>>()
            .join(" "),
        Err(reason) => reason.label().to_owned(),
    }
}

/// The built-in example payload of a kind.
pub(crate) fn example(kind: &str) -> Value {
    let kind = Kind::with_label(kind).expect("is a kind");
    serde_json::from_str(webhook_app::notifier::templates::example(kind).expect("is there"))
        .expect("is JSON")
}

/// An example payload with a merge patch applied.
pub(crate) fn changed(kind: &str, change: &Value) -> Value {
    let mut body = example(kind);
    patch(&mut body, change);
    body
}

/// Applies a JSON merge patch (RFC 7396), in which null removes a member.
pub(crate) fn patch(target: &mut Value, change: &Value) {
    let (Some(target), Some(change)) = (target.as_object_mut(), change.as_object()) else {
        *target = change.clone();
        return;
    };
    for (name, change) in change {
        match change {
            Value::Null => drop(target.remove(name)),
            Value::Object(_) => patch(target.entry(name).or_insert(json!({})), change),
            other => drop(target.insert(name.clone(), other.clone())),
        }
    }
}

#[test]
fn five_rules_do_what_their_comments_say() {
    let rules = rules(FIVE);
    let project = |path| json!({ "project": { "path_with_namespace": path } });
    let ended = |status| {
        changed(
            "pipeline",
            &json!({ "object_attributes": { "status": status } }),
        )
    };
    let issue = |change: Value| changed("issue", &json!({ "object_attributes": change }));
    let table = [
        (
            "a playground",
            changed("push", &project("play/x/y")),
            "nobody",
        ),
        (
            "no playground",
            changed("push", &project("player/x")),
            "@team",
        ),
        ("a failed pipeline", ended("failed"), "@kim room:duty"),
        ("a failed job", example("job"), "@kim room:duty"),
        ("a passed pipeline", ended("success"), "no_rule"),
        ("a running pipeline", ended("running"), "no_rule"),
        // Robin reviews it and triggered the event; Kim is the assignee.
        ("a merge request", example("merge_request"), "@kim"),
        (
            "a merge request whose only recipient triggered the event",
            changed("merge_request", &json!({ "assignees": null })),
            "own_action",
        ),
        (
            "a merge request without reviewers and assignees",
            changed(
                "merge_request",
                &json!({ "assignees": null, "reviewers": null }),
            ),
            "unmapped",
        ),
        (
            "a confidential issue",
            issue(json!({ "confidential": true })),
            "@security",
        ),
        ("an open issue", example("issue"), "@security"),
        (
            "a changed issue",
            issue(json!({ "action": "update" })),
            "no_rule",
        ),
        ("a push to main", example("push"), "@team"),
        (
            "a push to a release",
            changed("push", &json!({ "ref": "refs/heads/release-2" })),
            "@team",
        ),
        (
            "a push to a branch",
            changed("push", &json!({ "ref": "refs/heads/release-2/x" })),
            "no_rule",
        ),
        (
            "a robot's push",
            changed("push", &json!({ "user_username": "robot" })),
            "no_rule",
        ),
        ("a comment", example("note"), "no_rule"),
    ];
    for (case, body, expected) in table {
        assert_eq!(recipients_of(&rules, &body), expected, "{case}");
    }
}

#[test]
fn a_rule_without_matchers_skips_unfinished_and_confidential_events() {
    let rules = rules("rules: [{to: '@alice'}]");
    for (name, body) in fixtures() {
        let parsed = event(&body);
        let expected = match (parsed.meta.confidential, parsed.attributes.in_progress) {
            (true, _) => "confidential",
            (false, true) => "not_final",
            (false, false) if parsed.attributes.minor_update => "minor_update",
            (false, false) => "@alice",
        };
        assert_eq!(recipients_of(&rules, &body), expected, "{name}");
    }
}

#[test]
fn a_rule_with_a_status_matches_unfinished_pipelines() {
    let rules = rules("rules: [{event: pipeline, status: [running, manual], to: '@alice'}]");
    let status = |status| {
        changed(
            "pipeline",
            &json!({ "object_attributes": { "status": status } }),
        )
    };
    assert_eq!(recipients_of(&rules, &status("running")), "@alice");
    assert_eq!(recipients_of(&rules, &status("manual")), "@alice");
    assert_eq!(recipients_of(&rules, &status("pending")), "no_rule");
}

#[test]
fn every_role_resolves_to_its_users() {
    let all_roles = "[actor, author, committer, assignees, reviewers, pusher, pipeline starter]";
    let roles = all_roles.trim_matches(['[', ']']).split(", ");
    let mut table = String::new();
    for kind in [
        "push",
        "merge_request",
        "note",
        "issue",
        "pipeline",
        "job",
        "release",
    ] {
        let _ = write!(table, "{kind}:");
        for role in roles.clone() {
            let text = format!("users: {{kim@example.org: kim}}\nrules: [{{to: {role}}}]");
            let _ = write!(
                table,
                " {role}={}",
                recipients_of(&rules(&text), &example(kind))
            );
        }
        table.push('\n');
    }
    insta::assert_snapshot!("recipients_by_role", table);
}

#[test]
fn a_rule_with_continue_adds_recipients_without_duplicates() {
    let text = "rules:\n- {to: ['@alice', '@bob'], continue: true}\n- {event: push, to: ['@bob', '@carol']}\n- {to: '@dave'}\n";
    assert_eq!(
        recipients_of(&rules(text), &example("push")),
        "@alice @bob @carol"
    );
    assert_eq!(
        recipients_of(&rules(text), &example("release")),
        "@alice @bob @dave"
    );
}

#[test]
fn recipients_beyond_the_limit_are_counted_and_not_notified() {
    let users: Vec<_> = (0..LIMITS.routing.max_recipients + 3)
        .map(|number| format!("'@user{number}'"))
        .collect();
    let users = users.join(", ");
    for (case, text, truncated) in [
        ("one rule", format!("rules: [{{to: [{users}]}}]"), 3),
        (
            "the same recipients again",
            format!("rules: [{{to: [{users}], continue: true}}, {{to: [{users}]}}]"),
            3,
        ),
        ("one recipient", "rules: [{to: '@alice'}]".to_owned(), 0),
    ] {
        let recipients = rules(&text).evaluate(&event(&example("push")));
        let recipients = recipients.expect("are named");
        assert_eq!(recipients.truncated, truncated, "{case}");
        assert!(
            recipients.list.len() <= LIMITS.routing.max_recipients,
            "{case}"
        );
    }
}

#[test]
fn unmapped_users_are_handled_as_configured() {
    let body = example("push");
    for (others, expected) in [
        ("same", "@robin"),
        ("drop", "unmapped"),
        ("'@lead'", "@lead"),
    ] {
        let text = format!("others: {others}\nrules: [{{to: pusher}}]");
        assert_eq!(recipients_of(&rules(&text), &body), expected, "{others}");
    }
    assert_eq!(
        recipients_of(&rules("rules: [{to: pusher}]"), &body),
        "@robin",
        "by default"
    );
}

#[test]
fn protection_is_matched_only_where_gitlab_sends_it() {
    let rules = rules("rules: [{protected: true, to: '@alice'}]");
    let push = |protected: Value| changed("push", &json!({ "ref_protected": protected }));
    assert_eq!(recipients_of(&rules, &push(json!(true))), "@alice");
    assert_eq!(recipients_of(&rules, &push(json!(false))), "no_rule");
    assert_eq!(recipients_of(&rules, &push(Value::Null)), "no_rule");
}

#[test]
fn all_errors_of_a_file_are_reported_with_their_lines() {
    let text = "\
users:
  robin: one, two
others: maybe
rules:
  - event: [pusch, push]
    status: done
    protected: perhaps
    tw: '@alice'
  - to: ['#general', alice]
  - to: []
  - project: a
extra: 1
";
    let errors = routing::parse(text).expect_err("is wrong");
    insta::assert_snapshot!("errors_of_a_routes_file", errors.join("\n"));
    for (text, expected) in [
        ("", "expected users, others, rules"),
        ("rules: []", "at least one rule"),
        ("rules: {}", "expected a list of rules"),
        ("- a", "expected users, others, rules"),
        ("rules: [", "line 2"),
        ("a: &b 1", "anchors"),
    ] {
        let errors = routing::parse(text).expect_err("is wrong").join("\n");
        assert!(errors.contains(expected), "{text}: {errors}");
    }
}

#[test]
fn an_explanation_names_every_rule_that_was_evaluated() {
    let mut settings = BTreeMap::new();
    settings.insert("ROUTES".to_owned(), FIVE.to_owned());
    let mut command = program(&settings);
    let mut child = command
        .args(["render", "--explain"])
        .stdin(Stdio::piped())
        .spawn()
        .expect("starts");
    let body = fixtures()["pipeline_failed"].to_string();
    let mut input = child.stdin.take().expect("is piped");
    input.write_all(body.as_bytes()).expect("is written");
    drop(input);
    let output = child.wait_with_output().expect("ends");
    insta::assert_snapshot!(
        "explanation_of_a_failed_pipeline",
        String::from_utf8_lossy(&output.stdout)
    );
}

/// A function with two recipients; the third user of the chat server gets nothing.
async fn two_recipients() -> (FakeRocketChat, Function) {
    let chat = FakeRocketChat::builder()
        .users(&["alice", "bob", "carol"])
        .start()
        .await
        .expect("starts");
    let overrides = [
        ("ROCKETCHAT_RECIPIENT", ""),
        ("ROUTES", "rules: [{to: ['@alice', '@bob']}]"),
    ];
    let function = Function::start(&chat, &overrides);
    (chat, function)
}

#[tokio::test]
async fn several_recipients_get_one_message_each_with_different_ids() {
    let (chat, function) = two_recipients().await;
    let answer = function.post(&push().id("for-two")).await;
    assert_delivered(&answer);
    let messages = [chat.take_message(), chat.take_message()];
    let mut recipients = messages
        .each_ref()
        .map(|message| message.recipient.as_str());
    recipients.sort_unstable();
    assert_eq!(recipients, ["alice", "bob"]);
    assert_ne!(messages[0].id, messages[1].id);
    let mut reported = String::new();
    for delivery in answer.json()["deliveries"].as_array().expect("is a list") {
        let _ = write!(
            reported,
            "{} ",
            delivery["recipient"].as_str().expect("is text")
        );
        let id = delivery["message_id"].as_str().expect("is text");
        assert!(messages.iter().any(|message| message.id == id));
    }
    assert_eq!(reported, "@alice @bob ");
    // A redelivery changes nothing.
    assert_delivered(&function.post(&push().id("for-two")).await);
    assert_eq!(
        chat.calls(Route::CreateDirectMessage),
        2,
        "both rooms are cached"
    );
    function.finish(chat.auth_token());
    chat.finish();
}

#[tokio::test]
async fn an_unreachable_recipient_does_not_stop_the_others_and_is_in_the_response() {
    let chat = FakeRocketChat::builder()
        .users(&["alice"])
        .start()
        .await
        .expect("starts");
    let overrides = [
        ("ROCKETCHAT_RECIPIENT", ""),
        ("ROUTES", "rules: [{to: ['@nobody', '@alice']}]"),
    ];
    let function = Function::start(&chat, &overrides);
    let answer = function.post(&push()).await;
    assert_delivered(&answer);
    let message = chat.take_message();
    assert_eq!(message.recipient, "alice");
    assert_eq!(
        answer.json()["deliveries"],
        json!([
            { "recipient": "@nobody", "reason": "unreachable" },
            { "recipient": "@alice", "message_id": message.id },
        ])
    );
    function.finish(chat.auth_token());
    chat.finish();
}

#[tokio::test]
async fn a_redelivery_sends_only_the_missing_message() {
    let (chat, function) = two_recipients().await;
    // A redirect is not retried, so one of the two messages is sent.
    let redirect = Fault::Redirect("http://127.0.0.1:9/elsewhere".to_owned());
    chat.inject_fault(Route::SendMessage, redirect);
    let first = function.post(&push().id("again")).await;
    assert_problem(&first, 503, "redirected");
    assert_eq!(chat.messages().len(), 1);
    let second = function.post(&push().id("again")).await;
    assert_delivered(&second);
    let mut recipients = [chat.take_message().recipient, chat.take_message().recipient];
    recipients.sort_unstable();
    assert_eq!(recipients, ["alice", "bob"]);
    function.finish(chat.auth_token());
    chat.finish();
}

proptest! {
    #[test]
    fn any_value_in_a_body_can_be_matched_or_is_rejected(
        kind in prop::sample::select(vec!["push", "merge_request", "note", "pipeline", "job", "member"]),
        name in prop::sample::select(vec!["user", "project", "commit", "assignees", "object_attributes", "ref", "tag", "builds", "status", "group"]),
        value in prop_oneof![
            Just(Value::Null), Just(json!([])), Just(json!({})), Just(json!(-1)), Just(json!(1e300)),
            Just(json!([{}])), Just(json!({ "id": {}, "name": [], "username": 1 })), any::<String>().prop_map(Value::from),
        ],
    ) {
        let mut body = example(kind);
        body[name] = value;
        let body = body.to_string();
        if let Ok(event) = parse(None, body.as_bytes()) {
            let _ = rules(FIVE).explain(&event);
        }
    }
}
