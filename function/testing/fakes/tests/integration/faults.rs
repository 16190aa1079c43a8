//! Injected faults: what the client sees, and whether the message is stored.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use fakes::rocketchat::{FakeRocketChat, Fault, Route};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{call, message, room, send, try_call};

/// Sends a message over a TCP socket; returns the bytes of the response and the read error, if any.
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
    written.expect("the request is sent");
    let mut response = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        match stream.read(&mut chunk).await {
            Ok(0) => return (response, None),
            Ok(count) => response.extend_from_slice(&chunk[..count]),
            Err(error) => return (response, Some(error.kind())),
        }
    }
}

#[tokio::test]
async fn connection_faults_break_the_connection_and_store_as_configured() {
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
            "close after the response",
            Fault::CloseAfterResponse,
            None,
            300,
            never,
            1,
        ),
    ];
    for (case, fault, ending, least, most, inserts) in cases {
        let chat = FakeRocketChat::start().await;
        let room_id = room(&chat).await;
        chat.inject_fault(Route::SendMessage, fault);

        let (response, ended) = raw_send(&chat, &room_id).await;

        assert_eq!(ended, ending, "{case}");
        assert!(
            (least..=most).contains(&response.len()),
            "{case}: {}",
            response.len()
        );
        assert_eq!(chat.inserts("gl1"), inserts, "{case}");
        chat.mark_all_read();
        chat.finish();
    }
}

#[tokio::test]
async fn a_half_closed_response_is_shorter_than_its_content_length() {
    let chat = FakeRocketChat::start().await;
    let room_id = room(&chat).await;
    chat.inject_fault(Route::SendMessage, Fault::HalfClose);

    let (response, _) = raw_send(&chat, &room_id).await;

    let response = String::from_utf8(response).expect("text");
    let (head, body) = response.split_once("\r\n\r\n").expect("a complete head");
    let announced = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .expect("a content length");
    let announced: usize = announced.parse().expect("a number");
    assert_eq!(body.len(), announced / 2);
    chat.take_message();
    chat.finish();
}

#[tokio::test]
async fn response_faults_change_the_response() {
    let json_type = "application/json";
    let odd = Fault::Response {
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
        chat.inject_fault(Route::SendMessage, fault);

        let response = send(&chat, &room_id, "gl1", "hello").await;
        let next = send(&chat, &room_id, "gl2", "hello").await;

        assert_eq!(response.status, status, "{case}");
        assert_eq!(
            response.header("content-type"),
            Some(content_type),
            "{case}"
        );
        assert!(response.text().contains(text), "{case}");
        assert_eq!(chat.inserts("gl1"), inserts, "{case}");
        assert_eq!(next.status, 200, "{case}: only one call gets the fault");
        chat.mark_all_read();
        chat.finish();
    }
}

#[tokio::test]
async fn body_faults_break_the_body() {
    let chat = FakeRocketChat::start().await;
    let room_id = room(&chat).await;
    chat.inject_fault(Route::SendMessage, Fault::Truncated);
    chat.inject_fault(Route::SendMessage, Fault::NonUtf8);
    chat.inject_fault(Route::SendMessage, Fault::Huge);

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
    chat.inject_fault(Route::Me, Fault::Redirect(target.to_owned()));

    let response = call(&chat, Route::Me, &json!({})).await;

    assert_eq!(response.header("location"), Some(target));
    chat.finish();
}

#[tokio::test]
async fn a_slow_response_is_delayed() {
    for insert_first in [false, true] {
        let chat = FakeRocketChat::start().await;
        let room_id = room(&chat).await;
        let delay = Duration::from_millis(40);
        let fault = Fault::Slow {
            delay,
            insert_first,
        };
        chat.inject_fault(Route::SendMessage, fault);

        let started = Instant::now();
        let response = send(&chat, &room_id, "gl1", "hello").await;

        assert!(started.elapsed() >= delay);
        assert_eq!(response.status, 200);
        chat.take_message();
        chat.finish();
    }
}

/// Waits until a send has been received.
async fn send_received(chat: &FakeRocketChat) {
    while chat.calls(Route::SendMessage) == 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_call_is_executed_even_if_the_client_times_out() {
    let chat = FakeRocketChat::start().await;
    let room_id = room(&chat).await;
    let fault = Fault::Slow {
        delay: Duration::from_millis(40),
        insert_first: false,
    };
    chat.inject_fault(Route::SendMessage, fault);

    let body = message(&room_id, "gl1", "hello");
    tokio::select! {
        biased;
        response = try_call(&chat, Route::SendMessage, &body) => panic!("not delayed: {response:?}"),
        () = send_received(&chat) => {}
    }

    assert_eq!(chat.next_message().await.id, "gl1");
    chat.finish();
}

#[tokio::test]
async fn faults_are_applied_in_order_until_cleared() {
    let chat = FakeRocketChat::start().await;
    chat.inject_fault(Route::Me, Fault::Status(500));
    chat.inject_fault(Route::Me, Fault::Status(502));
    chat.inject_fault_always(Route::Me, Fault::Status(503));

    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(call(&chat, Route::Me, &json!({})).await.status);
    }
    let other = call(&chat, Route::UserInfo, &json!({ "username": "bob" })).await;
    chat.clear_faults();
    let after = call(&chat, Route::Me, &json!({})).await;

    assert_eq!(statuses, [500, 502, 503, 503]);
    assert_eq!((other.status, after.status), (200, 200));
    assert_eq!(chat.calls(Route::Me), 5);
    chat.finish();
}
