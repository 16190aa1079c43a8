//! Who hears of what: rules as their comments say, people under their names on both sides, several
//! recipients at once, and what an operator is told about a file with mistakes.

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

use crate::harness::{Function, assert_delivered, program, push};
use crate::messages::{fixtures, parse};

/// Five rules; the comments are what the tests below hold them to.
const FIVE: &str = "\
users:
  robin: robin.rocket       # name of the account
  '8': kim                  # its number, where GitLab sends no name
  kim@example.org: kim      # the author of a commit has an address only
others: drop
rules:
  # Nobody hears of what happens in playgrounds.
  - project: play/**
    to: nobody
  # Failures on protected branches reach whoever wrote the commit, and the room of those on duty.
  - name: failures
    event: [pipeline, job]
    status: failed
    to: [committer, 'room:duty']
  # Merge requests reach their reviewers and assignees, but not whoever moved them.
  - event: merge_request
    to: [reviewers, assignees]
    except_actor: true
  # Confidential issues reach one person.
  - event: issue
    confidential: true
    action: [open, close]
    to: '@security'
  # Pushes to main and to releases reach the team, unless a robot made them.
  - event: push
    ref: [main, release-*]
    actor: [robin, kim]
    to: ['@team', pusher]
    except_actor: true
";

fn routes(text: &str) -> RoutingRules {
    routing::parse(text).expect("has no mistakes")
}

fn event(body: &Value) -> Event {
    parse(None, body.to_string().as_bytes()).expect("is an event")
}

pub(crate) fn targets(routes: &RoutingRules, body: &Value) -> String {
    match routes.evaluate(&event(body)) {
        Ok(recipients) => recipients
            .list
            .iter()
            .map(Recipient::label)
            .collect::<Vec<_>>()
            .join(" "),
        Err(reason) => reason.label().to_owned(),
    }
}

/// The sample of the program for a kind.
pub(crate) fn sample(kind: &str) -> Value {
    let kind = Kind::with_label(kind).expect("is a kind");
    serde_json::from_str(webhook_app::notifier::templates::example(kind).expect("is there"))
        .expect("is JSON")
}

/// A sample with one thing changed.
pub(crate) fn changed(kind: &str, change: &Value) -> Value {
    let mut body = sample(kind);
    patch(&mut body, change);
    body
}

/// RFC 7396: null removes.
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
    let routes = routes(FIVE);
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
        ("a failed job", sample("job"), "@kim room:duty"),
        ("a passed pipeline", ended("success"), "no_rule"),
        ("a running pipeline", ended("running"), "no_rule"),
        // Robin reviews and acts, Kim is to do it.
        ("a merge request", sample("merge_request"), "@kim"),
        (
            "a merge request of one's own",
            changed("merge_request", &json!({ "assignees": null })),
            "own_action",
        ),
        (
            "a merge request of nobody",
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
        ("an open issue", sample("issue"), "@security"),
        (
            "a changed issue",
            issue(json!({ "action": "update" })),
            "no_rule",
        ),
        ("a push to main", sample("push"), "@team"),
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
        ("a comment", sample("note"), "no_rule"),
    ];
    for (case, body, expected) in table {
        assert_eq!(targets(&routes, &body), expected, "{case}");
    }
}

#[test]
fn without_conditions_ends_are_told_and_secrets_are_not() {
    let routes = routes("rules: [{to: '@alice'}]");
    for (name, body) in fixtures() {
        let asked = event(&body);
        let expected = match (asked.meta.confidential, asked.attributes.in_progress) {
            (true, _) => "confidential",
            (false, true) => "not_final",
            (false, false) => "@alice",
        };
        assert_eq!(targets(&routes, &body), expected, "{name}");
    }
}

#[test]
fn a_rule_that_asks_for_a_status_hears_of_it_before_the_end() {
    let routes = routes("rules: [{event: pipeline, status: [running, manual], to: '@alice'}]");
    let status = |status| {
        changed(
            "pipeline",
            &json!({ "object_attributes": { "status": status } }),
        )
    };
    assert_eq!(targets(&routes, &status("running")), "@alice");
    assert_eq!(targets(&routes, &status("manual")), "@alice");
    assert_eq!(targets(&routes, &status("pending")), "no_rule");
}

#[test]
fn every_role_names_those_who_have_it() {
    let everybody = "[actor, author, committer, assignees, reviewers, pusher, pipeline starter]";
    let roles = everybody.trim_matches(['[', ']']).split(", ");
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
            let routes = routes(&format!(
                "users: {{kim@example.org: kim}}\nrules: [{{to: {role}}}]"
            ));
            let _ = write!(table, " {role}={}", targets(&routes, &sample(kind)));
        }
        table.push('\n');
    }
    insta::assert_snapshot!("who_has_which_role", table);
}

#[test]
fn a_rule_that_continues_adds_to_the_next_and_nobody_hears_twice() {
    let text = "rules:\n- {to: ['@alice', '@bob'], continue: true}\n- {event: push, to: ['@bob', '@carol']}\n- {to: '@dave'}\n";
    assert_eq!(
        targets(&routes(text), &sample("push")),
        "@alice @bob @carol"
    );
    assert_eq!(
        targets(&routes(text), &sample("release")),
        "@alice @bob @dave"
    );
}

#[test]
fn recipients_beyond_the_limit_are_counted_and_not_notified() {
    let named: Vec<_> = (0..LIMITS.routing.max_recipients + 3)
        .map(|number| format!("'@user{number}'"))
        .collect();
    let named = named.join(", ");
    for (case, text, truncated) in [
        ("one rule", format!("rules: [{{to: [{named}]}}]"), 3),
        (
            "the same recipients again",
            format!("rules: [{{to: [{named}], continue: true}}, {{to: [{named}]}}]"),
            3,
        ),
        ("one recipient", "rules: [{to: '@alice'}]".to_owned(), 0),
    ] {
        let recipients = routes(&text).evaluate(&event(&sample("push")));
        let recipients = recipients.expect("are named");
        assert_eq!(recipients.truncated, truncated, "{case}");
        assert!(
            recipients.list.len() <= LIMITS.routing.max_recipients,
            "{case}"
        );
    }
}

#[test]
fn people_without_an_entry_are_treated_as_the_file_says() {
    let body = sample("push");
    for (others, expected) in [
        ("same", "@robin"),
        ("drop", "unmapped"),
        ("'@lead'", "@lead"),
    ] {
        let text = format!("others: {others}\nrules: [{{to: pusher}}]");
        assert_eq!(targets(&routes(&text), &body), expected, "{others}");
    }
    assert_eq!(
        targets(&routes("rules: [{to: pusher}]"), &body),
        "@robin",
        "by default"
    );
}

#[test]
fn protection_is_matched_where_gitlab_tells_it() {
    let routes = routes("rules: [{protected: true, to: '@alice'}]");
    let push = |protected: Value| changed("push", &json!({ "ref_protected": protected }));
    assert_eq!(targets(&routes, &push(json!(true))), "@alice");
    assert_eq!(targets(&routes, &push(json!(false))), "no_rule");
    assert_eq!(targets(&routes, &push(Value::Null)), "no_rule");
}

#[test]
fn all_mistakes_of_a_file_are_told_with_their_lines() {
    let text = "\
users:
  robin: two words
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
    let mistakes = routing::parse(text).expect_err("is wrong");
    insta::assert_snapshot!("mistakes_of_a_route_file", mistakes.join("\n"));
    for (text, expected) in [
        ("", "expected users, others, rules"),
        ("rules: []", "at least one rule"),
        ("rules: {}", "expected a list of rules"),
        ("- a", "expected users, others, rules"),
        ("rules: [", "line 2"),
        ("a: &b 1", "anchors"),
    ] {
        let mistakes = routing::parse(text).expect_err("is wrong").join("\n");
        assert!(mistakes.contains(expected), "{text}: {mistakes}");
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

/// A function with two recipients; the third of the chat server's users hears nothing.
async fn two_recipients() -> (FakeRocketChat, Function) {
    let chat = FakeRocketChat::builder()
        .users(&["alice", "bob", "carol"])
        .start()
        .await
        .expect("starts");
    let own = [
        ("ROCKETCHAT_RECIPIENT", ""),
        ("ROUTES", "rules: [{to: ['@alice', '@bob']}]"),
    ];
    let function = Function::start(&chat, &own);
    (chat, function)
}

#[tokio::test]
async fn several_recipients_get_one_message_each_under_an_id_of_its_own() {
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
    let mut told = String::new();
    for delivery in answer.json()["deliveries"].as_array().expect("is a list") {
        let _ = write!(
            told,
            "{} ",
            delivery["recipient"].as_str().expect("is text")
        );
        let id = delivery["message_id"].as_str().expect("is text");
        assert!(messages.iter().any(|message| message.id == id));
    }
    assert_eq!(told, "@alice @bob ");
    // The same delivery again changes nothing.
    assert_delivered(&function.post(&push().id("for-two")).await);
    assert_eq!(
        chat.calls(Route::CreateDirectMessage),
        2,
        "both rooms are remembered"
    );
    function.finish(chat.auth_token());
    chat.finish();
}

#[tokio::test]
async fn one_who_cannot_be_reached_does_not_silence_the_other_and_the_answer_says_so() {
    let chat = FakeRocketChat::builder()
        .users(&["alice"])
        .start()
        .await
        .expect("starts");
    let own = [
        ("ROCKETCHAT_RECIPIENT", ""),
        ("ROUTES", "rules: [{to: ['@nobody', '@alice']}]"),
    ];
    let function = Function::start(&chat, &own);
    let answer = function.post(&push()).await;
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert!(answer.header("retry-after").is_some());
    let message = chat.take_message();
    assert_eq!(message.recipient, "alice");
    assert_eq!(
        answer.json()["deliveries"],
        json!([
            { "recipient": "@nobody", "reason": "refused" },
            { "recipient": "@alice", "message_id": message.id },
        ])
    );
    function.finish(chat.auth_token());
    chat.finish();
}

#[tokio::test]
async fn a_failed_half_is_made_good_by_sending_the_delivery_again() {
    let (chat, function) = two_recipients().await;
    // Every try of one of the two fails, and that of the other does not.
    for _ in 0..3 {
        chat.inject_fault(Route::SendMessage, Fault::Status(500));
    }
    let first = function.post(&push().id("again")).await;
    let second = function.post(&push().id("again")).await;
    assert_delivered(&second);
    assert!(matches!(first.status, 200 | 503));
    let mut recipients = [chat.take_message().recipient, chat.take_message().recipient];
    recipients.sort_unstable();
    assert_eq!(recipients, ["alice", "bob"]);
    function.finish(chat.auth_token());
    chat.finish();
}

proptest! {
    #[test]
    fn whatever_stands_in_a_body_can_be_asked_or_is_refused(
        kind in prop::sample::select(vec!["push", "merge_request", "note", "pipeline", "job", "member"]),
        name in prop::sample::select(vec!["user", "project", "commit", "assignees", "object_attributes", "ref", "tag", "builds", "status", "group"]),
        value in prop_oneof![
            Just(Value::Null), Just(json!([])), Just(json!({})), Just(json!(-1)), Just(json!(1e300)),
            Just(json!([{}])), Just(json!({ "id": {}, "name": [], "username": 1 })), any::<String>().prop_map(Value::from),
        ],
    ) {
        let mut body = sample(kind);
        body[name] = value;
        let body = body.to_string();
        if let Ok(event) = parse(None, body.as_bytes()) {
            let _ = routes(FIVE).explain(&event);
        }
    }
}
