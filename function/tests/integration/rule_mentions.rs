//! The role `mentioned`: who is found in comments and descriptions, in which order, and who is left out.
//! What counts as a mention is in `gitlab::mention`.

use serde_json::{Value, json};
use webhook_app::limits::LIMITS;
use webhook_app::notifier::{SkipReason, routing};

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

#[test]
fn names_that_are_not_kept_are_counted_as_left_out() {
    let names = 0..LIMITS.events.max_list_entries + 5;
    let names: Vec<_> = names.map(|number| format!("@user{number}")).collect();
    let event = |text: &str| parse(None, note(text).to_string().as_bytes()).expect("is an event");
    let all = event(&names.join(" "));
    let left_out = |rules: &str| {
        let rules = routing::parse(rules).expect("is valid");
        rules.evaluate(&all).expect("are named").truncated
    };
    let expected = names.len() - LIMITS.routing.max_recipients;
    assert_eq!(left_out("rules: [{to: mentioned}]"), expected);
    assert_eq!(left_out("rules: [{to: '@alice'}]"), 0, "another role");
}

#[test]
fn a_text_that_is_not_read_to_its_end_is_reported_if_a_rule_asks_for_mentions() {
    let long = format!(
        "@lee {} @ada",
        "x ".repeat(LIMITS.events.max_json_string_bytes / 2)
    );
    let deep = format!(
        "@lee\n\n{}\n\n@ada",
        "> ".repeat(LIMITS.events.max_markdown_depth + 1)
    );
    let event = |text: &str| parse(None, note(text).to_string().as_bytes()).expect("is an event");
    let unread = |rules: &str, text: &str| {
        let rules = routing::parse(rules).expect("is valid");
        let recipients = rules.evaluate(&event(text));
        recipients
            .map(|found| found.mentions_unread)
            .map_err(SkipReason::label)
    };
    for text in [&long, &deep] {
        assert_eq!(unread("rules: [{to: mentioned}]", text), Ok(true));
        assert_eq!(unread("rules: [{to: '@alice'}]", text), Ok(false));
        let nobody = text.replace("@lee", "");
        assert_eq!(
            unread("rules: [{to: mentioned}]", &nobody),
            Err("mentions_unread")
        );
        assert_eq!(unread("rules: [{to: reviewers}]", &nobody), Err("unmapped"));
    }
    assert_eq!(unread("rules: [{to: mentioned}]", "@lee"), Ok(false));
}
