//! Messages that the bot can no longer send or edit: deleted ones, occupied ids, and servers that forbid or limit edits.

use fakes::exchange::Response;
use fakes::rocketchat::{FakeRocketChat, Kept, Route};
use serde_json::{Value, json};

use crate::client::{call, read, room, send};

async fn edit(chat: &FakeRocketChat, room_id: &str, id: &str, text: &str) -> Response {
    let edit = json!({ "roomId": room_id, "msgId": id, "text": text, "previewUrls": [] });
    call(chat, Route::UpdateMessage, &edit).await
}

#[tokio::test]
async fn a_deleted_message_that_is_kept_is_readable_and_its_id_stays_in_use() {
    let cases = [
        (Kept::Removed, json!("rm"), Value::Null, ""),
        (Kept::Hidden, Value::Null, json!(true), "hello"),
    ];
    for (kept, kind, hidden, text) in cases {
        let chat = FakeRocketChat::start().await;
        let room_id = room(&chat).await;
        send(&chat, &room_id, "gl1", "hello").await;
        chat.delete_message_keeping("gl1", kept);

        let found = read(&chat, "gl1").await;
        let again = send(&chat, &room_id, "gl1", "hello").await;

        assert_eq!(found.status, 200, "{kept:?}");
        let message = &found.json()["message"];
        let shown = (&message["t"], &message["_hidden"], &message["msg"]);
        assert_eq!(shown, (&kind, &hidden, &json!(text)), "{kept:?}");
        assert_eq!(message["u"]["_id"], chat.user_id(), "{kept:?}");
        assert_eq!(again.status, 400, "{kept:?}");
        assert!(again.text().contains("reading 'starred'"), "{kept:?}");
        assert!(chat.messages().is_empty(), "{kept:?}");
        assert_eq!(chat.inserts("gl1"), 1, "{kept:?}");
        chat.finish();
    }
}

#[tokio::test]
async fn an_edit_of_a_deleted_message_succeeds_and_does_not_restore_it() {
    for kept in [Kept::Removed, Kept::Hidden] {
        let chat = FakeRocketChat::start().await;
        let room_id = room(&chat).await;
        send(&chat, &room_id, "gl1", "hello").await;
        chat.delete_message_keeping("gl1", kept);

        let edited = edit(&chat, &room_id, "gl1", "changed").await;

        assert_eq!(edited.status, 200, "{kept:?}");
        let message = &edited.json()["message"];
        assert_eq!(message["msg"], "changed", "{kept:?}");
        let is_deleted = message["t"] == "rm" || message["_hidden"] == true;
        assert!(is_deleted, "{kept:?}: {message}");
        assert!(chat.messages().is_empty(), "{kept:?}");
        chat.finish();
    }
}

#[tokio::test]
async fn a_server_that_forbids_editing_rejects_edits() {
    let chat = FakeRocketChat::builder().editing_forbidden().start();
    let chat = chat.await.expect("a free port");
    let room_id = room(&chat).await;
    send(&chat, &room_id, "gl1", "hello").await;

    let rejected = edit(&chat, &room_id, "gl1", "changed").await;

    let expected = json!({
        "success": false,
        "error": "Message editing not allowed [error-action-not-allowed]",
        "errorType": "error-action-not-allowed",
        "details": { "method": "updateMessage", "action": "Message_editing" },
    });
    assert_eq!((rejected.status, rejected.json()), (400, expected));
    assert_eq!(chat.take_message().text, "hello");
    chat.finish();
}

#[tokio::test]
async fn an_edit_of_a_message_in_a_read_only_room_is_rejected() {
    let chat = FakeRocketChat::start().await;
    let room_id = room(&chat).await;
    send(&chat, &room_id, "gl1", "hello").await;
    chat.set_read_only("alice");

    let rejected = edit(&chat, &room_id, "gl1", "changed").await;

    assert_eq!(rejected.status, 400);
    assert!(rejected.text().contains("the room is readonly"));
    assert_eq!(chat.take_message().text, "hello");
    chat.finish();
}

#[tokio::test]
async fn a_lower_size_limit_applies_to_messages_and_to_edits() {
    let chat = FakeRocketChat::builder().max_message_size(10).start();
    let chat = chat.await.expect("a free port");
    chat.expect_violation();
    let room_id = room(&chat).await;

    let fits = send(&chat, &room_id, "gl1", "0123456789").await;
    let exceeds = send(&chat, &room_id, "gl2", "0123456789x").await;
    let edited = edit(&chat, &room_id, "gl1", "0123456789x").await;

    assert_eq!(fits.status, 200);
    for rejected in [exceeds, edited] {
        assert_eq!(rejected.status, 400);
        assert_eq!(rejected.json()["errorType"], "error-message-size-exceeded");
    }
    assert_eq!(chat.take_message().text, "0123456789");
    chat.finish();
}

#[tokio::test]
async fn an_occupied_id_is_rejected_and_readable_only_in_a_common_room() {
    let chat = FakeRocketChat::start().await;
    let room_id = room(&chat).await;
    let own_room = chat.direct_room(&["carol"]);
    let cases = [
        ("gl1", "alice", &room_id, 200),
        ("gl2", "carol", &own_room, 400),
    ];
    for (id, user, occupied_room, read_status) in cases {
        assert!(chat.occupy(id, user, occupied_room), "{id}");

        let response = send(&chat, &room_id, id, "hello").await;
        let found = read(&chat, id).await;

        assert_eq!(response.status, 400, "{id}");
        assert!(response.text().contains("reading 'starred'"), "{id}");
        assert_eq!(found.status, read_status, "{id}");
        assert_eq!(chat.inserts(id), 0, "{id}");
        assert!(!chat.occupy(id, user, occupied_room), "{id}");
    }
    chat.finish();
}
