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
    /// The end of all waiting, and the end of waiting for the next piece, once we have said it all.
    waits: Option<(Pin<Box<Sleep>>, Pin<Box<Sleep>>)>,
}

impl Linger {
    pub(super) fn new(stream: TcpStream) -> Self {
        let waits = None;
        Self { stream, waits }
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
        if this.waits.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(context))?;
        }
        let (limit, silence) = this
            .waits
            .get_or_insert_with(|| (Box::pin(sleep(LIMIT)), Box::pin(sleep(SILENCE))));
        loop {
            if limit.as_mut().poll(context).is_ready() || silence.as_mut().poll(context).is_ready()
            {
                return Poll::Ready(Ok(()));
            }
            let mut piece = [0; PIECE];
            let mut piece = ReadBuf::new(&mut piece);
            let read = ready!(Pin::new(&mut this.stream).poll_read(context, &mut piece));
            if read.is_err() || piece.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            silence.as_mut().reset(Instant::now() + SILENCE);
        }
    }
}
