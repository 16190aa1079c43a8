//! `chat.postMessage`, with which Alertmanager sends.

use fakes::rocketchat::{FakeRocketChat, Route};
use serde_json::json;

use crate::client::call;

#[tokio::test]
async fn a_message_to_a_room_is_stored() {
    let chat = FakeRocketChat::start().await;
    chat.add_private_room("alerts", &[chat.username(), "alice"]);
    let attachments = json!([{"title": "down", "color": "#c62828"}]);

    let response = call(
        &chat,
        Route::PostMessage,
        &json!({"channel": "#alerts", "attachments": attachments}),
    )
    .await;

    assert_eq!(response.json()["success"], true);
    let message = chat.take_message();
    assert_eq!(message.recipient, "#alerts");
    assert_eq!(message.attachments, Some(attachments));
    chat.finish();
}

#[tokio::test]
async fn invalid_calls_are_refused() {
    let chat = FakeRocketChat::start().await;
    chat.expect_violation();
    chat.add_private_room("others", &["alice"]);
    for parameters in [
        json!({"text": "to nobody"}),
        json!({"channel": "#unknown", "text": "a"}),
        json!({"channel": "#others", "text": "not a member"}),
        json!({"channel": "@alice", "text": "a", "colour": "red"}),
        json!({"channel": "@alice", "attachments": [{"title_link": "javascript:a"}]}),
        json!({"channel": "@alice", "text": "x".repeat(5001)}),
    ] {
        let response = call(&chat, Route::PostMessage, &parameters).await;

        assert_eq!(response.status, 400, "{parameters}");
    }
    assert!(chat.messages().is_empty());
    chat.finish();
}
