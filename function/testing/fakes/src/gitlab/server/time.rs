//! The clock of the fake GitLab: the time of the machine, which tests move forward.
//! Owns the time; how it is written is in [`crate::clock`].

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::clock::since_1970;

/// Tokio's clock, so that a test that has paused it moves this one, too.
pub(super) struct Clock {
    started: Instant,
    start: Duration,
    ahead: Mutex<Duration>,
}

impl Clock {
    pub(super) fn behind(by: Duration) -> Self {
        Self {
            started: Instant::now(),
            start: since_1970().saturating_sub(by),
            ahead: Mutex::default(),
        }
    }

    /// The time since 1970.
    pub(super) fn now(&self) -> Duration {
        let ahead = *self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        self.start + self.started.elapsed() + ahead
    }

    pub(super) fn advance(&self, by: Duration) {
        *self.ahead.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }
}
