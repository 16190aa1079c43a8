//! Reads HTTP/1.1 messages with a Content-Length from a connection. Supports only what the benchmark's
//! client and server need, to use less CPU time than the measured program.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _};

/// A reader that buffers bytes of the next message.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    buffer: Vec<u8>,
}

/// A request or a response.
#[derive(Debug)]
pub(crate) struct Message {
    /// `POST /path HTTP/1.1` or `HTTP/1.1 200 OK`.
    pub(crate) first_line: String,
    /// The bytes after the head.
    pub(crate) body: Vec<u8>,
}

impl Reader {
    /// The next message; `None` if the peer has closed the connection between two messages.
    pub(crate) async fn next(
        &mut self,
        from: &mut (impl AsyncRead + Unpin),
    ) -> io::Result<Option<Message>> {
        let head_end = loop {
            if let Some(end) = self
                .buffer
                .windows(4)
                .position(|bytes| bytes == b"\r\n\r\n")
            {
                break end + 4;
            }
            if from.read_buf(&mut self.buffer).await? == 0 {
                return if self.buffer.is_empty() {
                    Ok(None)
                } else {
                    Err(io::ErrorKind::UnexpectedEof.into())
                };
            }
        };
        let head = String::from_utf8_lossy(&self.buffer[..head_end]).into_owned();
        let end = head_end + content_length(&head);
        while self.buffer.len() < end {
            if from.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let rest = self.buffer.split_off(end);
        let body = self.buffer.split_off(head_end);
        self.buffer = rest;
        let first_line = head.lines().next().unwrap_or_default().to_owned();
        Ok(Some(Message { first_line, body }))
    }
}

fn content_length(head: &str) -> usize {
    let mut lines = head.lines().filter_map(|line| line.split_once(':'));
    let length = lines.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    length
        .and_then(|(_, value)| value.trim().parse().ok())
        .unwrap_or_default()
}
