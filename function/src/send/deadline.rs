//! The deadline of one delivery. Owns how its time limit is divided between calls and the response
//! to GitLab. What happens within it is decided in [`machine`](super::machine).

use std::time::Duration;

use crate::limits::LIMITS;

/// The time limits of one delivery, on the monotonic clock of the caller.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    /// Time at which the last call must have ended.
    pub at: Duration,
    /// Time limit of one call.
    pub call_limit: Duration,
}

impl Deadline {
    /// Divides the time limit of a delivery that began at `start`: nine tenths for all calls, at
    /// most three tenths for each, the rest for the response to GitLab. With 5 s that is 4.5 s and
    /// 1.5 s.
    pub fn new(start: Duration, limit: Duration) -> Self {
        Self {
            at: start + limit * LIMITS.delivery.calls_tenths / 10,
            call_limit: Self::call_limit(limit),
        }
    }

    /// Time limit of one call, for a delivery with the time limit `limit`.
    pub(crate) fn call_limit(limit: Duration) -> Duration {
        limit * LIMITS.delivery.call_tenths / 10
    }

    /// Time limit of a call that begins `now`; `None` if less than 100 ms are left.
    pub(super) fn time_for_a_call(&self, now: Duration) -> Option<Duration> {
        let left = self.at.saturating_sub(now);
        (left >= LIMITS.delivery.min_call).then(|| left.min(self.call_limit))
    }
}
