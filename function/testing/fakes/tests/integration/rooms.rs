//! Direct-message rooms: racing creation, and the states in which they refuse messages.

use fakes::rocketchat::{FakeRocketChat, Route};
use serde_json::{Value, json};

use crate::client::{call, room, send};

#[tokio::test]
async fn of_simultaneous_first_creations_all_but_one_fail_with_a_duplicate_key() {
    let chat = FakeRocketChat::builder().racing_room_creation().start();
    let chat = chat.await.expect("a free port");
    let asked = json!({ "username": "alice" });
    let create = || call(&chat, Route::CreateDirectMessage, &asked);

    let (one, two, three) = tokio::join!(create(), create(), create());
    let later = create().await;

    let (won, lost): (Vec<_>, Vec<_>) = [one, two, three]
        .into_iter()
        .partition(|response| response.status == 200);
    assert_eq!((won.len(), lost.len()), (1, 2));
    for response in lost {
        assert_eq!(response.status, 400);
        let body = response.json();
        let text = body["error"].as_str().expect("a text");
        let start = "E11000 duplicate key error collection: rocketchat.rocketchat_room";
        assert!(text.starts_with(start), "{text}");
        assert_eq!(body["errorType"], Value::Null);
    }
    assert_eq!(later.json(), won[0].json());
    chat.finish();
}

#[tokio::test]
async fn a_read_only_or_encrypted_room_refuses_messages_and_says_why() {
    let read_only = json!({
        "success": false,
        "error": "You can't send messages because the room is readonly.",
    });
    let encrypted = json!({
        "success": false,
        "error": "Not allowed to send un-encrypted messages in an encrypted room [error-not-allowed]",
        "errorType": "error-not-allowed",
        "details": { "method": "sendMessage" },
    });
    let chat = FakeRocketChat::start().await;
    let room_id = room(&chat).await;
    let asked = json!({ "roomId": room_id });

    let before = call(&chat, Route::RoomInfo, &asked).await;
    chat.set_read_only("alice");
    let to_read_only = send(&chat, &room_id, "gl1", "hello").await;
    let info_read_only = call(&chat, Route::RoomInfo, &asked).await;
    chat.set_writable("alice");
    chat.set_encrypted("alice");
    let to_encrypted = send(&chat, &room_id, "gl1", "hello").await;
    let info_encrypted = call(&chat, Route::RoomInfo, &asked).await;
    chat.set_writable("alice");
    let to_writable = send(&chat, &room_id, "gl1", "hello").await;

    assert_eq!((to_read_only.status, to_read_only.json()), (400, read_only));
    assert_eq!((to_encrypted.status, to_encrypted.json()), (400, encrypted));
    assert_eq!(to_writable.status, 200);
    let states = [before, info_read_only, info_encrypted].map(|info| {
        (
            info.json()["room"]["ro"].clone(),
            info.json()["room"]["encrypted"].clone(),
        )
    });
    let expected = [
        (Value::Null, Value::Null),
        (json!(true), Value::Null),
        (json!(false), json!(true)),
    ];
    assert_eq!(states, expected);
    chat.take_message();
    chat.finish();
}

#[tokio::test]
async fn room_info_describes_a_room_of_the_bot_and_no_other() {
    let chat = FakeRocketChat::start().await;
    let room_id = room(&chat).await;
    let foreign = chat.direct_room(&["bob", "carol"]);

    let own = call(&chat, Route::RoomInfo, &json!({ "roomId": room_id })).await;
    let other = call(&chat, Route::RoomInfo, &json!({ "roomId": foreign })).await;
    let unknown = call(&chat, Route::RoomInfo, &json!({ "roomId": "elsewhere" })).await;

    assert_eq!(own.status, 200);
    let body = own.json();
    assert_eq!(body["success"], true);
    assert_eq!(body["room"]["_id"], room_id);
    assert_eq!(body["room"]["t"], "d");
    assert_eq!(body["room"]["usernames"], json!(["gitlab-bot", "alice"]));
    let hidden = json!({ "success": false, "error": "not-allowed", "errorType": "Not Allowed" });
    assert_eq!((other.status, other.json()), (400, hidden));
    let reason =
        "The required \"roomId\" or \"roomName\" param provided does not match any channel";
    let missing = json!({
        "success": false,
        "error": format!("{reason} [error-room-not-found]"),
        "errorType": "error-room-not-found",
    });
    assert_eq!((unknown.status, unknown.json()), (400, missing));
    chat.finish();
}
