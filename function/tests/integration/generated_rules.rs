//! Generated rules against all recorded payloads and systematic changes of them: a warning that a rule
//! never matches is always right, and a rule without a warning can match.

use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};
use webhook_app::gitlab::event::Event;
use webhook_app::gitlab::kind::Kind;
use webhook_app::notifier::routing::{self, RoutingRules};

use crate::messages::{fixtures, parse};
use crate::routing::{changed, recipients_of_event};

/// The recorded payloads, and every value that GitLab can send of what rules can ask for.
static EVENTS: LazyLock<Vec<Event>> = LazyLock::new(|| {
    let mut bodies: Vec<_> = fixtures().into_values().collect();
    bodies.extend(pipelines());
    bodies.extend(jobs_and_deployments());
    bodies.extend(pushes());
    bodies.extend(merge_requests_and_issues());
    bodies.extend(comments());
    bodies.extend(of_other_kinds());
    let bodies = bodies.into_iter().map(|body| body.to_string());
    let events = bodies.filter_map(|body| parse(None, body.as_bytes()).ok());
    events.collect()
});

const STATUSES: [&str; 13] = [
    "created",
    "waiting_for_resource",
    "waiting_for_callback",
    "preparing",
    "pending",
    "running",
    "canceling",
    "manual",
    "scheduled",
    "success",
    "failed",
    "canceled",
    "skipped",
];

const SOURCES: [&str; 3] = ["push", "schedule", "parent_pipeline"];

fn pipelines() -> Vec<Value> {
    let mut bodies = Vec::new();
    for source in SOURCES {
        for protected in [true, false] {
            let mut add = |status: &str, detailed: &str| {
                let values = json!({ "status": status, "detailed_status": detailed, "source": source, "protected_ref": protected });
                bodies.push(changed("pipeline", &json!({ "object_attributes": values })));
            };
            for status in STATUSES {
                let detailed = if status == "success" {
                    "passed"
                } else {
                    status
                };
                add(status, detailed);
            }
            add("success", "passed with warnings");
        }
    }
    bodies
}

fn jobs_and_deployments() -> Vec<Value> {
    let mut bodies = Vec::new();
    for status in STATUSES {
        for may_fail in [true, false] {
            let values = json!({ "build_status": status, "build_allow_failure": may_fail });
            bodies.push(changed("job", &values));
        }
    }
    for status in [
        "created", "running", "success", "failed", "canceled", "skipped", "blocked",
    ] {
        bodies.push(changed("deployment", &json!({ "status": status })));
    }
    bodies
}

fn pushes() -> Vec<Value> {
    let zeros = "0".repeat(40);
    let mut bodies = Vec::new();
    for kind in ["push", "tag_push"] {
        for protected in [true, false] {
            let mut moved = changed(kind, &json!({ "ref_protected": protected }));
            moved["before"] = json!("b7d04e19c2f86a53e0917bd4c6a2f1835e90dc74");
            moved["commits"][0]["author"] = json!({ "name": "Kim", "email": "kim@example.org" });
            moved["total_commits_count"] = json!(1);
            let mut created = moved.clone();
            created["before"] = json!(zeros);
            let mut deleted = moved.clone();
            deleted["after"] = json!(zeros);
            deleted["checkout_sha"] = Value::Null;
            deleted["commits"] = json!([]);
            deleted["total_commits_count"] = json!(0);
            bodies.extend([moved, created, deleted]);
        }
    }
    bodies
}

/// The changes of an update, each as the field of the body and the action.
fn changes() -> Vec<Value> {
    let kim = json!([{ "id": 8, "name": "Kim", "username": "kim" }]);
    let change =
        |previous: Value, current: Value| json!({ "previous": previous, "current": current });
    vec![
        json!({ "title": change(json!("a"), json!("b")) }),
        json!({ "labels": change(json!([]), json!([{ "id": 1, "title": "bug" }])) }),
        json!({ "milestone_id": change(json!(1), json!(2)) }),
        json!({ "assignees": change(json!([]), kim.clone()) }),
        json!({ "reviewers": change(json!([]), kim) }),
        json!({ "target_branch": change(json!("next"), json!("main")) }),
        json!({}),
    ]
}

