//! Calls that the fake Rocket.Chat rejects: status, error text, and whether it records a violation of the API.

use fakes::exchange::exchange;
use fakes::rocketchat::{FakeRocketChat, Route};
use serde_json::{Value, json};

use crate::client::{call, headers, message, room, send};

const TOO_LONG: &str = "Message size exceeds Message_MaxAllowedSize";

#[tokio::test]
async fn a_call_without_valid_credentials_is_rejected() {
    let cases = [
        ("no token", "X-Auth-Token", None, true),
        ("no user", "X-User-Id", None, true),
        ("wrong token", "X-Auth-Token", Some("wrong"), false),
        ("wrong user", "X-User-Id", Some("wrong"), false),
    ];
    let routes = Route::ALL.into_iter();
    for route in routes.filter(|route| route.needs_account()) {
        for (case, name, value, is_violation) in cases {
            let chat = FakeRocketChat::start().await;
            chat.expect_violation();
            let mut headers = headers(&chat);
            headers.retain(|(known, _)| known != name);
            headers.extend(value.map(|value| (name.to_owned(), value.as_bytes().to_vec())));

            let url = format!("{}{}", chat.url(), route.path());
            let response = exchange(route.method(), &url, &headers, b"")
                .await
                .expect("a response");

            let expected =
                json!({ "success": false, "error": "You must be logged in to do this." });
            assert_eq!(response.status, 401, "{case} on {route:?}");
            assert_eq!(response.json(), expected, "{case} on {route:?}");
            assert_eq!(chat.violations().is_empty(), !is_violation, "{case}");
            chat.finish();
        }
    }
}

#[tokio::test]
async fn parameters_that_violate_the_published_schema_are_rejected() {
    let required = "must have required property";
    let additional = "must NOT have additional properties";
    let send = Route::SendMessage;
    let create = Route::CreateDirectMessage;
    let update = Route::UpdateMessage;
    let cases = [
        (send, json!({}), required, "invalid-params"),
        (
            send,
            json!({ "message": "text" }),
            "must be object",
            "invalid-params",
        ),
        (
            send,
            json!({ "message": {}, "roomId": "r" }),
            additional,
            "invalid-params",
        ),
        (
            send,
            json!({ "message": { "msg": 7 } }),
            "must be string",
            "invalid-params",
        ),
        (
            send,
            json!({ "message": { "_id": 7 } }),
            "must be string",
            "invalid-params",
        ),
        (
            send,
            json!({ "message": {}, "previewUrls": "no" }),
            "must be array",
            "invalid-params",
        ),
        (create, json!({}), "oneOf", "invalid-params"),
        (
            create,
            json!({ "username": "alice", "usernames": "bob" }),
            "oneOf",
            "invalid-params",
        ),
        (
            create,
            json!({ "username": "alice", "name": "x" }),
            "oneOf",
            "invalid-params",
        ),
        (
            update,
            json!({ "roomId": "r", "msgId": "m" }),
            "oneOf",
            "invalid-params",
        ),
        (
            update,
            json!({ "roomId": "r", "msgId": "m", "text": "t", "attachments": [] }),
            "oneOf",
            "invalid-params",
        ),
        (
            Route::GetMessage,
            json!({}),
            required,
            "error-invalid-params",
        ),
        (
            Route::GetMessage,
            json!({ "msgId": "" }),
            "fewer than 1",
            "error-invalid-params",
        ),
        (
            Route::GetMessage,
            json!({ "msgId": "m", "roomId": "r" }),
            additional,
            "error-invalid-params",
        ),
        (Route::UserInfo, json!({}), "anyOf", "error-invalid-params"),
    ];
    for (route, parameters, error, kind) in cases {
        let chat = FakeRocketChat::start().await;
        chat.expect_violation();

        let response = call(&chat, route, &parameters).await;

        let body = response.json();
        let text = body["error"].as_str().unwrap_or_default();
        assert_eq!(response.status, 400, "{route:?} {parameters}");
        assert!(text.contains(error), "{route:?} {parameters}: {body}");
        assert_eq!(body["errorType"], kind, "{route:?} {parameters}");
        assert_eq!(chat.violations().len(), 1, "{route:?} {parameters}");
        chat.finish();
    }
}

#[tokio::test]
async fn a_body_without_the_json_content_type_or_with_invalid_json_is_read_as_empty() {
    let good = message("room", "gl1", "hello").to_string();
    let cases = [
        ("no content type", None, good.as_str()),
        ("another content type", Some("text/plain"), good.as_str()),
        ("no JSON", Some("application/json"), "{\"message\":"),
    ];
    for (case, content_type, body) in cases {
        let chat = FakeRocketChat::start().await;
        chat.expect_violation();
        let mut headers = headers(&chat);
        headers.retain(|(name, _)| name != "Content-Type");
        let content_type = content_type.map(|value| value.as_bytes().to_vec());
        headers.extend(content_type.map(|value| ("Content-Type".to_owned(), value)));

        let url = format!("{}{}", chat.url(), Route::SendMessage.path());
        let response = exchange("POST", &url, &headers, body.as_bytes())
            .await
            .expect("a response");

        let text = "must have required property 'message' [invalid-params]";
        assert_eq!(response.status, 400, "{case}");
        assert_eq!(response.json()["error"], text, "{case}");
        assert_eq!(chat.violations().len(), 2, "{case}");
        assert!(chat.messages().is_empty(), "{case}");
        chat.finish();
    }
}

