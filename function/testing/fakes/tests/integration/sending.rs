//! Calls that succeed: creating a room, and sending, reading and editing a message.

use fakes::rocketchat::{FakeRocketChat, Route};
use serde_json::json;

use crate::client::{call, message, read, room, send};

#[tokio::test]
async fn a_stored_message_has_all_its_fields() {
    let chat = FakeRocketChat::start().await;
    let room_id = room(&chat).await;

    let response = send(&chat, &room_id, "gl1", "pushed 3f2c9d7b").await;

    assert_eq!(response.status, 200);
    let body = response.json();
    assert_eq!(body["success"], true);
    assert_eq!(body["message"]["_id"], "gl1");
    assert_eq!(body["message"]["rid"], room_id);
    assert_eq!(body["message"]["msg"], "pushed 3f2c9d7b");
    assert_eq!(body["message"]["u"]["_id"], chat.user_id());
    let message = chat.take_message();
    assert_eq!(message.id, "gl1");
    assert_eq!(message.room_id, room_id);
    assert_eq!(message.recipient, "alice");
    assert_eq!(message.sender, chat.username());
    assert_eq!(message.preview_urls, Some(vec![]));
    assert!(message.mentions.is_empty());
    assert_eq!(chat.inserts("gl1"), 1);
    chat.finish();
}

#[tokio::test]
async fn a_room_id_is_the_sorted_user_ids_and_a_room_is_created_once() {
    let chat = FakeRocketChat::start().await;

    let asked = json!({ "username": "alice" });
    let first = call(&chat, Route::CreateDirectMessage, &asked).await.json();
    let second = call(&chat, Route::CreateDirectMessage, &asked).await.json();

    let alice = call(&chat, Route::UserInfo, &asked).await.json();
    let alice = alice["user"]["_id"].as_str().expect("an id").to_owned();
    let mut ids = [alice, chat.user_id().to_owned()];
    ids.sort();
    let expected = json!({
        "room": {
            "_id": ids.concat(),
            "rid": ids.concat(),
            "t": "d",
            "usernames": ["gitlab-bot", "alice"],
        },
        "success": true,
    });
    assert_eq!(first, expected);
    assert_eq!(second, expected);
    chat.finish();
}

#[tokio::test]
async fn the_old_name_of_the_room_route_works_too() {
    let chat = FakeRocketChat::start().await;
    let url = format!("{}/api/v1/dm.create", chat.url());

    let response = fakes::exchange::exchange(
        "POST",
        &url,
        &crate::client::headers(&chat),
        br#"{"usernames":"alice"}"#,
    )
    .await
    .expect("a response");

    assert_eq!(response.status, 200);
    assert_eq!(chat.calls(Route::CreateDirectMessage), 1);
    chat.finish();
}

#[tokio::test]
async fn a_stored_message_can_be_read_and_an_unknown_one_cannot() {
    let chat = FakeRocketChat::start().await;
    let room_id = room(&chat).await;
    send(&chat, &room_id, "gl1", "hello").await;
    chat.mark_all_read();

    let known = read(&chat, "gl1").await;
    let unknown = read(&chat, "gl2").await;

    assert_eq!(known.status, 200);
    assert_eq!(known.json()["message"]["u"]["_id"], chat.user_id());
    assert_eq!(known.json()["message"]["rid"], room_id);
    assert_eq!(unknown.status, 400);
    assert_eq!(unknown.json(), json!({ "success": false }));
    chat.finish();
}

#[tokio::test]
async fn an_edit_changes_the_text_and_is_counted() {
    let chat = FakeRocketChat::start().await;
    let room_id = room(&chat).await;
    send(&chat, &room_id, "gl1", "running").await;

    let edit = json!({ "roomId": room_id, "msgId": "gl1", "text": "passed" });
    let first = call(&chat, Route::UpdateMessage, &edit).await;
    let same_again = call(&chat, Route::UpdateMessage, &edit).await;

    assert_eq!(first.json()["message"]["msg"], "passed");
    assert_eq!(same_again.status, 200);
    let message = chat.take_message();
    assert_eq!((message.text.as_str(), message.edits), ("passed", 1));
    chat.finish();
}

#[tokio::test]
async fn me_returns_the_bot_and_its_roles() {
    let chat = FakeRocketChat::builder()
        .roles(&["user"])
        .start()
        .await
        .expect("a free port");

    let me = call(&chat, Route::Me, &json!({})).await.json();

    assert_eq!(me["_id"], chat.user_id());
    assert_eq!(me["roles"], json!(["user"]));
    assert_eq!(me["success"], true);
    chat.finish();
}

#[tokio::test]
async fn waiting_for_a_message_ends_when_it_is_stored() {
    let chat = FakeRocketChat::start().await;
    let room_id = room(&chat).await;

    let (stored, response) =
        tokio::join!(chat.next_message(), send(&chat, &room_id, "gl1", "hello"));

    assert_eq!(stored.id, "gl1");
    assert_eq!(response.status, 200);
    chat.finish();
}

#[tokio::test]
#[should_panic(expected = "the test did not read these messages: [\"hello\"]")]
async fn an_unread_message_fails_the_test() {
    let chat = FakeRocketChat::start().await;
    let room_id = room(&chat).await;
    send(&chat, &room_id, "gl1", "hello").await;

    chat.finish();
}

#[tokio::test]
#[should_panic(expected = "must NOT have additional properties")]
async fn a_violation_of_the_api_fails_the_test_even_without_finish() {
    let chat = FakeRocketChat::start().await;
    let mut body = message("room", "gl1", "hello");
    body["roomId"] = "room".into();

    call(&chat, Route::SendMessage, &body).await;
}

#[tokio::test]
#[should_panic(expected = "no unread message")]
async fn taking_a_message_fails_the_test_if_there_is_none() {
    let chat = FakeRocketChat::start().await;

    chat.take_message();
}