fn merge_requests_and_issues() -> Vec<Value> {
    let labels = json!([{ "id": 1, "title": "bug" }]);
    let mut bodies = Vec::new();
    let mut add = |kind: &str, attributes: Value, changes: &Value| {
        let all = json!({ "object_attributes": attributes, "changes": changes, "labels": labels });
        bodies.push(changed(kind, &all));
    };
    for kind in ["issue", "work_item"] {
        for action in ["open", "close", "reopen"] {
            add(kind, json!({ "action": action }), &json!({}));
        }
        let of_issues =
            |changes: &Value| changes["reviewers"].is_null() && changes["target_branch"].is_null();
        for changes in changes().iter().filter(|changes| of_issues(changes)) {
            add(kind, json!({ "action": "update" }), changes);
        }
    }
    for draft in [true, false] {
        for action in [
            "open",
            "close",
            "reopen",
            "merge",
            "approved",
            "approval",
            "unapproved",
            "unapproval",
        ] {
            add(
                "merge_request",
                json!({ "action": action, "draft": draft }),
                &json!({}),
            );
        }
        let became = json!({ "draft": { "previous": !draft, "current": draft } });
        for changes in changes().into_iter().chain([became]) {
            let mut update = json!({ "action": "update", "draft": draft });
            add("merge_request", update.clone(), &changes);
            update["oldrev"] = json!("b7d04e19c2f86a53e0917bd4c6a2f1835e90dc74");
            add("merge_request", update, &changes);
        }
    }
    bodies
}

fn comments() -> Vec<Value> {
    let mut bodies = Vec::new();
    for (kind, actions) in [
        ("note", ["create", "update"]),
        ("emoji", ["award", "revoke"]),
    ] {
        for action in actions {
            for draft in [true, false] {
                let on = json!({ "draft": draft, "labels": [{ "title": "bug" }], "author_id": 7 });
                let values =
                    json!({ "object_attributes": { "action": action }, "merge_request": on });
                bodies.push(changed(kind, &values));
            }
        }
    }
    bodies
}

fn of_other_kinds() -> Vec<Value> {
    let mut bodies = Vec::new();
    for action in ["create", "update", "delete"] {
        bodies.push(changed("release", &json!({ "action": action })));
        let values = json!({ "object_attributes": { "action": action } });
        bodies.push(changed("wiki_page", &values));
    }
    for action in ["create", "close", "reopen"] {
        bodies.push(changed("milestone", &json!({ "action": action })));
    }
    for state in ["detected", "confirmed", "dismissed", "resolved"] {
        let values = json!({ "object_attributes": { "state": state } });
        bodies.push(changed("vulnerability", &values));
    }
    for kind in ["group", "subgroup"] {
        bodies.push(changed(kind, &json!({ "full_path": "acme/engines" })));
    }
    bodies
}

/// Conditions with one value, as they stand in a rule.
fn conditions() -> Vec<String> {
    let mut conditions: Vec<_> = [
        "project: '**'",
        "project: acme/**",
        "ref: '**'",
        "labels: bug",
        "labels: '*'",
        "paths: src/**",
        "paths: '**'",
        "actor: '*'",
        "author: '**'",
        "status: blocked",
        "status: [failed, fixed]",
    ]
    .map(str::to_owned)
    .into();
    for key in ["protected", "allowed_failure", "draft"] {
        conditions.extend([true, false].map(|value| format!("{key}: {value}")));
    }
    conditions.extend(STATUSES.map(|status| format!("status: {status}")));
    conditions.extend(SOURCES.map(|source| format!("source: {source}")));
    conditions.extend(ACTIONS.map(|action| format!("action: {action}")));
    conditions
}

const ACTIONS: [&str; 26] = [
    "open",
    "close",
    "reopen",
    "merge",
    "update",
    "push",
    "approved",
    "approval",
    "unapproved",
    "unapproval",
    "review_requested",
    "assigned",
    "ready",
    "draft",
    "retitled",
    "relabeled",
    "retargeted",
    "milestoned",
    "create",
    "delete",
    "award",
    "revoke",
    "detected",
    "confirmed",
    "dismissed",
    "resolved",
];

fn key(condition: &str) -> &str {
    condition.split(':').next().unwrap_or_default()
}

/// A rule for confidential events too; `None` if it is an error.
fn rule(conditions: &str) -> Option<RoutingRules> {
    let text = format!("rules: [{{{conditions}, confidential: true, to: '@alice'}}]");
    routing::parse(&text).ok()
}

/// Whether a rule matches the event, whomever it notifies.
fn matches(rules: &RoutingRules, event: &Event) -> bool {
    let found = recipients_of_event(rules, event);
    ![
        "no_rule",
        "confidential",
        "not_final",
        "minor_update",
        "recipient_redacted",
    ]
    .contains(&found.as_str())
}

fn matches_any(rules: &RoutingRules, kind: Option<Kind>) -> bool {
    let is_of_kind = |event: &&Event| kind.is_none_or(|kind| event.kind() == kind);
    let mut events = EVENTS.iter().filter(is_of_kind);
    events.any(|event| matches(rules, event))
}

