//! A server that is away for a time: what a client sees meanwhile, and that everything works afterwards.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use fakes::rocketchat::{Away, FakeRocketChat, Route};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{call, room, send, try_call};

const SPELL: Duration = Duration::from_millis(200);

/// Opens a connection, sends `bytes` and reads until its end.
async fn exchange_bytes(chat: &FakeRocketChat, bytes: &[u8]) -> Result<Vec<u8>, ErrorKind> {
    let address = chat.url().replace("http://", "");
    let exchange = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(bytes).await?;
        let mut response = Vec::new();
        stream.read_to_end(&mut response).await?;
        Ok(response)
    };
    exchange.await.map_err(|error: std::io::Error| error.kind())
}

const CALL: &[u8] = b"GET /api/v1/me HTTP/1.1\r\nHost: chat\r\n\r\n";

#[tokio::test]
async fn an_absent_server_fails_every_connection_in_its_way() {
    let cases = [
        (Away::Refused, Err(ErrorKind::ConnectionRefused)),
        (Away::Reset, Err(ErrorKind::ConnectionReset)),
        (Away::Silent, Ok(Vec::new())),
    ];
    for (how, expected) in cases {
        let chat = FakeRocketChat::start().await;
        let began = Instant::now();
        chat.away(SPELL, how).await;

        let result = exchange_bytes(&chat, CALL).await;

        assert_eq!(result, expected, "{how:?}");
        if how == Away::Silent {
            assert!(began.elapsed() >= SPELL, "{how:?}");
        }
        chat.finish();
    }
}

#[tokio::test]
async fn an_absent_server_behind_a_proxy_answers_with_its_status() {
    for status in [404, 502, 503] {
        let chat = FakeRocketChat::start().await;
        let room_id = room(&chat).await;
        chat.away(SPELL, Away::Status(status)).await;

        let response = send(&chat, &room_id, "gl1", "hello").await;

        assert_eq!(response.status, status);
        assert_eq!(response.header("content-type"), Some("text/html"));
        assert!(response.text().contains("<center>nginx</center>"));
        assert_eq!(chat.calls(Route::SendMessage), 1);
        assert!(chat.messages().is_empty());
        chat.finish();
    }
}

#[tokio::test]
async fn idle_connections_end_when_the_server_leaves() {
    let cases = [
        (Away::Refused, Ok(0)),
        (Away::Reset, Err(ErrorKind::ConnectionReset)),
    ];
    for (how, expected) in cases {
        let chat = FakeRocketChat::start().await;
        let address = chat.url().replace("http://", "");
        let mut idle = TcpStream::connect(address).await.expect("a connection");
        idle.write_all(CALL).await.expect("sent");
        let mut first = [0; 4096];
        let read = idle.read(&mut first).await.expect("a response");
        assert!(read > 0);
        chat.away(SPELL, how).await;

        let ended = idle.read(&mut first).await.map_err(|error| error.kind());

        assert_eq!(ended, expected, "{how:?}");
        chat.expect_violation();
        chat.finish();
    }
}

#[tokio::test]
async fn the_server_comes_back_on_the_same_port_with_its_messages() {
    for how in [Away::Refused, Away::Reset, Away::Status(503), Away::Silent] {
        let chat = FakeRocketChat::start().await;
        let room_id = room(&chat).await;
        send(&chat, &room_id, "gl1", "before").await;
        let began = Instant::now();
        chat.away(SPELL, how).await;

        while !matches!(
            try_call(&chat, Route::Me, &json!({})).await,
            Ok(response) if response.status == 200
        ) {
            tokio::task::yield_now().await;
        }

        assert!(began.elapsed() >= SPELL, "{how:?}");
        let after = send(&chat, &room_id, "gl2", "after").await;
        assert_eq!(after.status, 200, "{how:?}");
        assert_eq!(chat.messages().len(), 2, "{how:?}");
        chat.mark_all_read();
        chat.finish();
    }
}

#[tokio::test]
async fn absences_follow_each_other() {
    let chat = FakeRocketChat::start().await;
    let began = Instant::now();
    chat.away(SPELL, Away::Status(503)).await;

    chat.away(SPELL, Away::Status(404)).await;
    let response = call(&chat, Route::Me, &json!({})).await;

    assert!(began.elapsed() >= SPELL);
    assert_eq!(response.status, 404);
    chat.finish();
}
