//! Minor updates that a rule can ask for: what a delivery changed, whom it newly concerns, and that
//! nothing is sent without such a rule.

use std::collections::BTreeMap;
use std::io;

use fakes::rocketchat::FakeRocketChat;
use serde_json::{Value, json};
use webhook_app::config::notifications;
use webhook_app::notifier::routing;

use crate::harness::{Function, assert_delivered, recorded};
use crate::messages::parse;
use crate::routing::{changed, example, recipients_of};

/// The recipients of an event under a rule.
fn notified(rule: &str, body: &Value) -> String {
    let text = format!("rules: [{{{rule}}}]");
    recipients_of(&routing::parse(&text).expect("is valid"), body)
}

/// A merge request with the action `update` and these changes.
fn update(kind: &str, changes: &Value) -> Value {
    changed(
        kind,
        &json!({ "object_attributes": { "action": "update" }, "changes": changes }),
    )
}

fn user(id: u64, username: &str) -> Value {
    json!({ "id": id, "name": username, "username": username, "state": "unreviewed", "re_requested": false })
}

/// The text for a recipient, or why there is none.
fn sent(rule: &str, body: &Value) -> String {
    let rules = format!("rules: [{{{rule}}}]");
    let settings: BTreeMap<_, _> = [("ROUTES".to_owned(), rules)].into();
    let no_file = |_: &str| Err(io::Error::other("no file"));
    let notifier = notifications::load(&settings, &no_file).expect("is valid");
    let event = parse(None, body.to_string().as_bytes()).expect("is an event");
    match notifier.plan(&event) {
        Ok(plan) => plan.notifications[0].text.clone(),
        Err(reason) => reason.label().to_owned(),
    }
}

#[test]
fn each_change_of_an_update_is_an_action() {
    let label = |id: u64| json!([{ "id": id, "title": "x" }]);
    let value =
        |previous: Value, current: Value| json!({ "previous": previous, "current": current });
    let table = [
        (
            "reviewers",
            value(json!([]), json!([user(9, "lee")])),
            "review_requested",
        ),
        (
            "assignees",
            value(json!([]), json!([user(9, "lee")])),
            "assigned",
        ),
        ("draft", value(json!(true), json!(false)), "ready"),
        ("draft", value(json!(false), json!(true)), "draft"),
        ("title", value(json!("a"), json!("b")), "retitled"),
        ("title", value(json!("Draft: a"), json!("a")), "ready"),
        ("title", value(json!("a"), json!("[Draft] a")), "draft"),
        ("labels", value(label(1), label(2)), "relabeled"),
        (
            "target_branch",
            value(json!("main"), json!("next")),
            "retargeted",
        ),
        ("milestone_id", value(json!(null), json!(3)), "milestoned"),
    ];
    let actions = [
        "review_requested",
        "assigned",
        "ready",
        "draft",
        "retitled",
        "relabeled",
        "retargeted",
        "milestoned",
    ];
    for (field, change, expected) in table {
        let body = update("merge_request", &json!({ field: change }));
        for action in actions {
            let found = notified(&format!("action: {action}, to: '@alice'"), &body);
            let is_sent = found == "@alice";
            assert_eq!(is_sent, action == expected, "{field} {action}");
        }
        let text = sent("action: update, to: '@alice'", &body);
        assert!(
            text[4..].starts_with(" [Merge request 12]("),
            "{field}: {text}"
        );
        assert_eq!(notified("to: '@alice'", &body), "minor_update", "{field}");
    }
}

#[test]
fn a_field_that_is_listed_with_the_same_value_is_no_change() {
    let labels = json!([{ "id": 1, "title": "x" }]);
    for (field, value) in [
        ("draft", json!(false)),
        ("labels", labels),
        ("target_branch", json!("main")),
        ("milestone_id", json!(null)),
        ("title", json!("a")),
    ] {
        let change = json!({ "previous": value, "current": value });
        let body = update("merge_request", &json!({ field: change }));
        let found = sent("action: update, to: '@alice'", &body);
        assert_eq!(found, "minor_update", "{field}");
    }
}

