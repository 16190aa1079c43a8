//! The role `mentioned`: who is found in comments and descriptions, in which order, and who is left out.
//! What counts as a mention is in `gitlab::mention`.

use serde_json::{Value, json};
use webhook_app::limits::LIMITS;
use webhook_app::notifier::routing;

use crate::messages::parse;
use crate::routing::{changed, recipients_of};

fn note(text: &str) -> Value {
    changed("note", &json!({ "object_attributes": { "note": text } }))
}

fn notified(rules: &str, body: &Value) -> String {
    recipients_of(&routing::parse(rules).expect("is valid"), body)
}

#[test]
fn users_whom_a_comment_or_a_description_mentions_are_notified() {
    let description = |kind: &str, text: &str| {
        changed(
            kind,
            &json!({ "object_attributes": { "description": text } }),
        )
    };
    let text = "first line\n\n@lee and `@code`, @Lee, @acme/engines; @robin\n";
    let rules = "users: {lee: lee.rocket}\nrules: [{to: mentioned}]";
    for (case, body) in [
        ("comment", note(text)),
        ("merge request", description("merge_request", text)),
        ("issue", description("issue", text)),
        ("work item", description("work_item", text)),
    ] {
        // Robin wrote it.
        assert_eq!(notified(rules, &body), "@lee.rocket", "{case}");
    }
    assert_eq!(notified(rules, &note("nobody in particular")), "unmapped");
}

#[test]
fn mentioned_users_come_last_and_are_left_out_first() {
    let names = 0..LIMITS.routing.max_recipients + 5;
    let names: Vec<_> = names.map(|number| format!("@user{number}")).collect();
    let body = note(&names.join(" "));
    let rules = "rules: [{to: [mentioned, '@first'], continue: true}, {to: '@second'}]";
    let rules = routing::parse(rules).expect("is valid");
    let event = parse(None, body.to_string().as_bytes()).expect("is an event");
    let recipients = rules.evaluate(&event).expect("are named");
    let labels: Vec<_> = recipients
        .list
        .iter()
        .map(routing::Recipient::label)
        .collect();
    assert_eq!(labels[..4], ["@first", "@second", "@user0", "@user1"]);
    assert_eq!(labels.len(), LIMITS.routing.max_recipients);
    assert_eq!(recipients.truncated, 7);
}

#[test]
fn a_user_who_is_mentioned_and_named_is_notified_once() {
    let body = note("@alice @lee");
    assert_eq!(
        notified("rules: [{to: [mentioned, '@alice']}]", &body),
        "@alice @lee"
    );
}
