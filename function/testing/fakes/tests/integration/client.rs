//! A client that does as it is told, right or wrong.

use fakes::exchange::{Answer, exchange};
use fakes::rocketchat::{FakeRocketChat, Route};
use serde_json::{Value, json};

/// Headers of a call.
pub(crate) type Headers = Vec<(String, Vec<u8>)>;

/// The headers of a good call.
pub(crate) fn headers(chat: &FakeRocketChat) -> Headers {
    let owned = |name: &str, value: &str| (name.to_owned(), value.as_bytes().to_vec());
    vec![
        owned("X-User-Id", chat.user_id()),
        owned("X-Auth-Token", chat.auth_token()),
        owned("Content-Type", "application/json"),
    ]
}

/// A call with the right headers; parameters go where the route wants them.
pub(crate) async fn call(chat: &FakeRocketChat, route: Route, parameters: &Value) -> Answer {
    try_call(chat, route, parameters)
        .await
        .expect("the stand-in answers")
}

pub(crate) async fn try_call(
    chat: &FakeRocketChat,
    route: Route,
    parameters: &Value,
) -> std::io::Result<Answer> {
    let url = format!("{}{}", chat.url(), route.path());
    if route.method() == "POST" {
        let body = parameters.to_string();
        return exchange("POST", &url, &headers(chat), body.as_bytes()).await;
    }
    let members = parameters.as_object().expect("an object");
    let pairs: Vec<_> = members
        .iter()
        .map(|(name, value)| format!("{name}={}", value.as_str().expect("a text")))
        .collect();
    let url = format!("{url}?{}", pairs.join("&"));
    exchange("GET", &url, &headers(chat), b"").await
}

/// Opens the room with alice and gives its id.
pub(crate) async fn room(chat: &FakeRocketChat) -> String {
    let answer = call(
        chat,
        Route::CreateDirectMessage,
        &json!({ "username": "alice" }),
    )
    .await;
    let room = answer.json()["room"]["rid"].clone();
    room.as_str().expect("a room id").to_owned()
}

/// A message as our client sends it.
pub(crate) fn message(room_id: &str, id: &str, text: &str) -> Value {
    json!({ "message": { "_id": id, "rid": room_id, "msg": text }, "previewUrls": [] })
}

pub(crate) async fn send(chat: &FakeRocketChat, room_id: &str, id: &str, text: &str) -> Answer {
    call(chat, Route::SendMessage, &message(room_id, id, text)).await
}

pub(crate) async fn read(chat: &FakeRocketChat, id: &str) -> Answer {
    call(chat, Route::GetMessage, &json!({ "msgId": id })).await
}
