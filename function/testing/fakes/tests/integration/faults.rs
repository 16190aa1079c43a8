//! What breaks, and whether the message is there afterwards.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use fakes::rocketchat::{FakeRocketChat, Fault, Route};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{call, message, room, send, try_call};

/// Sends a message over a bare socket and gives the bytes of the answer and how the connection ended; `None` is a proper end.
async fn raw_send(chat: &FakeRocketChat, room_id: &str) -> (Vec<u8>, Option<ErrorKind>) {
    let body = message(room_id, "gl1", "hello").to_string();
    let request = format!(
        "POST {} HTTP/1.1\r\nHost: chat\r\nX-User-Id: {}\r\nX-Auth-Token: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        Route::SendMessage.path(),
        chat.user_id(),
        chat.auth_token(),
        body.len(),
    );
    let address = chat.url().replace("http://", "");
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let written = stream.write_all(request.as_bytes()).await;
    written.expect("the request goes out");
    let mut answer = Vec::new();
    let mut piece = [0; 4096];
    loop {
        match stream.read(&mut piece).await {
            Ok(0) => return (answer, None),
            Ok(count) => answer.extend_from_slice(&piece[..count]),
            Err(error) => return (answer, Some(error.kind())),
        }
    }
}

#[tokio::test]
async fn connections_break_as_ordered_and_the_message_is_stored_as_ordered() {
    let reset = Some(ErrorKind::ConnectionReset);
    let never = usize::MAX;
    let after = |bytes, insert| Fault::ResetAfter { bytes, insert };
    let cases = [
        ("reset at once", after(0, false), reset, 0, 0, 0),
        ("reset at once, stored", after(0, true), reset, 0, 0, 1),
        ("reset in the head", after(9, true), reset, 9, 9, 1),
        ("reset at the end", after(never, true), reset, 300, never, 1),
        ("hang up", Fault::HangUp { insert: false }, None, 0, 0, 0),
        (
            "hang up, stored",
            Fault::HangUp { insert: true },
            None,
            0,
            0,
            1,
        ),
        ("half the body", Fault::HalfClose, None, 100, never, 1),
        (
            "no more calls",
            Fault::CloseAfterAnswer,
            None,
            300,
            never,
            1,
        ),
    ];
    for (case, fault, ending, least, most, inserts) in cases {
        let chat = FakeRocketChat::start().await;
        let room_id = room(&chat).await;
        chat.misbehave(Route::SendMessage, fault);

        let (answer, ended) = raw_send(&chat, &room_id).await;

        assert_eq!(ended, ending, "{case}");
        assert!(
            (least..=most).contains(&answer.len()),
            "{case}: {}",
            answer.len()
        );
        assert_eq!(chat.inserts("gl1"), inserts, "{case}");
        chat.mark_all_read();
        chat.finish();
    }
}

#[tokio::test]
async fn a_half_closed_answer_is_shorter_than_it_promised() {
    let chat = FakeRocketChat::start().await;
    let room_id = room(&chat).await;
    chat.misbehave(Route::SendMessage, Fault::HalfClose);

    let (answer, _) = raw_send(&chat, &room_id).await;

    let answer = String::from_utf8(answer).expect("text");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a whole head");
    let promised = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .expect("a promised length");
    let promised: usize = promised.parse().expect("a number");
    assert_eq!(body.len(), promised / 2);
    chat.take_message();
    chat.finish();
}

#[tokio::test]
async fn answers_go_wrong_as_ordered() {
    let json_type = "application/json";
    let odd = Fault::Answer {
        status: 418,
        content_type: "text/plain",
        body: "teapot".to_owned(),
    };
    let cases = [
        (Fault::Status(400), 400, json_type, "{\"success\":false}", 0),
        (
            Fault::Status(401),
            401,
            json_type,
            "You must be logged in",
            0,
        ),
        (Fault::Status(403), 403, json_type, "error-unauthorized", 0),
        (Fault::Status(404), 404, json_type, "Resource not found", 0),
        (
            Fault::Status(500),
            500,
            json_type,
            "Internal server error",
            0,
        ),
        (Fault::Status(502), 502, "text/html", "502 Bad Gateway", 0),
        (
            Fault::Status(503),
            503,
            "text/html",
            "503 Service Unavailable",
            0,
        ),
        (
            Fault::InsertThenStatus(504),
            504,
            "text/html",
            "504 Gateway Timeout",
            1,
        ),
        (odd, 418, "text/plain", "teapot", 0),
        (
            Fault::Redirect("http://x.example/".to_owned()),
            302,
            "text/html",
            "",
            0,
        ),
        (
            Fault::SuccessFalse,
            200,
            json_type,
            "{\"success\":false}",
            0,
        ),
        (
            Fault::NotJson,
            200,
            "text/html; charset=utf-8",
            "<!DOCTYPE html>",
            0,
        ),
        (Fault::Truncated, 200, json_type, "{\"message\":", 1),
        (Fault::NonUtf8, 200, json_type, "\u{fffd}", 1),
        (Fault::Huge, 200, json_type, "\"success\":true", 1),
    ];
    for (fault, status, content_type, text, inserts) in cases {
        let chat = FakeRocketChat::start().await;
        let room_id = room(&chat).await;
        let case = format!("{fault:?}");
        chat.misbehave(Route::SendMessage, fault);

        let answer = send(&chat, &room_id, "gl1", "hello").await;
        let next = send(&chat, &room_id, "gl2", "hello").await;

        assert_eq!(answer.status, status, "{case}");
        assert_eq!(answer.header("content-type"), Some(content_type), "{case}");
        assert!(answer.text().contains(text), "{case}");
        assert_eq!(chat.inserts("gl1"), inserts, "{case}");
        assert_eq!(next.status, 200, "{case}: only one call goes wrong");
        chat.mark_all_read();
        chat.finish();
    }
}

