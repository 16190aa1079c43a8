//! The end of a connection whose sender is still talking. Owns that an answer given before the whole
//! body was read arrives: to close at once would make the kernel reset the connection, and the
//! sender would see a broken pipe in place of the reason why it was refused.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep};

use crate::limits::LIMITS;

/// A connection that is closed for writing first, and listens until the other side has closed it too.
#[derive(Debug)]
pub(super) struct LingeringClose {
    stream: TcpStream,
    turns: Arc<Semaphore>,
    /// Once we have said it all.
    wait: Option<Wait>,
}

#[derive(Debug)]
struct Wait {
    limit: Pin<Box<Sleep>>,
    silence: Pin<Box<Sleep>>,
    pause: Pin<Box<Sleep>>,
    pieces: u8,
    _turn: OwnedSemaphorePermit,
}

impl Wait {
    fn begin(turn: OwnedSemaphorePermit) -> Self {
        Self {
            limit: Box::pin(sleep(LIMITS.lingering_close.timeout)),
            silence: Box::pin(sleep(LIMITS.lingering_close.idle_timeout)),
            pause: Box::pin(sleep(Duration::ZERO)),
            pieces: 0,
            _turn: turn,
        }
    }

    /// Reads piece after piece until the sender has no more to say, or no more time.
    fn listen(&mut self, stream: &mut TcpStream, context: &mut Context<'_>) -> Poll<()> {
        loop {
            let over = self.limit.as_mut().poll(context).is_ready()
                || self.silence.as_mut().poll(context).is_ready();
            if over {
                return Poll::Ready(());
            }
            ready!(self.pause.as_mut().poll(context));
            let mut piece = [0; LIMITS.lingering_close.chunk_bytes];
            let mut piece = ReadBuf::new(&mut piece);
            let read = ready!(Pin::new(&mut *stream).poll_read(context, &mut piece));
            if read.is_err() || piece.filled().is_empty() {
                return Poll::Ready(());
            }
            let now = Instant::now();
            self.silence
                .as_mut()
                .reset(now + LIMITS.lingering_close.idle_timeout);
            self.pieces = (self.pieces + 1) % LIMITS.lingering_close.chunks_per_pause;
            if self.pieces == 0 {
                self.pause
                    .as_mut()
                    .reset(now + LIMITS.lingering_close.pause);
            }
        }
    }
}

impl LingeringClose {
    /// `turns` are shared by all connections.
    pub(super) fn new(stream: TcpStream, turns: Arc<Semaphore>) -> Self {
        Self {
            stream,
            turns,
            wait: None,
        }
    }
}

impl AsyncRead for LingeringClose {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for LingeringClose {
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
            let turn = Arc::clone(&this.turns).try_acquire_owned();
            this.wait = turn.ok().map(Wait::begin);
        }
        match &mut this.wait {
            Some(wait) => wait.listen(&mut this.stream, context).map(Ok),
            None => Poll::Ready(Ok(())),
        }
    }
}
