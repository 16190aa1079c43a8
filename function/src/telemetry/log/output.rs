//! Where log lines are written: standard output, directly or by a thread behind a queue. Owns that no
//! reader of standard output can stop the process, and that the queue is bounded. The format of a line is
//! in [`log`](super).

use std::io::{self, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::limits::LIMITS;

/// Writes lines to standard output.
#[derive(Clone, Debug)]
pub(in crate::telemetry) enum LogOutput {
    /// At once. On AWS Lambda, which freezes the process after a response: a line in a queue would be
    /// written with the next event or never. Lambda itself reads the other end.
    Direct,
    /// Later, by a thread.
    Queued(Arc<LogQueue>),
}

/// The lines that are not written yet.
#[derive(Debug, Default)]
pub(in crate::telemetry) struct LogQueue {
    state: Mutex<State>,
    /// Signals the writer that there is work, or that the rest must be written now.
    wake: Condvar,
    /// Signals that a batch was written.
    written: Condvar,
    dropped: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    lines: Vec<u8>,
    /// Lines dropped since the last batch was taken.
    dropped: u64,
    /// The writer waits for a line.
    is_asleep: bool,
    /// The writer has taken lines and not finished writing them.
    is_writing: bool,
    is_flushing: bool,
}

impl LogOutput {
    /// A queue and its writer; lines are written directly if the system has no thread left.
    pub(in crate::telemetry) fn queued() -> Self {
        let queue = Arc::new(LogQueue::default());
        let writer = Arc::clone(&queue);
        let started = thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || writer.write_forever());
        match started {
            Ok(_) => Self::Queued(queue),
            Err(_) => Self::Direct,
        }
    }

    /// Writes or queues one line, with its line feed.
    pub(super) fn write(&self, line: &[u8]) {
        match self {
            Self::Direct => write_now(line),
            Self::Queued(queue) => queue.push(line),
        }
    }

    /// Waits until all lines are written, but not for long: the reader may have stopped.
    pub(in crate::telemetry) fn flush(&self) {
        if let Self::Queued(queue) = self {
            queue.flush();
        }
    }

    /// Lines that were dropped because the queue was full.
    pub(in crate::telemetry) fn dropped(&self) -> u64 {
        match self {
            Self::Direct => 0,
            Self::Queued(queue) => queue.dropped.load(Ordering::Relaxed),
        }
    }
}

/// If standard output is closed, the error cannot be logged either.
fn write_now(lines: &[u8]) {
    let _ = io::stdout().lock().write_all(lines);
}

impl LogQueue {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, line: &[u8]) {
        let mut state = self.state();
        if state.lines.len() + line.len() > LIMITS.telemetry.log_queue_bytes {
            state.dropped += 1;
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        state.lines.extend_from_slice(line);
        // Waking a thread costs more than all the rest, so an awake one is left alone.
        let was_asleep = std::mem::take(&mut state.is_asleep);
        drop(state);
        if was_asleep {
            self.wake.notify_one();
        }
    }

    fn flush(&self) {
        let mut state = self.state();
        state.is_flushing = true;
        self.wake.notify_one();
        let is_pending = |state: &mut State| state.is_writing || !state.lines.is_empty();
        let timeout = LIMITS.telemetry.log_flush_timeout;
        let waited = self.written.wait_timeout_while(state, timeout, is_pending);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.is_flushing = false;
    }

    fn write_forever(&self) {
        let mut batch = Vec::new();
        loop {
            let dropped = self.take(&mut batch);
            if dropped > 0 {
                // The queue is empty now, and this line follows those of the batch.
                tracing::warn!(
                    dropped,
                    "log lines were dropped, because standard output was not read; check what reads the logs of this process"
                );
            }
            write_now(&batch);
        }
    }

    /// Exchanges the batch, which has been written, for the queued lines; waits for some. Returns how many
    /// lines were dropped after them.
    fn take(&self, batch: &mut Vec<u8>) -> u64 {
        batch.clear();
        let mut state = self.state();
        state.is_writing = false;
        self.written.notify_all();
        // Many lines are written with one call, and none waits for longer than this.
        let pause = LIMITS.telemetry.log_pause;
        let paused = self
            .wake
            .wait_timeout_while(state, pause, |state| !state.is_flushing);
        state = paused.unwrap_or_else(PoisonError::into_inner).0;
        while state.lines.is_empty() {
            state.is_asleep = true;
            let woken = self.wake.wait(state);
            state = woken.unwrap_or_else(PoisonError::into_inner);
        }
        state.is_asleep = false;
        state.is_writing = true;
        std::mem::swap(&mut state.lines, batch);
        std::mem::take(&mut state.dropped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_queue_drops_lines_and_counts_them() {
        let queue = LogQueue::default();
        let line = vec![b'x'; LIMITS.telemetry.log_queue_bytes / 2];
        for _ in 0..5 {
            queue.push(&line);
        }
        assert_eq!(queue.dropped.load(Ordering::Relaxed), 3);
        let mut batch = Vec::new();
        assert_eq!(queue.take(&mut batch), 3);
        assert_eq!(batch.len(), 2 * line.len());
        queue.push(b"next\n");
        assert_eq!(queue.take(&mut batch), 0);
        assert_eq!(batch, b"next\n");
    }

    #[test]
    fn a_flush_without_a_writer_ends() {
        let queue = LogQueue::default();
        queue.push(b"line\n");
        let started = std::time::Instant::now();
        queue.flush();
        assert!(started.elapsed() < 2 * LIMITS.telemetry.log_flush_timeout);
    }
}
