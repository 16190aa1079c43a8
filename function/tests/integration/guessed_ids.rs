//! Message ids that other users can compute, and how they change: a stranger who occupies ids, a new secret,
//! and messages that were sent before ids were keyed.

use fakes::exchange::exchange;
use fakes::gitlab::{Delivery, SAMPLE_KEY};
use fakes::rocketchat::FakeRocketChat;
use serde_json::json;
use webhook_app::gitlab::event::Event;
use webhook_app::gitlab::verification::Verified;
use webhook_app::notifier::{fixed_pipeline, live_pipeline};
use webhook_app::rocketchat::{MessageIds, MessageKey, RoomId};

use crate::harness::{Function, Setting, assert_delivered};
use crate::routing::example;

const FIXED: &str = "rules: [{event: pipeline, status: [failed, fixed], to: '@alice'}]";
const FIRST: &str = "the-first-secret-of-32-characters";
const SECOND: &str = "the-second-secret-of-32-characters";

/// The body of a pipeline event.
fn pipeline(status: &str) -> String {
    let mut body = example("pipeline");
    body["object_attributes"]["status"] = json!(status);
    let finished = (status != "running").then_some("2026-11-20 10:45:33 UTC");
    body["object_attributes"]["finished_at"] = json!(finished);
    body.to_string()
}

fn delivery(body: &str) -> Delivery {
    Delivery::new("Pipeline Hook", body).signed_with(SAMPLE_KEY)
}

/// The ids that the messages about this event had before ids were keyed, which everybody can compute who knows
/// the event and the room.
fn public_ids(body: &str, room: &str) -> Vec<String> {
    let event = Event::parse(None, Verified::by_operator(body.as_bytes())).expect("is an event");
    let room = RoomId::parse(room).expect("is a room");
    let revision = event
        .attributes
        .pipeline_revision
        .as_ref()
        .expect("has one");
    let state = event.attributes.pipeline_state.as_ref().expect("has one");
    let keys = [
        live_pipeline::key(state),
        fixed_pipeline::failure(revision),
        fixed_pipeline::fix(revision),
        MessageKey::Content(event.meta.content_key.clone()),
    ];
    let ids = MessageIds::new(&"unknown".into(), None);
    let former = keys
        .iter()
        .map(|key| ids.former(&event.meta.instance, key, &room));
    former.flatten().map(|id| id.as_str().to_owned()).collect()
}

/// A message of the bot itself, as a version that did not key ids sent it.
async fn send_as_bot(chat: &FakeRocketChat, id: &str, room: &str, text: &str) {
    let body = json!({ "message": { "_id": id, "rid": room, "msg": text }, "previewUrls": [] });
    let url = format!("{}/api/v1/chat.sendMessage", chat.url());
    let header = |name: &str, value: &str| (name.to_owned(), value.as_bytes().to_vec());
    let headers = [
        header("x-user-id", chat.user_id()),
        header("x-auth-token", chat.auth_token()),
        header("content-type", "application/json"),
    ];
    let answer = exchange("POST", &url, &headers, body.to_string().as_bytes()).await;
    assert_eq!(answer.expect("is answered").status, 200);
}