#[test]
fn one_delivery_has_all_actions_of_its_changes() {
    let body = update(
        "merge_request",
        &json!({
            "title": { "previous": "Draft: a", "current": "b" },
            "draft": { "previous": true, "current": false },
            "reviewers": { "previous": [], "current": [user(9, "lee")] },
        }),
    );
    for (action, expected) in [
        ("ready", "@alice"),
        ("retitled", "@alice"),
        ("review_requested", "@alice"),
        ("update", "@alice"),
        ("draft", "no_rule"),
        ("open", "no_rule"),
    ] {
        let rule = format!("action: {action}, to: '@alice'");
        assert_eq!(notified(&rule, &body), expected, "{action}");
    }
    insta::assert_snapshot!(sent("action: ready, to: '@alice'", &body), @r#"
        👀 [Merge request 12](https://gitlab.example.org/acme/rocket/-/merge_requests/12) updated in **acme/rocket** by Robin Example
        Add the second stage
        `feature/second-stage` into `main` · [3f2c9d7b](https://gitlab.example.org/acme/rocket/-/commit/3f2c9d7be41a08c65d1e7f90ab34c8d2e6517a0b)
        review requested from lee · marked as ready · was: Draft: a
        "#);
}

#[test]
fn new_commits_with_other_changes_are_all_in_the_message() {
    let body = changed(
        "merge_request",
        &json!({
            "object_attributes": { "action": "update", "oldrev": "b7d04e19c2f86a53e0917bd4c6a2f1835e90dc74" },
            "changes": {
                "title": { "previous": "a", "current": "Draft: a" },
                "labels": { "previous": [], "current": [{ "id": 1, "title": "x" }] },
            },
        }),
    );
    let text = sent("to: '@alice'", &body);
    assert!(
        text.contains(" got new commits in ")
            && text.ends_with(") · marked as draft · labels added: x"),
        "{text}"
    );
}

#[test]
fn an_edited_comment_is_sent_only_to_a_rule_that_names_the_action() {
    let edited = |change: Value| changed("note", &json!({ "object_attributes": change }));
    let body = edited(json!({ "action": "update" }));
    insta::assert_snapshot!(sent("event: note, action: update, to: '@alice'", &body), @r#"
        💬 Edited comment on [merge request 12](https://gitlab.example.org/acme/rocket/-/merge_requests/12#note_1244) in **acme/rocket** by Robin Example
        “Should the valve close first?”
        on: Add the second stage · [3f2c9d7b](https://gitlab.example.org/acme/rocket/-/commit/3f2c9d7be41a08c65d1e7f90ab34c8d2e6517a0b)
        "#);
    assert_eq!(sent("event: note, to: '@alice'", &body), "minor_update");
    assert_eq!(notified("event: note, to: '@alice'", &body), "minor_update");
    let created = example("note");
    assert_eq!(
        notified("action: update, to: '@alice'", &created),
        "no_rule"
    );
    let system = edited(json!({ "action": "update", "system": true }));
    assert_eq!(sent("action: update, to: '@alice'", &system), "system_note");
}

#[test]
fn an_update_of_an_issue_or_a_work_item_has_actions_too() {
    let body = |kind: &str| {
        update(
            kind,
            &json!({ "assignees": { "previous": [user(8, "kim")], "current": [user(8, "kim"), user(9, "lee")] } }),
        )
    };
    for kind in ["issue", "work_item"] {
        let rule = "action: assigned, to: new_assignees";
        assert_eq!(notified(rule, &body(kind)), "@lee", "{kind}");
        assert!(sent(rule, &body(kind)).contains(" assigned in "), "{kind}");
        assert_eq!(notified("to: '@alice'", &body(kind)), "minor_update");
    }
}

#[test]
fn new_reviewers_are_those_who_were_none_before_or_are_asked_again() {
    let mut again = user(8, "kim");
    again["re_requested"] = json!(true);
    let change = |previous: Value, current: Value| {
        update(
            "merge_request",
            &json!({ "reviewers": { "previous": previous, "current": current } }),
        )
    };
    let rule = "action: review_requested, to: new_reviewers";
    for (case, body, expected) in [
        (
            "one more",
            change(
                json!([user(8, "kim")]),
                json!([user(8, "kim"), user(9, "lee")]),
            ),
            "@lee",
        ),
        (
            "another one",
            change(json!([user(8, "kim")]), json!([user(9, "lee")])),
            "@lee",
        ),
        (
            "the first two",
            change(json!([]), json!([user(8, "kim"), user(9, "lee")])),
            "@kim @lee",
        ),
        (
            "asked again",
            change(json!([user(8, "kim")]), json!([again])),
            "@kim",
        ),
        // A review was submitted, which changes nothing but the state of the reviewer.
        (
            "the same",
            change(json!([user(8, "kim")]), json!([user(8, "kim")])),
            "no_rule",
        ),
        (
            "one less",
            change(json!([user(8, "kim")]), json!([])),
            "no_rule",
        ),
    ] {
        assert_eq!(notified(rule, &body), expected, "{case}");
    }
}

/// With rules, the new reviewer gets a message; without rules, nobody does.
#[tokio::test]
async fn a_request_for_a_review_is_sent_only_if_a_rule_asks_for_it() {
    let rules = "rules: [{event: mr, action: review_requested, to: new_reviewers}]";
    let body = update(
        "merge_request",
        &json!({ "reviewers": { "previous": [], "current": [user(9, "bob")] } }),
    );
    let body = body.to_string();
    let chat = FakeRocketChat::builder().users(&["alice", "bob"]);
    let chat = chat.start().await.expect("starts");
    let with_rule = [("ROCKETCHAT_RECIPIENT", ""), ("ROUTES", rules)];
    let function = Function::start(&chat, &with_rule);
    let delivery = recorded("Merge Request Hook", &body);
    assert_delivered(&function.post(&delivery).await);
    let message = chat.take_message();
    assert_eq!(message.recipient, "bob");
    assert!(
        message.text.contains(" got a review request in "),
        "{}",
        message.text
    );
    function.finish(chat.auth_token());
    let function = Function::start(&chat, &[]);
    let answer = function.post(&recorded("Merge Request Hook", &body)).await;
    assert_eq!(answer.status, 204);
    assert_eq!(answer.header("webhook-app-reason"), Some("minor_update"));
    function.finish(chat.auth_token());
    chat.finish();
}

#[test]
fn everybody_is_new_when_a_merge_request_is_opened() {
    let body = changed("merge_request", &json!({}));
    assert_eq!(
        notified("action: review_requested, to: new_reviewers", &body),
        "@robin"
    );
    assert_eq!(
        notified("action: assigned, to: new_assignees", &body),
        "@kim"
    );
    assert!(sent("action: assigned, to: '@alice'", &body).contains(" opened in "));
    // GitLab lists every field of a new object as changed.
    let listed = json!({ "changes": {
        "title": { "previous": null, "current": "x" }, "draft": { "previous": null, "current": false },
        "milestone_id": { "previous": null, "current": 3 },
    } });
    let body = changed("merge_request", &listed);
    assert_eq!(
        notified("action: [retitled, ready, milestoned], to: '@alice'", &body),
        "no_rule"
    );
    assert_eq!(notified("to: '@alice'", &body), "@alice");
}

#[test]
fn an_update_without_a_named_change_stays_a_minor_update() {
    let body = update(
        "merge_request",
        &json!({ "description": { "previous": "a", "current": "b" } }),
    );
    assert_eq!(sent("action: update, to: '@alice'", &body), "minor_update");
}

#[test]
fn a_rule_for_nobody_mutes_minor_updates() {
    let body = update(
        "merge_request",
        &json!({ "draft": { "previous": true, "current": false } }),
    );
    let rules = "rules: [{project: 'acme/**', to: nobody}, {action: ready, to: '@alice'}]";
    let rules = routing::parse(rules).expect("is valid");
    assert_eq!(recipients_of(&rules, &body), "nobody");
}

#[test]
fn a_rule_after_one_for_all_events_matches_minor_updates() {
    let body = update(
        "merge_request",
        &json!({ "draft": { "previous": true, "current": false } }),
    );
    let rules = "rules: [{to: '@bob'}, {action: ready, to: '@alice'}]";
    let rules = routing::parse(rules).expect("is valid");
    assert_eq!(recipients_of(&rules, &body), "@alice");
    assert_eq!(rules.warnings(), Vec::<String>::new());
}