fn assert_warning_is_right(conditions: &str, kind: Option<Kind>) {
    let Some(rules) = rule(conditions) else {
        return;
    };
    let warnings = rules.warnings().join("\n");
    let can_match = matches_any(&rules, kind);
    assert!(
        !can_match || !warnings.contains("never matches"),
        "{conditions} matches: {warnings}"
    );
    assert!(
        can_match || !warnings.is_empty(),
        "{conditions} matches nothing"
    );
}

/// The reverse is not true of `not:`: whatever is excluded may be all that there is.
fn assert_never_is_right(conditions: &str, kind: Kind) {
    let Some(rules) = rule(conditions) else {
        return;
    };
    let warnings = rules.warnings();
    let is_never = |text: &String| text.starts_with("ROUTES: rule 1 (line 1) never matches");
    assert!(
        !warnings.iter().any(is_never) || !matches_any(&rules, Some(kind)),
        "{conditions} matches: {warnings:?}"
    );
}

#[test]
fn a_rule_with_two_conditions_matches_something_or_has_a_warning() {
    let conditions = conditions();
    for kind in Kind::known() {
        let alone = |condition: &&String| {
            let text = format!("event: {}, {condition}", kind.label());
            assert_warning_is_right(&text, Some(kind));
            rule(&text).is_none_or(|rules| rules.warnings().is_empty())
        };
        let possible: Vec<_> = conditions.iter().filter(alone).collect();
        for (at, one) in possible.iter().enumerate() {
            let others = possible[at + 1..].iter();
            for other in others.filter(|other| key(other) != key(one)) {
                let text = format!("event: {}, {one}, {other}", kind.label());
                assert_warning_is_right(&text, Some(kind));
            }
            for other in &possible {
                let text = format!("event: {}, {one}, not: {{{other}}}", kind.label());
                assert_never_is_right(&text, kind);
            }
        }
    }
}

#[test]
fn a_rule_for_no_kind_matches_something_or_has_a_warning() {
    let conditions = conditions();
    for (at, one) in conditions.iter().enumerate() {
        assert_warning_is_right(one, None);
        let others = conditions[at + 1..].iter();
        for other in others.filter(|other| key(other) != key(one)) {
            assert_warning_is_right(&format!("{one}, {other}"), None);
        }
    }
}

/// A map of some conditions, each key once.
fn some_conditions(most: usize) -> impl Strategy<Value = String> {
    let mut all = conditions();
    all.extend(
        [
            "ref: main",
            "ref: 'ma*'",
            "project: acme/rocket",
            "project: 'acme/*'",
            "actor: robin",
            "event: merge_request",
            "event: [push, tag_push]",
            "event: pipeline",
            "event: [pipeline, job]",
            "event: note",
            "event: [release, wiki_page]",
            "event: issue",
            "action: [open, update]",
            "action: [close, merge]",
            "status: [success, failed]",
        ]
        .map(str::to_owned),
    );
    // Fewer of the values that few rules share, so that one rule often hides the other.
    all.retain(|it| !it.starts_with("status: c") && !it.starts_with("status: wait"));
    subsequence(all, 0..=most).prop_map(|conditions| {
        let mut seen = Vec::new();
        let mut kept = conditions;
        kept.retain(|condition| {
            let is_new = !seen.contains(&key(condition).to_owned());
            seen.push(key(condition).to_owned());
            is_new
        });
        kept.join(", ")
    })
}

/// A rule as YAML.
fn some_rule(to: &'static str) -> impl Strategy<Value = String> {
    let others = select(vec!["", "", "", "", "confidential: true, ", "to: nobody, "]);
    (some_conditions(2), some_conditions(1), others).prop_map(move |(conditions, not, others)| {
        let separator = if conditions.is_empty() { "" } else { ", " };
        let to = if others.contains("to:") {
            String::new()
        } else {
            format!("to: '{to}', ")
        };
        format!("{{{conditions}{separator}{others}{to}not: {{{not}}}}}")
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// No event reaches a rule of which a warning says that it is never evaluated.
    #[test]
    fn a_rule_that_is_said_to_be_hidden_gets_no_event(
        first in some_rule("@first"), second in some_rule("@second"),
    ) {
        let parsed = |rules: &[&String]| {
            let rules: Vec<_> = rules.iter().map(|it| it.as_str()).collect();
            routing::parse(&format!("rules: [{}]", rules.join(", "))).ok()
        };
        let both = parsed(&[&first, &second]);
        if let (Some(both), Some(first), Some(second)) = (both, parsed(&[&first]), parsed(&[&second])) {
            let is_hidden = both.warnings().iter().any(|text| text.contains("never evaluated"));
            for event in EVENTS.iter().filter(|_| is_hidden) {
                let is_right = matches(&first, event) || !matches(&second, event);
                prop_assert!(is_right, "{first:?} {second:?}: {event:?}");
            }
        }
    }
}
