//! The end of a connection whose sender is still talking. Owns that an answer given before the whole
//! body was read arrives: to close at once would make the kernel reset the connection, and the
//! sender would see a broken pipe in place of the reason why it was refused.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep};

/// The longest time for what the sender still has to say; a body may take as long.
const LIMIT: Duration = Duration::from_secs(3);

/// A sender that says nothing for so long waits for us.
const SILENCE: Duration = Duration::from_millis(500);

/// Read at once and thrown away, in bytes.
const PIECE: usize = 8 * 1024;

/// A connection that is closed for writing first, and listens until the other side has closed it too.
#[derive(Debug)]
pub(super) struct Linger {
    stream: TcpStream,
    /// Once we have said it all.
    wait: Option<Wait>,
}

#[derive(Debug)]
struct Wait {
    limit: Pin<Box<Sleep>>,
    /// For the next piece.
    silence: Pin<Box<Sleep>>,
}

impl Wait {
    fn begin() -> Self {
        Self {
            limit: Box::pin(sleep(LIMIT)),
            silence: Box::pin(sleep(SILENCE)),
        }
    }

    fn is_over(&mut self, context: &mut Context<'_>) -> bool {
        self.limit.as_mut().poll(context).is_ready()
            || self.silence.as_mut().poll(context).is_ready()
    }
}

impl Linger {
    pub(super) fn new(stream: TcpStream) -> Self {
        let wait = None;
        Self { stream, wait }
    }
}

impl AsyncRead for Linger {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Linger {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.wait.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(context))?;
        }
        let wait = this.wait.get_or_insert_with(Wait::begin);
        while !wait.is_over(context) {
            let mut piece = [0; PIECE];
            let mut piece = ReadBuf::new(&mut piece);
            let read = ready!(Pin::new(&mut this.stream).poll_read(context, &mut piece));
            if read.is_err() || piece.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            wait.silence.as_mut().reset(Instant::now() + SILENCE);
        }
        Poll::Ready(Ok(()))
    }
}
