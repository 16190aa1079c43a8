//! What a connection does: wait for a request, or handle one. Owns the deadlines of waiting, the end of
//! stream that a client sends during a request, and whether a connection may be closed in favour of
//! another. Bytes are read in [`watched_stream`](super::watched_stream).

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::{Duration, Instant};

/// The activity of one connection, shared by its stream, its requests and the list of open connections.
#[derive(Debug)]
pub(super) struct Activity(Mutex<State>);

#[derive(Debug)]
struct State {
    phase: Phase,
    timeouts: Timeouts,
    /// The task of the connection, if it waits for bytes, or for a reason to read the end of the stream.
    waker: Option<Waker>,
    is_closing: bool,
}

impl State {
    fn read_again(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

/// How long a connection may wait for its client.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timeouts {
    /// For the headers of the first request, and from the first byte of a later one to the end of its
    /// headers.
    pub(super) headers: Duration,
    /// For the first byte of a later request.
    pub(super) idle: Duration,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    /// Waits for the headers of a request.
    Headers { since: Instant },
    /// Waits for the first byte of another request.
    Idle { since: Instant },
    /// Handles a request.
    Busy {
        /// The handler waits for a part of the body.
        reads_body: bool,
        /// Bytes of the next request have arrived.
        has_next: bool,
    },
}

/// What a stream without bytes to read does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Wait {
    /// Waits; requests have their own timeouts.
    Busy,
    /// Waits until then.
    Until(Instant),
    /// Closes.
    Close,
}

