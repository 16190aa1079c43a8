//! A fake OTLP collector that records the requests it receives, without parsing them.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Heads and bodies of the received requests.
pub(super) type Requests = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

/// A running collector.
pub(super) struct Collector {
    pub(super) url: String,
    pub(super) requests: Requests,
}

impl Collector {
    #[expect(
        clippy::disallowed_methods,
        reason = "the server ends with the runtime of its check"
    )]
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port is free");
        let address = listener.local_addr().expect("is bound");
        let requests = Requests::default();
        let (url, recorded) = (format!("http://{address}"), Arc::clone(&requests));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&recorded)));
            }
        });
        Self { url, requests }
    }
}

async fn serve(mut stream: TcpStream, requests: Requests) {
    let mut bytes = Vec::new();
    while let Ok(read @ 1..) = stream.read_buf(&mut bytes).await {
        let _ = read;
        while let Some((head, body, rest)) = split(&bytes) {
            requests
                .lock()
                .expect("no reader panics")
                .push((head, body));
            bytes = rest;
            let _ = stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                .await;
        }
    }
}

/// The first complete request, and the bytes after it.
fn split(bytes: &[u8]) -> Option<(String, Vec<u8>, Vec<u8>)> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse::<usize>().ok())?
    });
    let end_of_body = end + length.unwrap_or_default();
    let body = bytes.get(end..end_of_body)?.to_vec();
    Some((head, body, bytes[end_of_body..].to_vec()))
}
