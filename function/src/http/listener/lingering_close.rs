//! Lingering close, as in nginx: closes a connection whose client still sends. Owns that a response which
//! is sent before the whole body was read reaches the client. Closing the socket at once would make the
//! kernel reset the connection, and the client would see a broken pipe in place of the response.

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

/// A connection that is first closed for writing, and then read until the client closes it too.
#[derive(Debug)]
pub(super) struct LingeringClose {
    stream: TcpStream,
    permits: Arc<Semaphore>,
    /// Set once the connection is closed for writing.
    drain: Option<Drain>,
}

#[derive(Debug)]
struct Drain {
    timeout: Pin<Box<Sleep>>,
    idle_timeout: Pin<Box<Sleep>>,
    pause: Pin<Box<Sleep>>,
    chunks: u8,
    _permit: OwnedSemaphorePermit,
}

impl Drain {
    fn begin(permit: OwnedSemaphorePermit) -> Self {
        Self {
            timeout: Box::pin(sleep(LIMITS.lingering_close.timeout)),
            idle_timeout: Box::pin(sleep(LIMITS.lingering_close.idle_timeout)),
            pause: Box::pin(sleep(Duration::ZERO)),
            chunks: 0,
            _permit: permit,
        }
    }

    /// Discards what the client sends until it closes the connection or a timeout ends.
    fn poll_drain(&mut self, stream: &mut TcpStream, context: &mut Context<'_>) -> Poll<()> {
        loop {
            let is_over = self.timeout.as_mut().poll(context).is_ready()
                || self.idle_timeout.as_mut().poll(context).is_ready();
            if is_over {
                return Poll::Ready(());
            }
            ready!(self.pause.as_mut().poll(context));
            let mut chunk = [0; LIMITS.lingering_close.chunk_bytes];
            let mut chunk = ReadBuf::new(&mut chunk);
            let read = ready!(Pin::new(&mut *stream).poll_read(context, &mut chunk));
            if read.is_err() || chunk.filled().is_empty() {
                return Poll::Ready(());
            }
            let now = Instant::now();
            self.idle_timeout
                .as_mut()
                .reset(now + LIMITS.lingering_close.idle_timeout);
            self.chunks = (self.chunks + 1) % LIMITS.lingering_close.chunks_per_pause;
            if self.chunks == 0 {
                self.pause
                    .as_mut()
                    .reset(now + LIMITS.lingering_close.pause);
            }
        }
    }
}

impl LingeringClose {
    /// `permits` are shared by all connections.
    pub(super) fn new(stream: TcpStream, permits: Arc<Semaphore>) -> Self {
        Self {
            stream,
            permits,
            drain: None,
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
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.drain.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(context))?;
            let permit = Arc::clone(&this.permits).try_acquire_owned();
            this.drain = permit.ok().map(Drain::begin);
        }
        match &mut this.drain {
            Some(drain) => drain.poll_drain(&mut this.stream, context).map(Ok),
            None => Poll::Ready(Ok(())),
        }
    }
}