#[tokio::test]
async fn an_unknown_route_or_method_is_a_violation() {
    let cases = [
        ("POST", "/api/v1/chat.react", 404),
        ("GET", "/api/v1/chat.sendMessage", 404),
        ("POST", "/api/v1/chat.getMessage", 404),
        ("POST", "/api/v2/chat.sendMessage", 404),
        ("GET", "/home", 200),
        ("GET", "/inspect/messages", 200),
    ];
    for (method, path, status) in cases {
        let chat = FakeRocketChat::start().await;
        chat.expect_violation();

        let url = format!("{}{path}", chat.url());
        let response = exchange(method, &url, &headers(&chat), b"")
            .await
            .expect("a response");

        assert_eq!(response.status, status, "{method} {path}");
        if status == 404 {
            let expected = json!({ "success": false, "error": "Resource not found" });
            assert_eq!(response.json(), expected, "{method} {path}");
        } else {
            let kind = response.header("content-type");
            assert_eq!(kind, Some("text/html; charset=utf-8"), "{method} {path}");
        }
        assert_eq!(chat.violations().len(), 1, "{method} {path}");
        chat.finish();
    }
}

#[tokio::test]
async fn rooms_with_invalid_members_or_permissions_are_rejected() {
    let rejected = |code: &str, reason: &str| {
        json!({
            "success": false,
            "error": format!("{reason} [{code}]"),
            "errorType": code,
            "details": { "method": "createDirectMessage" },
        })
    };
    let user: &[&str] = &["user", "bot"];
    let cases = [
        (
            "unknown",
            user,
            "nobody",
            rejected("error-invalid-user", "Invalid user"),
        ),
        (
            "another case",
            user,
            "Alice",
            rejected("error-invalid-user", "Invalid user"),
        ),
        (
            "the bot itself",
            user,
            "gitlab-bot",
            rejected("error-invalid-user", "Invalid user"),
        ),
        (
            "no permission",
            &[],
            "alice",
            rejected("error-not-allowed", "Not allowed"),
        ),
    ];
    for (case, roles, username, expected) in cases {
        let chat = FakeRocketChat::builder().roles(roles).start().await;
        let chat = chat.expect("a free port");
        chat.expect_violation();

        let asked = json!({ "username": username });
        let response = call(&chat, Route::CreateDirectMessage, &asked).await;

        assert_eq!(
            (response.status, response.json()),
            (400, expected),
            "{case}"
        );
        chat.finish();
    }
}

#[tokio::test]
async fn a_server_that_drops_unknown_users_creates_a_room_without_them() {
    let chat = FakeRocketChat::builder()
        .drops_unknown_users()
        .start()
        .await;
    let chat = chat.expect("a free port");

    let asked = json!({ "username": "nobody" });
    let response = call(&chat, Route::CreateDirectMessage, &asked).await;

    assert_eq!(response.status, 200);
    assert_eq!(response.json()["room"]["usernames"], json!(["gitlab-bot"]));
    chat.finish();
}

#[tokio::test]
async fn invalid_messages_are_rejected() {
    let bot: &[&str] = &["user", "bot"];
    let user: &[&str] = &["user"];
    let only_bot: &[&str] = &["bot"];
    let long = "x".repeat(5001);
    let no_room = "The 'rid' property on the message object is missing.";
    let cases = [
        ("no room", bot, json!({ "rid": "" }), no_room),
        (
            "unknown room",
            bot,
            json!({ "rid": "elsewhere" }),
            "error-invalid-room",
        ),
        ("empty id", bot, json!({ "_id": "" }), "Match error"),
        ("too long", bot, json!({ "msg": long }), TOO_LONG),
        (
            "alias",
            user,
            json!({ "alias": "GitLab" }),
            "Not enough permission",
        ),
        (
            "avatar",
            user,
            json!({ "avatar": "/a.png" }),
            "Not enough permission",
        ),
        (
            "all",
            only_bot,
            json!({ "msg": "hi @all" }),
            "Notify all in this room not allowed",
        ),
        (
            "here",
            only_bot,
            json!({ "msg": "@here" }),
            "Notify here in this room not allowed",
        ),
        (
            "tshow",
            bot,
            json!({ "tshow": true }),
            "tshow provided but missing tmid",
        ),
        (
            "ts",
            bot,
            json!({ "ts": "1970-01-01T00:00:00Z" }),
            "out of sync",
        ),
        (
            "custom fields",
            bot,
            json!({ "customFields": {} }),
            "Custom fields not enabled",
        ),
    ];
    for (case, roles, change, error) in cases {
        let chat = FakeRocketChat::builder().roles(roles).start().await;
        let chat = chat.expect("a free port");
        chat.expect_violation();
        let mut body = message(&room(&chat).await, "gl1", "hello");
        for (name, value) in change.as_object().expect("an object") {
            body["message"][name] = value.clone();
        }

        let response = call(&chat, Route::SendMessage, &body).await;

        assert_eq!(response.status, 400, "{case}");
        assert_eq!(response.json()["success"], false, "{case}");
        let text = response.json()["error"].to_string();
        assert!(text.contains(error), "{case}: {text}");
        assert!(chat.messages().is_empty(), "{case}");
        chat.finish();
    }
}

