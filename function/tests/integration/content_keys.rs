//! The identity of events of GitLab before 17.4, which sends no key: two events of one kind that differ in a time or
//! a state are two, and a resend is the same event. Identities themselves are pinned in `message_ids`.

use fakes::gitlab::Delivery;
use serde_json::{Value, json};

use crate::harness::{Harness, TOKEN, assert_delivered};
use crate::messages::{fixtures, parse};
use crate::routing::example;

fn key(body: &Value) -> String {
    let event = parse(None, body.to_string().as_bytes()).expect("is an event");
    event.meta.content_key.as_str().to_owned()
}

#[test]
fn a_time_and_a_state_distinguish_events() {
    let cases = [
        ("pipeline", "/object_attributes/finished_at"),
        ("pipeline", "/object_attributes/status"),
        ("job", "/build_started_at"),
        ("job", "/build_finished_at"),
        ("job", "/build_status"),
        ("deployment", "/status_changed_at"),
        ("deployment", "/status"),
        ("merge_request", "/object_attributes/updated_at"),
        ("merge_request", "/object_attributes/state"),
        ("issue", "/object_attributes/updated_at"),
        ("issue", "/object_attributes/state"),
        ("work_item", "/object_attributes/updated_at"),
        ("note", "/object_attributes/updated_at"),
        ("emoji", "/object_attributes/updated_at"),
        ("milestone", "/object_attributes/updated_at"),
        ("milestone", "/object_attributes/state"),
        ("vulnerability", "/object_attributes/updated_at"),
        ("vulnerability", "/object_attributes/state"),
        ("release", "/released_at"),
        ("member", "/group_access"),
        ("user", "/updated_at"),
    ];
    for (kind, pointer) in cases {
        let with = |value: &str| {
            let mut body = example(kind);
            let (parent, name) = pointer.rsplit_once('/').expect("has a name");
            let parent = body.pointer_mut(parent).expect("is in the example");
            parent[name] = json!(value);
            key(&body)
        };
        assert_ne!(with("one"), with("other"), "{kind}{pointer}");
        assert_eq!(with("one"), with("one"), "{kind}{pointer}");
    }
}

#[test]
fn a_feature_flag_that_is_switched_back_has_the_key_of_the_first_time() {
    let on = fixtures()["feature_flag_on"].clone();
    let text = on.to_string();
    assert!(!text.contains("_at\""), "{text}");
    assert_eq!(key(&on), key(&fixtures()["feature_flag_on"]));
    assert_ne!(key(&on), key(&fixtures()["feature_flag_off"]));
}

#[tokio::test]
async fn a_pipeline_that_fails_passes_and_fails_again_without_keys_sends_three_messages() {
    let settings = [
        ("GITLAB_SIGNING_KEYS", ""),
        ("GITLAB_WEBHOOK_TOKENS", TOKEN),
        ("ACCEPT_MISSING_IDEMPOTENCY_KEY", "true"),
    ];
    let harness = Harness::with(&settings).await;
    let delivery = |status: &str, minute: u8| {
        let mut body = example("pipeline");
        body["object_attributes"]["status"] = json!(status);
        body["object_attributes"]["finished_at"] =
            json!(format!("2023-03-02 10:{minute}:00 +0200"));
        Delivery::new("Pipeline Hook", body.to_string())
            .token(TOKEN)
            .without("idempotency-key")
            .without("webhook-id")
    };
    for webhook in [
        delivery("failed", 10),
        delivery("success", 11),
        delivery("failed", 12),
    ] {
        assert_delivered(&harness.post(&webhook).await);
        assert_delivered(&harness.post(&webhook).await);
    }
    let messages = harness.chat.messages();
    let failed = messages
        .iter()
        .filter(|message| message.text.contains(" failed on "));
    assert_eq!((messages.len(), failed.count()), (3, 2), "{messages:?}");
    harness.chat.mark_all_read();
    harness.finish();
}
