//! A stream that closes when its client is silent for too long. Owns applying the decisions of
//! [`activity`](super::activity) to reads. The timeout of writes is that of the surrounding stream.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep_until};

use super::activity::{Activity, Wait};
use super::open_connections::OpenConnections;

/// A stream whose reads end at the deadlines of its activity.
#[derive(Debug)]
pub(super) struct WatchedStream<S> {
    stream: S,
    activity: Arc<Activity>,
    connections: Arc<OpenConnections>,
    deadline: Option<(Instant, Pin<Box<Sleep>>)>,
    /// Whether the client was silent for too long.
    has_timed_out: bool,
}

impl<S> WatchedStream<S> {
    pub(super) fn new(
        stream: S,
        activity: Arc<Activity>,
        connections: Arc<OpenConnections>,
    ) -> Self {
        Self {
            stream,
            activity,
            connections,
            deadline: None,
            has_timed_out: false,
        }
    }

    /// Whether the connection is to be closed, because its client is silent.
    fn poll_timeout(&mut self, context: &mut Context<'_>) -> Poll<()> {
        match self.activity.wait(context.waker()) {
            Wait::Busy => Poll::Pending,
            Wait::Close => Poll::Ready(()),
            Wait::Until(deadline) => {
                self.connections.make_room(Instant::now());
                self.poll_deadline(deadline, context)
            }
        }
    }

    fn poll_deadline(&mut self, until: Instant, context: &mut Context<'_>) -> Poll<()> {
        let (at, sleep) = self
            .deadline
            .get_or_insert_with(|| (until, Box::pin(sleep_until(until.into()))));
        if *at != until {
            *at = until;
            sleep.as_mut().reset(until.into());
        }
        sleep.as_mut().poll(context)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for WatchedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buffer.filled().len();
        if let Poll::Ready(read) = Pin::new(&mut this.stream).poll_read(context, buffer) {
            read?;
            let received = buffer.filled().len() - before;
            let now = Instant::now();
            let is_passed_on = this.activity.receive(received, now, context.waker());
            return if is_passed_on {
                Poll::Ready(Ok(()))
            } else {
                Poll::Pending
            };
        }
        ready!(this.poll_timeout(context));
        this.has_timed_out = true;
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for WatchedStream<S> {
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
        ready!(Pin::new(&mut self.stream).poll_flush(context))?;
        // After a response, hyper does not read before something wakes it. This sets the timer; the next
        // read returns the error.
        if self.poll_timeout(context).is_ready() && !self.has_timed_out {
            context.waker().wake_by_ref();
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.has_timed_out {
            // There is no response for which a lingering close would wait.
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
