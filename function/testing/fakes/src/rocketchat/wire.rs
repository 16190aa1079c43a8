//! A socket that can break in the middle of an answer.
//! Owns the breaking; when and why is told by `connection`.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Where an answer is cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum After {
    /// This many bytes, the head included, or the whole answer when it is shorter.
    Bytes(usize),
    /// The head and half of the body.
    HalfOfBody,
    /// Everything.
    WholeAnswer,
}

/// How the connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Reset,
    Close,
    /// The sending side is closed, the receiving side stays open.
    HalfClose,
}

/// The order to break, shared between a connection and the code that answers on it.
#[derive(Clone, Default)]
pub(super) struct Cut(Arc<Mutex<Option<(After, Ending)>>>);

impl Cut {
    pub(super) fn cut(&self, after: After, ending: Ending) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((after, ending));
    }

    fn order(&self) -> Option<(After, Ending)> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) struct Wire {
    stream: TcpStream,
    cut: Cut,
    /// Bytes still to go, once the order is known.
    remaining: Option<usize>,
    sending_closed: bool,
}

impl Wire {
    pub(super) fn new(stream: TcpStream, cut: Cut) -> Self {
        Self {
            stream,
            cut,
            remaining: None,
            sending_closed: false,
        }
    }

    /// Ends the connection; the error makes the HTTP code above let go of the socket.
    fn end(&mut self, ending: Ending, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match ending {
            Ending::Reset => {
                // With nothing to linger for, closing sends a reset.
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

/// How much of an answer may pass that starts with these bytes.
fn allowance(after: After, start: &[u8]) -> usize {
    match after {
        After::Bytes(count) => count,
        After::WholeAnswer => usize::MAX,
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
        let Some((after, ending)) = wire.cut.order() else {
            return Pin::new(&mut wire.stream).poll_write(context, bytes);
        };
        let remaining = *wire
            .remaining
            .get_or_insert_with(|| allowance(after, bytes));
        if remaining == 0 {
            return wire.end(ending, context).map_ok(|()| bytes.len());
        }
        let passing = &bytes[..bytes.len().min(remaining)];
        let written = Pin::new(&mut wire.stream).poll_write(context, passing);
        if let Poll::Ready(Ok(count)) = written {
            wire.remaining = Some(remaining - count);
        }
        written
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let wire = self.get_mut();
        // Flushed with an order still open: the answer was shorter than the order, and is out.
        if let (Some((_, ending)), Some(_), false) =
            (wire.cut.order(), wire.remaining, wire.sending_closed)
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