#[tokio::test]
async fn invalid_attachments_are_rejected() {
    let field =
        |title: Value, value: Value| json!({ "fields": [{ "title": title, "value": value }] });
    let bad_field = "Invalid attachment field, title and value is required";
    let bad_link = "Invalid href value provided";
    let script = "javascript://x/%0aalert(1)";
    let cases = [
        ("empty title", field("".into(), "x".into()), bad_field),
        ("empty value", field("t".into(), "".into()), bad_field),
        ("zero value", field("t".into(), 0.into()), bad_field),
        ("false value", field("t".into(), false.into()), bad_field),
        ("no value", field("t".into(), Value::Null), bad_field),
        ("title type", field(7.into(), "x".into()), "Match error"),
        ("colour type", json!({ "color": 7 }), "Match error"),
        ("part of a link", json!({ "title_link": "/x" }), bad_link),
        (
            "a script as link",
            json!({ "title_link": script }),
            bad_link,
        ),
    ];
    for (case, attachment, error) in cases {
        let chat = FakeRocketChat::start().await;
        let mut body = message(&room(&chat).await, "gl1", "hello");
        body["message"]["attachments"] = json!([attachment]);

        let response = call(&chat, Route::SendMessage, &body).await;

        assert_eq!(response.status, 400, "{case}");
        let text = response.json()["error"].to_string();
        assert!(text.contains(error), "{case}: {text}");
        assert!(chat.messages().is_empty(), "{case}");
        chat.finish();
    }
}

#[tokio::test]
async fn the_size_limit_counts_utf_16_units() {
    // Each of these is two units in UTF-16, four bytes in UTF-8 and one character.
    let fits = "\u{1f680}".repeat(2500);
    let exceeds = format!("{fits}x");
    let chat = FakeRocketChat::start().await;
    chat.expect_violation();
    let room_id = room(&chat).await;

    let accepted = send(&chat, &room_id, "gl1", &fits).await;
    let rejected = send(&chat, &room_id, "gl2", &exceeds).await;

    assert_eq!(accepted.status, 200);
    let expected = json!({
        "success": false,
        "error": "Message size exceeds Message_MaxAllowedSize [error-message-size-exceeded]",
        "errorType": "error-message-size-exceeded",
        "details": { "method": "sendMessage" },
    });
    assert_eq!((rejected.status, rejected.json()), (400, expected));
    assert_eq!(chat.violations().len(), 1);
    chat.mark_all_read();
    chat.finish();
}

#[tokio::test]
async fn mentions_are_stored_and_are_a_violation() {
    let chat = FakeRocketChat::start().await;
    chat.expect_violation();
    let room_id = room(&chat).await;

    let response = send(&chat, &room_id, "gl1", "see `fix for @all` in #general").await;

    assert_eq!(response.status, 200);
    assert_eq!(chat.take_message().mentions, ["@all", "#general"]);
    assert_eq!(chat.violations().len(), 2);
    chat.finish();
}

#[tokio::test]
async fn input_that_the_server_ignores_is_a_violation() {
    let cases = [
        json!({ "text": "misspelt" }),
        json!({ "attachments": [{ "txt": "misspelt" }] }),
        json!({ "msg": "" }),
    ];
    for change in cases {
        let chat = FakeRocketChat::start().await;
        chat.expect_violation();
        let mut body = message(&room(&chat).await, "gl1", "hello");
        for (name, value) in change.as_object().expect("an object") {
            body["message"][name] = value.clone();
        }

        let response = call(&chat, Route::SendMessage, &body).await;

        assert_eq!(response.status, 200, "{change}");
        assert_eq!(chat.violations().len(), 1, "{change}");
        chat.mark_all_read();
        chat.finish();
    }
}

#[tokio::test]
async fn edits_of_unknown_messages_are_rejected() {
    let chat = FakeRocketChat::start().await;
    let room_id = room(&chat).await;
    send(&chat, &room_id, "gl1", "hello").await;
    chat.mark_all_read();
    let cases = [
        (
            "unknown",
            "gl2",
            room_id.as_str(),
            "No message found with the id of \"gl2\".",
        ),
        (
            "another room",
            "gl1",
            "elsewhere",
            "The room id provided does not match where the message is from.",
        ),
    ];
    for (case, id, room_id, error) in cases {
        let edit = json!({ "roomId": room_id, "msgId": id, "text": "x" });

        let response = call(&chat, Route::UpdateMessage, &edit).await;

        let expected = json!({ "success": false, "error": error });
        assert_eq!(
            (response.status, response.json()),
            (400, expected),
            "{case}"
        );
    }
    chat.finish();
}
