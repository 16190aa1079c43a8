//! Several calls with the same message id: the first is stored, the others are rejected.

use fakes::rocketchat::{FakeRocketChat, Fault, Route};
use serde_json::json;

use crate::client::{read, room, send};

const DUPLICATE: &str = "Cannot read properties of undefined (reading 'starred')";

#[tokio::test]
async fn a_duplicate_stores_nothing_and_gets_a_type_error() {
    let chat = FakeRocketChat::start().await;
    let room_id = room(&chat).await;
    send(&chat, &room_id, "gl1", "first").await;

    let duplicate = send(&chat, &room_id, "gl1", "second").await;

    let expected = json!({ "success": false, "error": DUPLICATE });
    assert_eq!((duplicate.status, duplicate.json()), (400, expected));
    assert_eq!(chat.take_message().text, "first");
    assert_eq!(chat.inserts("gl1"), 1);
    chat.finish();
}

#[tokio::test]
async fn a_deleted_message_frees_its_id() {
    let chat = FakeRocketChat::start().await;
    let room_id = room(&chat).await;
    send(&chat, &room_id, "gl1", "first").await;
    chat.delete_message("gl1");

    let again = send(&chat, &room_id, "gl1", "second").await;

    assert_eq!(again.status, 200);
    assert_eq!(chat.take_message().text, "second");
    assert_eq!(chat.inserts("gl1"), 2);
    chat.finish();
}

#[tokio::test]
async fn of_two_racing_sends_one_fails_with_a_duplicate_key() {
    let chat = FakeRocketChat::start().await;
    let room_id = room(&chat).await;
    chat.inject_fault(Route::SendMessage, Fault::Race);
    chat.inject_fault(Route::SendMessage, Fault::Race);

    let (one, other) = tokio::join!(
        send(&chat, &room_id, "gl1", "hello"),
        send(&chat, &room_id, "gl1", "hello"),
    );

    let (won, lost) = if one.status == 200 {
        (one, other)
    } else {
        (other, one)
    };
    assert_eq!((won.status, lost.status), (200, 400));
    let text = lost.json()["error"].to_string();
    assert!(text.contains("E11000 duplicate key error"), "{text}");
    assert_eq!(lost.json()["errorType"], json!(null));
    chat.take_message();
    assert_eq!(chat.inserts("gl1"), 1);
    chat.finish();
}

#[tokio::test]
async fn after_a_lost_race_the_other_message_is_stored() {
    let chat = FakeRocketChat::start().await;
    let room_id = room(&chat).await;
    chat.inject_fault(Route::SendMessage, Fault::LosesRace);

    let lost = send(&chat, &room_id, "gl1", "hello").await;

    assert_eq!(lost.status, 400);
    assert!(lost.text().contains("E11000"));
    assert_eq!(read(&chat, "gl1").await.status, 200);
    chat.take_message();
    chat.finish();
}

#[tokio::test]
async fn an_id_used_by_another_user_is_rejected_like_a_duplicate() {
    let cases = [
        ("in the same room", true, 200),
        ("in another room", false, 400),
    ];
    for (case, same_room, read_status) in cases {
        let chat = FakeRocketChat::start().await;
        let room_id = room(&chat).await;
        let user = if same_room { "alice" } else { "carol" };
        chat.inject_fault(Route::SendMessage, Fault::TakenBy { user, same_room });

        let response = send(&chat, &room_id, "gl1", "hello").await;
        let found = read(&chat, "gl1").await;

        assert_eq!(response.status, 400, "{case}");
        assert_eq!(response.json()["error"], DUPLICATE, "{case}");
        assert_eq!(found.status, read_status, "{case}");
        if same_room {
            assert_ne!(found.json()["message"]["u"]["_id"], chat.user_id());
        } else {
            assert_eq!(found.json()["errorType"], "error-not-allowed");
        }
        assert_eq!(chat.inserts("gl1"), 0, "{case}");
        chat.finish();
    }
}

#[tokio::test]
async fn the_error_text_of_a_duplicate_is_configurable() {
    let chat = FakeRocketChat::start().await;
    let room_id = room(&chat).await;
    let fault = Fault::DuplicateText("unknown-error".to_owned());
    chat.inject_fault_always(Route::SendMessage, fault);

    let first = send(&chat, &room_id, "gl1", "hello").await;
    let duplicate = send(&chat, &room_id, "gl1", "hello").await;

    assert_eq!((first.status, duplicate.status), (200, 400));
    assert_eq!(duplicate.json()["error"], "unknown-error");
    chat.take_message();
    chat.finish();
}
