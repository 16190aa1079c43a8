//! The time of one delivery. Owns how the limit is shared between calls and our answer; what is done
//! with it is decided in [`delivery`](super).

use std::time::Duration;

use crate::limits::LIMITS;

/// The time a delivery has; all of it measured on one monotonic clock.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    /// When the last call must have ended.
    pub at: Duration,
    /// The longest one call may take.
    pub call_limit: Duration,
}

impl Deadline {
    /// Shares out the time limit of a delivery that began at `start`: nine tenths for calls, three
    /// tenths for each of them, the rest for our answer. With 5 s that is 4.5 s and 1.5 s.
    pub fn new(start: Duration, limit: Duration) -> Self {
        Self {
            at: start + limit * LIMITS.delivery.calls_tenths / 10,
            call_limit: Self::call_limit(limit),
        }
    }

    /// The longest one call may take within the time limit of a delivery.
    pub(crate) fn call_limit(limit: Duration) -> Duration {
        limit * LIMITS.delivery.call_tenths / 10
    }

    /// The time that a call beginning `now` may take; `None` if that is too little to be worth it.
    pub(super) fn time_for_a_call(&self, now: Duration) -> Option<Duration> {
        let left = self.at.saturating_sub(now);
        (left >= LIMITS.delivery.min_call).then(|| left.min(self.call_limit))
    }
}
