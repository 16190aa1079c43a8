//! A collector of spans that looks at nothing. Owns keeping what it was sent as it came.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Heads and bodies of what was sent to it.
pub(super) type Seen = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

/// Takes spans and keeps them as they came.
pub(super) struct Collector {
    pub(super) url: String,
    pub(super) seen: Seen,
}

impl Collector {
    #[expect(
        clippy::disallowed_methods,
        reason = "a server of a check, which ends with its runtime"
    )]
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port is free");
        let address = listener.local_addr().expect("is bound");
        let seen = Seen::default();
        let (url, kept) = (format!("http://{address}"), Arc::clone(&seen));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(take(stream, Arc::clone(&kept)));
            }
        });
        Self { url, seen }
    }
}

async fn take(mut stream: TcpStream, seen: Seen) {
    let mut bytes = Vec::new();
    while let Ok(read @ 1..) = stream.read_buf(&mut bytes).await {
        let _ = read;
        while let Some((head, body, rest)) = split(&bytes) {
            seen.lock().expect("no reader panics").push((head, body));
            bytes = rest;
            let _ = stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                .await;
        }
    }
}

/// The first whole request, and what follows it.
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
