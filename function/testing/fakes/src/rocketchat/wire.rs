//! A socket that can break in the middle of a response.
//! Owns how it breaks; `fault_injection` decides when.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::absence::Away;
use super::server::Server;

/// Where a response is cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum After {
    /// After this many bytes, including the head, or at its end if it is shorter.
    Bytes(usize),
    /// After the head and half of the body.
    HalfOfBody,
    /// After the whole response.
    WholeResponse,
}

/// How the connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Reset,
    Close,
    /// The sending side is closed, the receiving side stays open.
    HalfClose,
}

/// When and how to break, shared between a connection and the code that writes its responses.
#[derive(Clone, Default)]
pub(super) struct Cut(Arc<Mutex<Option<(After, Ending)>>>);

impl Cut {
    pub(super) fn set(&self, after: After, ending: Ending) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((after, ending));
    }

    fn get(&self) -> Option<(After, Ending)> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) struct Wire {
    stream: TcpStream,
    server: Arc<Server>,
    cut: Cut,
    /// Bytes that may still be sent, once a cut is set.
    remaining: Option<usize>,
    sending_closed: bool,
}

impl Wire {
    pub(super) fn new(stream: TcpStream, cut: Cut, server: Arc<Server>) -> Self {
        Self {
            stream,
            server,
            cut,
            remaining: None,
            sending_closed: false,
        }
    }

    /// Ends the connection; the error makes hyper drop the socket.
    fn end(&mut self, ending: Ending, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match ending {
            Ending::Reset => {
                // With a linger time of zero, closing sends a reset.
                self.stream.set_zero_linger()?;
                Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()))
            }
            Ending::Close => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            Ending::HalfClose => {
                self.sending_closed = true;
                Pin::new(&mut self.stream).poll_shutdown(context)
            }
        }
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if let Some((Away::Reset, _)) = self.server.absence.now() {
            let _ = self.stream.set_zero_linger();
        }
    }
}

/// How many bytes of a response that starts with these bytes may be sent.
fn sendable(after: After, start: &[u8]) -> usize {
    match after {
        After::Bytes(count) => count,
        After::WholeResponse => usize::MAX,
        After::HalfOfBody => {
            let head = start.windows(4).position(|four| four == b"\r\n\r\n");
            let head = head.map_or(0, |at| at + 4);
            head + (start.len() - head) / 2
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let wire = self.get_mut();
        if wire.sending_closed {
            return Poll::Ready(Ok(bytes.len()));
        }
        let Some((after, ending)) = wire.cut.get() else {
            return Pin::new(&mut wire.stream).poll_write(context, bytes);
        };
        let remaining = *wire.remaining.get_or_insert_with(|| sendable(after, bytes));
        if remaining == 0 {
            return wire.end(ending, context).map_ok(|()| bytes.len());
        }
        let allowed = &bytes[..bytes.len().min(remaining)];
        let written = Pin::new(&mut wire.stream).poll_write(context, allowed);
        if let Poll::Ready(Ok(count)) = written {
            wire.remaining = Some(remaining - count);
        }
        written
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let wire = self.get_mut();
        // Bytes remain at the flush: the response was shorter than the cut and has been sent.
        if let (Some((_, ending)), Some(_), false) =
            (wire.cut.get(), wire.remaining, wire.sending_closed)
        {
            return wire.end(ending, context);
        }
        Pin::new(&mut wire.stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(context, buffer)
    }
}
