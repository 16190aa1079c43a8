//! Accounts that change while the server runs: lost roles, deactivated and renamed users.

use fakes::exchange::Response;
use fakes::rocketchat::{FakeRocketChat, Route};
use serde_json::{Value, json};

use crate::client::{call, read, room, send};

async fn info(chat: &FakeRocketChat, username: &str) -> Response {
    call(chat, Route::UserInfo, &json!({ "username": username })).await
}

async fn create(chat: &FakeRocketChat, username: &str) -> Response {
    let asked = json!({ "username": username });
    call(chat, Route::CreateDirectMessage, &asked).await
}

#[tokio::test]
async fn user_info_tells_active_deactivated_and_unknown_users_apart() {
    let chat = FakeRocketChat::builder().deactivated(&["dave"]).start();
    let chat = chat.await.expect("a free port");

    let active = info(&chat, "alice").await;
    let deactivated = info(&chat, "dave").await;

    assert_eq!(active.json()["user"]["active"], true);
    assert_eq!(deactivated.status, 200);
    assert_eq!(deactivated.json()["user"]["active"], false);
    for unknown in ["nobody", "Alice", "ALICE"] {
        let response = info(&chat, unknown).await;
        let expected = json!({ "success": false, "error": "User not found." });
        assert_eq!((response.status, response.json()), (400, expected));
    }
    chat.finish();
}

#[tokio::test]
async fn user_info_shows_the_roles_of_the_own_account_only() {
    let chat = FakeRocketChat::start().await;

    let own = info(&chat, chat.username()).await;
    let other = info(&chat, "alice").await;

    assert_eq!(own.json()["user"]["roles"], json!(["user", "bot"]));
    assert_eq!(other.json()["user"]["roles"], Value::Null);
    chat.finish();
}

#[tokio::test]
async fn a_room_with_a_deactivated_user_is_read_only_until_activated() {
    let chat = FakeRocketChat::builder().deactivated(&["dave"]).start();
    let chat = chat.await.expect("a free port");

    let created = create(&chat, "dave").await;
    let room_id = created.json()["room"]["rid"].clone();
    let room_id = room_id.as_str().expect("a room id");
    let refused = send(&chat, room_id, "gl1", "hello").await;
    chat.activate_user("dave");
    let accepted = send(&chat, room_id, "gl1", "hello").await;

    assert_eq!(created.status, 200);
    let error = "You can't send messages because the room is readonly.";
    let expected = json!({ "success": false, "error": error });
    assert_eq!((refused.status, refused.json()), (400, expected));
    assert_eq!(accepted.status, 200);
    assert_eq!(chat.take_message().recipient, "dave");
    chat.finish();
}

#[tokio::test]
async fn a_room_that_is_created_after_the_deactivation_is_not_read_only() {
    let chat = FakeRocketChat::start().await;
    chat.deactivate_user("alice");

    let room_id = room(&chat).await;
    let accepted = send(&chat, &room_id, "gl1", "hello").await;

    assert_eq!(accepted.status, 200);
    chat.take_message();
    chat.finish();
}

#[tokio::test]
async fn a_bot_without_roles_can_neither_create_nor_use_rooms() {
    let chat = FakeRocketChat::start().await;
    let room_id = room(&chat).await;
    send(&chat, &room_id, "gl1", "hello").await;
    chat.mark_all_read();
    chat.set_roles(&[]);

    let created = create(&chat, "alice").await;
    let sent = send(&chat, &room_id, "gl2", "hello").await;
    let found = read(&chat, "gl1").await;
    let edit = json!({ "roomId": room_id, "msgId": "gl1", "text": "x", "previewUrls": [] });
    let edited = call(&chat, Route::UpdateMessage, &edit).await;
    let asked = json!({ "roomId": room_id });
    let described = call(&chat, Route::RoomInfo, &asked).await;
    let me = call(&chat, Route::Me, &json!({})).await;

    let thrown = json!({
        "success": false,
        "error": "Not allowed [error-not-allowed]",
        "errorType": "error-not-allowed",
        "details": { "method": "createDirectMessage" },
    });
    assert_eq!((created.status, created.json()), (400, thrown));
    let plain = json!({ "success": false, "error": "error-not-allowed" });
    assert_eq!((sent.status, sent.json()), (400, plain.clone()));
    assert_eq!((edited.status, edited.json()), (400, plain));
    assert_eq!(found.json()["errorType"], "error-not-allowed");
    let hidden = json!({ "success": false, "error": "not-allowed", "errorType": "Not Allowed" });
    assert_eq!((described.status, described.json()), (400, hidden));
    assert_eq!(me.json()["roles"], json!([]));
    chat.finish();
}

#[tokio::test]
async fn a_bot_that_loses_the_role_bot_is_limited_and_can_send() {
    let chat = FakeRocketChat::start().await;
    let room_id = room(&chat).await;
    chat.set_roles(&["user"]);

    let sent = send(&chat, &room_id, "gl1", "hello").await;
    let own = info(&chat, chat.username()).await;

    assert_eq!(sent.status, 200);
    assert_eq!(sent.header("X-RateLimit-Remaining"), Some("9"));
    assert_eq!(own.json()["user"]["roles"], json!(["user"]));
    chat.take_message();
    chat.finish();
}

#[tokio::test]
async fn a_renamed_user_keeps_the_room_and_a_new_owner_of_the_name_gets_another() {
    let chat = FakeRocketChat::start().await;
    let before = room(&chat).await;
    chat.rename_user("alice", "alice2");
    let gone = create(&chat, "alice").await;
    chat.add_user("alice");

    let after = room(&chat).await;
    let renamed = create(&chat, "alice2").await;
    send(&chat, &before, "gl1", "to the former alice").await;
    send(&chat, &after, "gl2", "to the new alice").await;

    assert_eq!(gone.json()["errorType"], "error-invalid-user");
    assert_ne!(before, after);
    assert_eq!(renamed.json()["room"]["rid"], before);
    let usernames = &renamed.json()["room"]["usernames"];
    assert_eq!(usernames, &json!(["gitlab-bot", "alice2"]));
    assert_eq!(chat.take_message().recipient, "alice2");
    assert_eq!(chat.take_message().recipient, "alice");
    chat.finish();
}
