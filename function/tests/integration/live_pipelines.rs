//! Live pipelines: in whatever order and on whichever replica the deliveries of a pipeline arrive, it has one
//! message, which shows the final status.

use fakes::gitlab::{Delivery, SAMPLE_KEY};
use fakes::rocketchat::FakeRocketChat;
use serde_json::{Value, json};

use crate::harness::{Function, assert_delivered};
use crate::routing::example;

/// The statuses that GitLab sends about one pipeline, in order.
const STATUSES: [&str; 4] = ["created", "pending", "running", "success"];

/// One delivery about a pipeline.
fn delivery(pipeline: u64, status: &str, finished_at: Option<&str>) -> Delivery {
    let mut body = example("pipeline");
    body["object_attributes"]["id"] = json!(pipeline);
    body["object_attributes"]["status"] = json!(status);
    body["object_attributes"]["finished_at"] = finished_at.map_or(Value::Null, Value::from);
    Delivery::new("Pipeline Hook", body.to_string()).signed_with(SAMPLE_KEY)
}

fn step(pipeline: u64, status: &str) -> Delivery {
    let end = (status == "success").then_some("2026-11-20 10:45:33 UTC");
    delivery(pipeline, status, end)
}

/// The `number`th permutation of four items.
fn permutation(mut number: usize) -> [usize; 4] {
    let mut left = vec![0, 1, 2, 3];
    [4, 3, 2, 1].map(|choices| {
        let chosen = left.remove(number % choices);
        number /= choices;
        chosen
    })
}

fn replicas(chat: &FakeRocketChat) -> [Function; 2] {
    [(); 2].map(|()| Function::start(chat, &[("LIVE_PIPELINES", "true")]))
}

#[tokio::test]
async fn deliveries_in_any_order_give_one_message_with_the_final_status() {
    let chat = FakeRocketChat::start().await;
    let replicas = replicas(&chat);
    for pipeline in 0..500 {
        let order = permutation(usize::try_from(pipeline * 7919).expect("is small"));
        for (turn, index) in order.into_iter().enumerate() {
            let answer = replicas[turn % 2]
                .post(&step(pipeline, STATUSES[index]))
                .await;
            assert_delivered(&answer);
        }
        let message = chat.take_message();
        assert!(
            message.text.contains(" passed on "),
            "{order:?}: {}",
            message.text
        );
        assert!(message.edits <= 1, "{order:?}: {} edits", message.edits);
    }
    assert_eq!(chat.messages().len(), 500);
    for replica in replicas {
        replica.finish(chat.auth_token());
    }
    chat.finish();
}

#[tokio::test]
async fn concurrent_deliveries_give_one_message_with_the_final_status() {
    let chat = FakeRocketChat::start().await;
    let [one, other] = replicas(&chat);
    for pipeline in 0..50 {
        let steps = STATUSES.map(|status| step(pipeline, status));
        let (created, pending, running, success) = tokio::join!(
            one.post(&steps[0]),
            other.post(&steps[1]),
            one.post(&steps[2]),
            other.post(&steps[3]),
        );
        for answer in [created, pending, running, success] {
            assert_delivered(&answer);
        }
        let message = chat.take_message();
        assert!(message.text.contains(" passed on "), "{}", message.text);
    }
    assert_eq!(chat.messages().len(), 50);
    for replica in [one, other] {
        replica.finish(chat.auth_token());
    }
    chat.finish();
}

#[tokio::test]
async fn a_retried_pipeline_shows_its_latest_result() {
    let chat = FakeRocketChat::start().await;
    let function = Function::start(&chat, &[("LIVE_PIPELINES", "true")]);
    let failed = delivery(31, "failed", Some("2026-11-20 10:45:33 UTC"));
    let passed = delivery(31, "success", Some("2026-11-20 11:00:00 UTC"));
    for webhook in [&failed, &step(31, "running"), &passed, &failed] {
        assert_delivered(&function.post(webhook).await);
    }
    let message = chat.take_message();
    assert!(message.text.contains(" passed on "), "{}", message.text);
    assert_eq!(message.edits, 1);
    function.finish(chat.auth_token());
    chat.finish();
}

#[tokio::test]
async fn a_pipeline_without_a_link_sends_only_its_final_status() {
    let chat = FakeRocketChat::start().await;
    let function = Function::start(&chat, &[("LIVE_PIPELINES", "true")]);
    let without_page = |status: &str| {
        let delivery = step(31, status);
        let mut body: Value = serde_json::from_slice(delivery.body()).expect("is JSON");
        body["project"]["web_url"] = Value::Null;
        Delivery::new("Pipeline Hook", body.to_string()).signed_with(SAMPLE_KEY)
    };
    assert_eq!(function.post(&without_page("running")).await.status, 204);
    assert_delivered(&function.post(&without_page("success")).await);
    chat.take_message();
    function.finish(chat.auth_token());
    chat.finish();
}

#[tokio::test]
async fn a_later_status_is_shown_whatever_the_time_zone_of_the_instance() {
    let chat = FakeRocketChat::start().await;
    let function = Function::start(&chat, &[("LIVE_PIPELINES", "true")]);
    let times = [
        ("2026-03-02 10:02:00 +0200", "2026-03-02 10:09:00 +0200"),
        ("2026-03-02 10:02:00 -0700", "2026-03-02 10:09:00 -0700"),
        // The clock goes back.
        ("2026-10-25 02:59:00 +0200", "2026-10-25 02:01:00 +0100"),
        ("2026-03-02T10:02:00+02:00", "2026-03-02 08:09:00 UTC"),
        ("2026-03-02T08:02:00", "2026-03-02T08:09:00.5Z"),
    ];
    for (pipeline, (early, late)) in (31..).zip(times) {
        let failed = delivery(pipeline, "failed", Some(early));
        let passed = delivery(pipeline, "success", Some(late));
        for webhook in [&failed, &passed, &failed] {
            assert_delivered(&function.post(webhook).await);
        }
        let text = chat.take_message().text;
        assert!(text.contains(" passed on "), "{early} {late}: {text}");
    }
    let lines = function.finish(chat.auth_token());
    assert!(!lines.iter().any(|line| line.contains("finished_at")));
    chat.finish();
}

#[tokio::test]
async fn an_unreadable_time_never_blocks_a_later_status_and_is_logged_once_per_delivery() {
    let chat = FakeRocketChat::start().await;
    let function = Function::start(&chat, &[("LIVE_PIPELINES", "true")]);
    let canary = "2. März, 10 Uhr";
    let deliveries = [
        ("failed", Some("2026-03-02 08:02:00 UTC"), " failed on "),
        ("success", Some(canary), " passed on "),
        ("failed", Some(canary), " failed on "),
        ("success", None, " passed on "),
        ("failed", Some("2026-03-02 08:09:00 UTC"), " failed on "),
    ];
    for (status, time, expected) in deliveries {
        assert_delivered(&function.post(&delivery(31, status, time)).await);
        assert_delivered(&function.post(&delivery(31, "running", time)).await);
        let messages = chat.messages();
        assert_eq!(messages.len(), 1);
        assert!(messages[0].text.contains(expected), "{messages:?}");
    }
    chat.mark_all_read();
    let lines = function.finish(chat.auth_token());
    let logged = lines
        .iter()
        .filter(|line| line.contains("object_attributes.finished_at"));
    assert_eq!(logged.count(), 3, "{lines:#?}");
    assert!(!lines.iter().any(|line| line.contains("Uhr")), "{lines:#?}");
    chat.finish();
}