#[tokio::test]
async fn broken_bodies_are_broken() {
    let chat = FakeRocketChat::start().await;
    let room_id = room(&chat).await;
    chat.misbehave(Route::SendMessage, Fault::Truncated);
    chat.misbehave(Route::SendMessage, Fault::NonUtf8);
    chat.misbehave(Route::SendMessage, Fault::Huge);

    let truncated = send(&chat, &room_id, "gl1", "hello").await;
    let not_text = send(&chat, &room_id, "gl2", "hello").await;
    let huge = send(&chat, &room_id, "gl3", "hello").await;

    let is_json = |body: &[u8]| serde_json::from_slice::<serde_json::Value>(body).is_ok();
    assert!(!is_json(&truncated.body));
    assert!(!is_json(&not_text.body));
    assert!(std::str::from_utf8(&not_text.body).is_err());
    assert!(huge.body.len() > 64 << 20);
    assert_eq!(huge.header("content-length"), None);
    chat.mark_all_read();
    chat.finish();
}

#[tokio::test]
async fn a_redirect_names_its_target() {
    let chat = FakeRocketChat::start().await;
    let target = "http://elsewhere.example/api/v1/me";
    chat.misbehave(Route::Me, Fault::Redirect(target.to_owned()));

    let answer = call(&chat, Route::Me, &json!({})).await;

    assert_eq!(answer.header("location"), Some(target));
    chat.finish();
}

#[tokio::test]
async fn a_slow_answer_comes_late() {
    for insert_first in [false, true] {
        let chat = FakeRocketChat::start().await;
        let room_id = room(&chat).await;
        let delay = Duration::from_millis(40);
        let fault = Fault::Slow {
            delay,
            insert_first,
        };
        chat.misbehave(Route::SendMessage, fault);

        let started = Instant::now();
        let answer = send(&chat, &room_id, "gl1", "hello").await;

        assert!(started.elapsed() >= delay);
        assert_eq!(answer.status, 200);
        chat.take_message();
        chat.finish();
    }
}

/// Until a send has come in.
async fn arrival(chat: &FakeRocketChat) {
    while chat.calls(Route::SendMessage) == 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_call_is_carried_out_even_when_the_client_gave_up() {
    let chat = FakeRocketChat::start().await;
    let room_id = room(&chat).await;
    let fault = Fault::Slow {
        delay: Duration::from_millis(40),
        insert_first: false,
    };
    chat.misbehave(Route::SendMessage, fault);

    let body = message(&room_id, "gl1", "hello");
    tokio::select! {
        biased;
        answer = try_call(&chat, Route::SendMessage, &body) => panic!("not late: {answer:?}"),
        () = arrival(&chat) => {}
    }

    assert_eq!(chat.next_message().await.id, "gl1");
    chat.finish();
}

#[tokio::test]
async fn faults_come_in_order_and_end_when_told() {
    let chat = FakeRocketChat::start().await;
    chat.misbehave(Route::Me, Fault::Status(500));
    chat.misbehave(Route::Me, Fault::Status(502));
    chat.misbehave_always(Route::Me, Fault::Status(503));

    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(call(&chat, Route::Me, &json!({})).await.status);
    }
    let other = call(&chat, Route::UserInfo, &json!({ "username": "bob" })).await;
    chat.behave();
    let after = call(&chat, Route::Me, &json!({})).await;

    assert_eq!(statuses, [500, 502, 503, 503]);
    assert_eq!((other.status, after.status), (200, 200));
    assert_eq!(chat.calls(Route::Me), 5);
    chat.finish();
}