impl Activity {
    /// The activity of a connection that was accepted at `now`.
    pub(super) fn new(timeouts: Timeouts, now: Instant) -> Self {
        Self(Mutex::new(State {
            phase: Phase::Headers { since: now },
            timeouts,
            waker: None,
            is_closing: false,
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request begins.
    pub(super) fn begin(&self) {
        let mut state = self.state();
        state.waker = None;
        state.is_closing = false;
        state.phase = Phase::Busy {
            reads_body: false,
            has_next: false,
        };
    }

    /// The request has a response. Only after a success may the connection be idle for longer.
    pub(super) fn finish(&self, is_success: bool, now: Instant) {
        let mut state = self.state();
        let has_next = matches!(state.phase, Phase::Busy { has_next: true, .. });
        state.phase = if is_success && !has_next {
            Phase::Idle { since: now }
        } else {
            Phase::Headers { since: now }
        };
        state.read_again();
    }

    /// Whether the handler waits for a part of the body.
    pub(super) fn set_reads_body(&self, now_reads: bool) {
        let mut state = self.state();
        if let Phase::Busy { reads_body, .. } = &mut state.phase {
            *reads_body = now_reads;
            if now_reads {
                state.read_again();
            }
        }
    }

    /// Bytes were received, or the end of the stream. Returns whether to pass that on: a client that ends
    /// its stream after a complete request still reads the response. The end of the stream is read again
    /// by the task of `waker` when the connection next needs bytes.
    pub(super) fn receive(&self, bytes: usize, now: Instant, waker: &Waker) -> bool {
        let mut state = self.state();
        match &mut state.phase {
            Phase::Busy {
                reads_body: false, ..
            } if bytes == 0 => {
                state.waker = Some(waker.clone());
                false
            }
            Phase::Busy {
                reads_body: false,
                has_next,
                ..
            } => {
                *has_next = true;
                true
            }
            Phase::Idle { .. } => {
                state.phase = Phase::Headers { since: now };
                true
            }
            Phase::Headers { .. } | Phase::Busy { .. } => true,
        }
    }

    /// The stream has no bytes. Remembers the task of `waker`, in order to wake it when the connection is
    /// closed.
    pub(super) fn wait(&self, waker: &Waker) -> Wait {
        let mut state = self.state();
        let until = match state.phase {
            Phase::Busy { .. } => return Wait::Busy,
            _ if state.is_closing => return Wait::Close,
            Phase::Headers { since } => since + state.timeouts.headers,
            Phase::Idle { since } => since + state.timeouts.idle,
        };
        let known = state.waker.as_ref();
        if !known.is_some_and(|known| known.will_wake(waker)) {
            state.waker = Some(waker.clone());
        }
        Wait::Until(until)
    }

    /// Since when the client has sent no request; `None` if the connection has something else to do.
    pub(super) fn waiting_since(&self) -> Option<Instant> {
        let state = self.state();
        match state.phase {
            Phase::Headers { since } | Phase::Idle { since } if state.waker.is_some() => {
                Some(since)
            }
            _ => None,
        }
    }

    /// Whether it is to be closed and has received no request since.
    pub(super) fn is_closing(&self) -> bool {
        self.state().is_closing
    }

    /// Closes the connection, unless bytes of a request have arrived meanwhile.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.is_closing = true;
        state.read_again();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    const TIMEOUTS: Timeouts = Timeouts {
        headers: Duration::from_secs(3),
        idle: Duration::from_secs(75),
    };

    fn after(seconds: u64, start: Instant) -> Instant {
        start + Duration::from_secs(seconds)
    }

    #[test]
    fn only_a_success_earns_the_longer_timeout() {
        let start = Instant::now();
        let waker = Waker::noop();
        for (is_success, expected) in [(true, 85), (false, 13)] {
            let activity = Activity::new(TIMEOUTS, start);
            assert_eq!(activity.wait(waker), Wait::Until(after(3, start)));
            activity.begin();
            assert_eq!(activity.wait(waker), Wait::Busy);
            activity.finish(is_success, after(10, start));
            assert_eq!(activity.wait(waker), Wait::Until(after(expected, start)));
        }
    }

    #[test]
    fn the_first_byte_of_a_request_ends_the_idle_time() {
        let start = Instant::now();
        let activity = Activity::new(TIMEOUTS, start);
        activity.begin();
        activity.finish(true, start);
        assert!(activity.receive(1, after(60, start), Waker::noop()));
        assert!(activity.receive(1, after(62, start), Waker::noop()));
        assert_eq!(activity.wait(Waker::noop()), Wait::Until(after(63, start)));
    }

    #[test]
    fn a_request_that_begins_during_another_one_has_the_timeout_for_headers() {
        let start = Instant::now();
        let activity = Activity::new(TIMEOUTS, start);
        activity.begin();
        assert!(activity.receive(1, start, Waker::noop()));
        activity.finish(true, start);
        assert_eq!(activity.wait(Waker::noop()), Wait::Until(after(3, start)));
    }

    #[test]
    fn the_end_of_the_stream_counts_only_where_bytes_are_missing() {
        let start = Instant::now();
        let counter = Arc::new(Counter::default());
        let waker = Waker::from(Arc::clone(&counter));
        let activity = Activity::new(TIMEOUTS, start);
        assert!(activity.receive(0, start, &waker), "before a request");
        activity.begin();
        activity.set_reads_body(true);
        assert!(activity.receive(0, start, &waker), "within a body");
        activity.set_reads_body(false);
        assert!(!activity.receive(0, start, &waker), "after the request");
        assert_eq!(counter.0.load(Ordering::Relaxed), 0);
        activity.set_reads_body(true);
        assert_eq!(
            counter.0.load(Ordering::Relaxed),
            1,
            "the body is incomplete"
        );
        activity.set_reads_body(false);
        assert!(!activity.receive(0, start, &waker), "after the request");
        activity.finish(true, start);
        assert_eq!(
            counter.0.load(Ordering::Relaxed),
            2,
            "to close the connection"
        );
        assert!(activity.receive(0, start, &waker), "after the response");
    }

    #[derive(Default)]
    struct Counter(AtomicUsize);

    impl Wake for Counter {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_request_that_has_arrived_is_not_closed() {
        let start = Instant::now();
        let activity = Activity::new(TIMEOUTS, start);
        assert_eq!(activity.waiting_since(), None, "was not read yet");
        activity.wait(Waker::noop());
        assert_eq!(activity.waiting_since(), Some(start));
        activity.close();
        assert!(activity.is_closing());
        activity.begin();
        assert!(!activity.is_closing());
        activity.finish(true, start);
        activity.wait(Waker::noop());
        activity.close();
        assert_eq!(activity.wait(Waker::noop()), Wait::Close);
    }
}