#[tokio::test]
async fn a_stranger_cannot_suppress_a_message_by_taking_its_id() {
    let settings: [&[Setting<'_>]; 3] = [
        &[("LIVE_PIPELINES", "true")],
        &[("ROCKETCHAT_RECIPIENT", ""), ("ROUTES", FIXED)],
        &[("ACCEPT_MISSING_IDEMPOTENCY_KEY", "true")],
    ];
    for overrides in settings {
        let chat = FakeRocketChat::start().await;
        let room = chat.direct_room(&[chat.username(), "alice"]);
        let elsewhere = chat.direct_room(&["bob", "carol"]);
        let function = Function::start(&chat, overrides);
        let bodies = ["failed", "success"].map(pipeline);
        for (body, place) in bodies.iter().zip([&room, &elsewhere]) {
            for id in public_ids(body, &room) {
                let _taken_before = chat.occupy(&id, "bob", place);
            }
        }
        let before = chat.messages().len();
        for body in &bodies {
            let delivery = delivery(body);
            let delivery = match overrides {
                [("ACCEPT_MISSING_IDEMPOTENCY_KEY", _)] => delivery.without("idempotency-key"),
                _ => delivery,
            };
            assert_delivered(&function.post(&delivery).await);
        }
        let own = chat.messages().len() - before;
        let expected = if overrides[0].0 == "LIVE_PIPELINES" {
            1
        } else {
            2
        };
        assert_eq!(own, expected, "{overrides:?}");
        chat.mark_all_read();
        function.finish(chat.auth_token());
        chat.finish();
    }
}

#[tokio::test]
async fn a_message_under_the_former_secret_is_found() {
    let chat = FakeRocketChat::start().await;
    let both = format!("{SECOND},{FIRST}");
    for (secret, status) in [(FIRST, "running"), (&both, "success"), (&both, "success")] {
        let overrides = [("LIVE_PIPELINES", "true"), ("MESSAGE_ID_SECRET", secret)];
        let function = Function::start(&chat, &overrides);
        assert_delivered(&function.post(&delivery(&pipeline(status))).await);
        function.finish(chat.auth_token());
    }
    let message = chat.take_message();
    assert!(message.text.contains(" passed "), "{}", message.text);
    // A secret that is not known costs one more message.
    let overrides = [("LIVE_PIPELINES", "true"), ("MESSAGE_ID_SECRET", SECOND)];
    let function = Function::start(&chat, &overrides);
    assert_delivered(&function.post(&delivery(&pipeline("success"))).await);
    chat.take_message();
    function.finish(chat.auth_token());
    chat.finish();
}

#[tokio::test]
async fn messages_that_were_sent_before_ids_were_keyed_are_found() {
    let chat = FakeRocketChat::start().await;
    let room = chat.direct_room(&[chat.username(), "alice"]);
    let [running, failed, success] = ["running", "failed", "success"].map(pipeline);

    let live = &public_ids(&running, &room)[0];
    let text = "[31](https://gitlab.example.com/acme/rocket/-/pipelines/31#at-0) runs";
    send_as_bot(&chat, live, &room, text).await;
    let function = Function::start(&chat, &[("LIVE_PIPELINES", "true")]);
    assert_delivered(&function.post(&delivery(&success)).await);
    let message = chat.take_message();
    assert_eq!((&message.id, message.edits), (live, 1));
    function.finish(chat.auth_token());

    let failure = &public_ids(&failed, &room)[1];
    send_as_bot(&chat, failure, &room, "it failed").await;
    let function = Function::start(&chat, &[("ROCKETCHAT_RECIPIENT", ""), ("ROUTES", FIXED)]);
    let answer = function.post(&delivery(&failed)).await;
    assert_eq!(answer.json()["message_id"], json!(failure));
    chat.take_message();
    assert_delivered(&function.post(&delivery(&success)).await);
    assert!(chat.take_message().text.contains(" passed again "));
    function.finish(chat.auth_token());
    chat.finish();
}

#[tokio::test]
async fn where_editing_is_forbidden_the_final_status_is_a_message_of_its_own() {
    let chat = FakeRocketChat::builder().editing_forbidden().start().await;
    let chat = chat.expect("listens");
    let function = Function::start(&chat, &[("LIVE_PIPELINES", "true")]);
    for status in ["running", "success", "success"] {
        assert_delivered(&function.post(&delivery(&pipeline(status))).await);
    }
    let texts = [chat.take_message().text, chat.take_message().text];
    assert!(texts[1].contains(" passed "), "{texts:?}");
    function.finish(chat.auth_token());
    chat.finish();
}
