//! Reads one HTTP/1.1 message as bytes; parses only as much as is needed to find its end.

use std::io;

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

/// A request or a response.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) bytes: Vec<u8>,
}

impl Message {
    /// Reads one complete message.
    pub(crate) async fn read(stream: &mut TcpStream) -> io::Result<Self> {
        let mut bytes = Vec::new();
        while !is_whole(&bytes) {
            if stream.read_buf(&mut bytes).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(Self { bytes })
    }
}

/// The path of the next request, without consuming it; `None` if the client has closed the connection.
pub(crate) async fn peek_path(stream: &TcpStream) -> io::Result<Option<String>> {
    let mut head = [0; 1024];
    let seen = stream.peek(&mut head).await?;
    let text = String::from_utf8_lossy(&head[..seen]);
    let path = text.split(' ').nth(1).unwrap_or_default().to_owned();
    Ok((seen > 0).then_some(path))
}

fn is_whole(bytes: &[u8]) -> bool {
    let Some(head) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
        return false;
    };
    let body = &bytes[head + 4..];
    let head = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
    if head.contains("transfer-encoding: chunked") {
        return body.ends_with(b"0\r\n\r\n");
    }
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"));
    body.len() >= length.map_or(0, |length| length.trim().parse().unwrap_or(usize::MAX))
}
