//! What rules and templates see of an event, where two readings were possible. Owns the decisions; what a
//! rule or a template does with an attribute is in `routing` and `templates`.

use serde_json::{Value, json};
use webhook_app::gitlab::event::Event;
use webhook_app::gitlab::kind::Kind;
use webhook_app::gitlab::participants::Person;
use webhook_app::limits::LIMITS;
use webhook_app::notifier::routing;

use crate::messages::{compose, fixtures, parse, pointers};
use crate::routing::{changed, example, recipients_of};

fn event(body: &Value) -> Event {
    parse(None, body.to_string().as_bytes()).expect("is an event")
}

/// The message, but for who triggered the event.
fn render(body: &Value) -> String {
    let (_, message) = compose(body).expect("is an event");
    let text = message.expect("has a message").text;
    text.replace(" by `Robin Example`", "")
        .replace(", started", "")
}

fn fixture(name: &str) -> Event {
    event(fixtures().get(name).expect("is a fixture"))
}

#[test]
fn a_merge_request_with_new_commits_is_a_push_that_update_matches_too() {
    let attributes = fixture("merge_request_with_new_commits").attributes;
    assert_eq!(attributes.action.as_deref(), Some("push"));
    assert_eq!(attributes.generic_action, Some("update"));
    let body = fixtures()["merge_request_with_new_commits"].clone();
    for (action, expected) in [
        ("push", "@alice"),
        ("update", "@alice"),
        ("open", "no_rule"),
        ("merge", "no_rule"),
    ] {
        let rules = format!("rules: [{{event: merge_request, action: {action}, to: '@alice'}}]");
        let rules = routing::parse(&rules).expect("is valid");
        assert_eq!(recipients_of(&rules, &body), expected, "{action}");
    }
}

#[test]
fn the_title_of_a_pipeline_is_that_of_its_commit_and_its_name_is_the_text() {
    let named = changed(
        "pipeline",
        &json!({ "object_attributes": { "name": "Nightly build" } }),
    );
    let attributes = event(&named).attributes;
    let without_name = event(&example("pipeline")).attributes;
    assert_eq!(attributes.title, without_name.title);
    assert_eq!(attributes.text.as_deref(), Some("Nightly build"));
    assert_eq!(without_name.text, None);
}

#[test]
fn the_title_and_the_committer_of_a_push_are_those_of_its_head() {
    for kind in ["push", "tag_push"] {
        let attributes = event(&example(kind)).attributes;
        assert!(attributes.title.is_some(), "{kind}");
        let committer = attributes.participants.committer;
        assert_eq!(attributes.participants.author, committer, "{kind}");
        let name = committer.as_ref().and_then(Person::display_name);
        assert!(name.is_some(), "{kind}");
    }
}

#[test]
fn gitlab_names_no_actor_of_a_membership_or_an_account() {
    for kind in ["member", "user", "group", "project", "key"] {
        let event = event(&example(kind));
        assert_eq!(event.attributes.participants.actor, None, "{kind}");
    }
}

#[test]
fn a_reaction_has_the_page_and_the_title_of_what_it_is_on_and_its_name_as_text() {
    let emoji = json!({ "object_attributes": { "name": "rocket" } });
    let attributes = event(&changed("emoji", &emoji)).attributes;
    assert!(attributes.page.is_some());
    assert!(attributes.title.is_some());
    assert_ne!(attributes.title, attributes.text);
    assert_eq!(attributes.text.as_deref(), Some("rocket"));
}

#[test]
fn a_repository_update_is_about_its_first_ref() {
    let attributes = event(&example("repository_update")).attributes;
    assert_eq!(attributes.reference.as_deref(), Some("main"));
}

#[test]
fn a_field_that_only_rules_want_never_makes_a_body_unreadable() {
    let odd = [
        json!(7),
        json!("x"),
        json!([[]]),
        json!({ "id": [] }),
        json!(null),
    ];
    for (kind, fields) in [
        ("push", &["ref_protected", "user_email"][..]),
        (
            "merge_request",
            &["user", "assignees", "reviewers", "labels", "changes"],
        ),
        ("issue", &["user", "assignees", "labels", "changes"]),
        ("note", &["user", "snippet"]),
        ("pipeline", &["user"]),
        (
            "job",
            &["user", "commit", "build_allow_failure", "environment"],
        ),
    ] {
        for field in fields {
            for value in &odd {
                let mut body = example(kind);
                body[*field] = value.clone();
                let read = render(&body);
                let plain = render(&example(kind));
                assert_eq!(read, plain, "{kind} {field} {value}");
            }
        }
    }
}

/// One member of one example at a time is huge: a text of 100 KB, or a list of 2,000 entries.
#[test]
fn an_event_is_small_however_large_its_body_is() {
    let mut large = Vec::new();
    for kind in Kind::known() {
        let example = example(kind.label());
        for pointer in pointers(&example, "") {
            let mut body = example.clone();
            let member = body.pointer_mut(&pointer).expect("exists");
            match member {
                Value::String(text) => text.push_str(&"x".repeat(100_000)),
                Value::Array(items) if !items.is_empty() => {
                    let item = items[0].clone();
                    items.resize(2_000, item);
                }
                _ => continue,
            }
            let Ok(event) = parse(None, body.to_string().as_bytes()) else {
                continue;
            };
            let size = format!("{event:?}").len();
            if size > 64 * 1024 {
                large.push(format!("{}{pointer}: {size} bytes", kind.label()));
            }
        }
    }
    assert_eq!(large, Vec::<String>::new());
}

#[test]
fn failed_jobs_beyond_the_limit_are_counted() {
    let failed = json!({ "name": "test", "status": "failed" });
    let body = changed(
        "pipeline",
        &json!({
            "object_attributes": { "status": "failed" },
            "builds": vec![failed; 150],
        }),
    );
    let attributes = event(&body).attributes;
    assert_eq!(attributes.failed_jobs.len(), LIMITS.events.max_list_entries);
    assert_eq!(attributes.failed_job_count, 150);
    let text = render(&body);
    assert!(text.contains(" and 145 more"), "{text}");
}
