//! A server behind Envoy that says what arrived. Owns its connections; it speaks HTTP/1.1 and echoes a WebSocket.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader, copy};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// A running server; dropping it closes its connections.
pub(crate) struct Backend {
    address: String,
    arrived: Arc<Arrived>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Arrived {
    requests: AtomicU64,
    body_bytes: AtomicU64,
}

impl Backend {
    /// Starts one that answers each request with its name, what it received of the body, and the head.
    pub(crate) async fn start(name: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("listens");
        let address = listener.local_addr().expect("has one").to_string();
        let arrived = Arc::new(Arrived::default());
        let seen = Arc::clone(&arrived);
        #[expect(
            clippy::disallowed_methods,
            reason = "the server runs in the background of a test, and its handle aborts the task"
        )]
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, name, Arc::clone(&seen)));
            }
        });
        Self {
            address,
            arrived,
            task,
        }
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// How many requests have arrived, complete or not.
    pub(crate) fn requests(&self) -> u64 {
        self.arrived.requests.load(Ordering::Relaxed)
    }

    /// How many bytes of bodies have arrived.
    pub(crate) fn body_bytes(&self) -> u64 {
        self.arrived.body_bytes.load(Ordering::Relaxed)
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(stream: TcpStream, name: &str, arrived: Arc<Arrived>) -> io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader);
    loop {
        let head = head(&mut reader).await?;
        arrived.requests.fetch_add(1, Ordering::Relaxed);
        let lower = head.to_ascii_lowercase();
        if lower.contains("\r\nupgrade: websocket\r\n") {
            return echo(reader, writer).await;
        }
        let length = value(&lower, "content-length").and_then(|length| length.parse().ok());
        let received = discard(&mut reader, length.unwrap_or(0), &arrived).await?;
        let body = format!("{name} received {received}\n{head}");
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        writer.write_all(answer.as_bytes()).await?;
    }
}

async fn head(reader: &mut BufReader<OwnedReadHalf>) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(reader.read_u8().await?);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// The value of a header in the head of a message in lower case.
pub(super) fn value<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    lines
        .into_iter()
        .find(|(found, _)| *found == name)
        .map(|(_, value)| value)
}

/// Reads a body of this length and counts it while it arrives.
async fn discard(
    reader: &mut BufReader<OwnedReadHalf>,
    length: u64,
    arrived: &Arrived,
) -> io::Result<u64> {
    let mut buffer = vec![0; 64 * 1024];
    let mut received = 0;
    while received < length {
        let read = reader.read(&mut buffer).await?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let read = u64::try_from(read).map_err(io::Error::other)?;
        received += read;
        arrived.body_bytes.fetch_add(read, Ordering::Relaxed);
    }
    Ok(received)
}

async fn echo(mut reader: BufReader<OwnedReadHalf>, mut writer: OwnedWriteHalf) -> io::Result<()> {
    let answer =
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n";
    writer.write_all(answer).await?;
    copy(&mut reader, &mut writer).await?;
    Ok(())
}
