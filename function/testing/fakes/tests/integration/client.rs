//! A client for the tests, which also sends invalid calls.

use fakes::exchange::{Response, exchange};
use fakes::rocketchat::{FakeRocketChat, Route};
use serde_json::{Value, json};

/// Headers of a call.
pub(crate) type Headers = Vec<(String, Vec<u8>)>;

/// The headers of a valid call.
pub(crate) fn headers(chat: &FakeRocketChat) -> Headers {
    let owned = |name: &str, value: &str| (name.to_owned(), value.as_bytes().to_vec());
    vec![
        owned("X-User-Id", chat.user_id()),
        owned("X-Auth-Token", chat.auth_token()),
        owned("Content-Type", "application/json"),
    ]
}

/// A call with valid headers; the parameters go into the query or the body, as the route requires.
pub(crate) async fn call(chat: &FakeRocketChat, route: Route, parameters: &Value) -> Response {
    try_call(chat, route, parameters).await.expect("a response")
}

pub(crate) async fn try_call(
    chat: &FakeRocketChat,
    route: Route,
    parameters: &Value,
) -> std::io::Result<Response> {
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

/// Creates the room with alice and returns its id.
pub(crate) async fn room(chat: &FakeRocketChat) -> String {
    let response = call(
        chat,
        Route::CreateDirectMessage,
        &json!({ "username": "alice" }),
    )
    .await;
    let room = response.json()["room"]["rid"].clone();
    room.as_str().expect("a room id").to_owned()
}

/// The parameters of `chat.sendMessage` as webhook-app sends them.
pub(crate) fn message(room_id: &str, id: &str, text: &str) -> Value {
    json!({ "message": { "_id": id, "rid": room_id, "msg": text }, "previewUrls": [] })
}

pub(crate) async fn send(chat: &FakeRocketChat, room_id: &str, id: &str, text: &str) -> Response {
    call(chat, Route::SendMessage, &message(room_id, id, text)).await
}

pub(crate) async fn read(chat: &FakeRocketChat, id: &str) -> Response {
    call(chat, Route::GetMessage, &json!({ "msgId": id })).await
}
