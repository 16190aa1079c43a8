//! One message a pipeline: whatever the order in which its deliveries come, and whichever replica
//! takes them, there is one message, and it tells the end.

use fakes::gitlab::{Delivery, SAMPLE_KEY};
use fakes::rocketchat::FakeRocketChat;
use serde_json::{Value, json};

use crate::harness::{Function, assert_delivered};
use crate::routing::sample;

/// What GitLab sends about one pipeline, in its order.
const WAY: [&str; 4] = ["created", "pending", "running", "success"];

/// One delivery about a pipeline.
fn delivery(pipeline: u64, status: &str, finished_at: Option<&str>) -> Delivery {
    let mut body = sample("pipeline");
    body["object_attributes"]["id"] = json!(pipeline);
    body["object_attributes"]["status"] = json!(status);
    body["object_attributes"]["finished_at"] = finished_at.map_or(Value::Null, Value::from);
    Delivery::new("Pipeline Hook", body.to_string()).signed_with(SAMPLE_KEY)
}

fn step(pipeline: u64, status: &str) -> Delivery {
    let end = (status == "success").then_some("2026-11-20 10:45:33 UTC");
    delivery(pipeline, status, end)
}

/// The `number`th order of four things.
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
async fn a_thousand_orders_of_a_pipelines_deliveries_end_in_its_end_with_one_message() {
    let chat = FakeRocketChat::start().await;
    let replicas = replicas(&chat);
    for pipeline in 0..1000 {
        let order = permutation(usize::try_from(pipeline * 7919).expect("is small"));
        for (turn, index) in order.into_iter().enumerate() {
            let answer = replicas[turn % 2].post(&step(pipeline, WAY[index])).await;
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
    assert_eq!(chat.messages().len(), 1000);
    for replica in replicas {
        replica.finish(chat.auth_token());
    }
    chat.finish();
}

#[tokio::test]
async fn deliveries_at_the_same_moment_end_in_the_end_too() {
    let chat = FakeRocketChat::start().await;
    let [one, other] = replicas(&chat);
    for pipeline in 0..50 {
        let steps = WAY.map(|status| step(pipeline, status));
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
async fn a_pipeline_that_is_tried_again_shows_its_latest_end() {
    let chat = FakeRocketChat::start().await;
    let function = Function::start(&chat, &[("LIVE_PIPELINES", "true")]);
    let failed = delivery(31, "failed", Some("2026-11-20 10:45:33 UTC"));
    let passed = delivery(31, "success", Some("2026-11-20 11:00:00 UTC"));
    for news in [&failed, &step(31, "running"), &passed, &failed] {
        assert_delivered(&function.post(news).await);
    }
    let message = chat.take_message();
    assert!(message.text.contains(" passed on "), "{}", message.text);
    assert_eq!(message.edits, 1);
    function.finish(chat.auth_token());
    chat.finish();
}

#[tokio::test]
async fn a_pipeline_that_cannot_be_linked_to_is_told_at_its_end_alone() {
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
