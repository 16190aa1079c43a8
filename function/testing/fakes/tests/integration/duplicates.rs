//! The same id more than once: stored once, and the later ones are answered as errors.

use fakes::rocketchat::{FakeRocketChat, Fault, Route};
use serde_json::json;

use crate::client::{read, room, send};

const REPLAY: &str = "Cannot read properties of undefined (reading 'starred')";

#[tokio::test]
async fn a_replay_stores_nothing_and_is_answered_with_a_type_error() {
    let chat = FakeRocketChat::start().await;
    let room_id = room(&chat).await;
    send(&chat, &room_id, "gl1", "first").await;

    let replay = send(&chat, &room_id, "gl1", "second").await;

    let expected = json!({ "success": false, "error": REPLAY });
    assert_eq!((replay.status, replay.json()), (400, expected));
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
async fn of_two_racing_sends_one_wins_and_the_other_meets_the_unique_key() {
    let chat = FakeRocketChat::start().await;
    let room_id = room(&chat).await;
    chat.misbehave(Route::SendMessage, Fault::Race);
    chat.misbehave(Route::SendMessage, Fault::Race);

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
async fn a_lost_race_leaves_the_message_of_the_winner() {
    let chat = FakeRocketChat::start().await;
    let room_id = room(&chat).await;
    chat.misbehave(Route::SendMessage, Fault::LosesRace);

    let lost = send(&chat, &room_id, "gl1", "hello").await;

    assert_eq!(lost.status, 400);
    assert!(lost.text().contains("E11000"));
    assert_eq!(read(&chat, "gl1").await.status, 200);
    chat.take_message();
    chat.finish();
}

#[tokio::test]
async fn an_id_taken_by_somebody_else_looks_like_a_replay() {
    let cases = [("in our room", true, 200), ("elsewhere", false, 400)];
    for (case, same_room, read_status) in cases {
        let chat = FakeRocketChat::start().await;
        let room_id = room(&chat).await;
        let user = if same_room { "alice" } else { "carol" };
        chat.misbehave(Route::SendMessage, Fault::TakenBy { user, same_room });

        let answer = send(&chat, &room_id, "gl1", "hello").await;
        let found = read(&chat, "gl1").await;

        assert_eq!(answer.status, 400, "{case}");
        assert_eq!(answer.json()["error"], REPLAY, "{case}");
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
async fn the_text_of_a_replay_can_differ() {
    let chat = FakeRocketChat::start().await;
    let room_id = room(&chat).await;
    let fault = Fault::DuplicateText("unknown-error".to_owned());
    chat.misbehave_always(Route::SendMessage, fault);

    let first = send(&chat, &room_id, "gl1", "hello").await;
    let replay = send(&chat, &room_id, "gl1", "hello").await;

    assert_eq!((first.status, replay.status), (200, 400));
    assert_eq!(replay.json()["error"], "unknown-error");
    chat.take_message();
    chat.finish();
}
