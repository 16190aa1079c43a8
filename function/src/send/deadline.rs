//! The deadline of one delivery. Owns how its time limit is divided between calls and the response
//! to GitLab. What happens within it is decided in [`machine`](super::machine).

use std::time::Duration;

use crate::limits::LIMITS;
use crate::rocketchat::CallTime;

/// The time limits of one delivery, on the monotonic clock of the caller.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    /// Time at which the last call must have ended.
    pub at: Duration,
    /// Time limit of the response to one call.
    pub call_limit: Duration,
    /// Whether a notification waits for the end of an outage. Otherwise a broker keeps it meanwhile.
    pub waits_in_outage: bool,
}

impl Deadline {
    /// Divides the time limit of a delivery that began at `start`: all calls end 0.3 s before its
    /// end, and the response to each may take three tenths of it. With 5 s that is 4.7 s and 1.5 s.
    pub fn new(start: Duration, limit: Duration) -> Self {
        Self {
            at: start + limit.saturating_sub(LIMITS.delivery.response_reserve),
            call_limit: limit * LIMITS.delivery.call_tenths / 10,
            waits_in_outage: true,
        }
    }

    /// The same for a delivery that is handed off to a broker if all calls fail: they end 1 s before its end.
    pub fn before_hand_off(start: Duration, limit: Duration) -> Self {
        Self {
            at: start + limit.saturating_sub(LIMITS.delivery.hand_off_reserve),
            ..Self::of_redelivery(start, limit)
        }
    }

    /// The same for a notification that the broker sends again if all calls fail.
    pub fn of_redelivery(start: Duration, limit: Duration) -> Self {
        Self {
            waits_in_outage: false,
            ..Self::new(start, limit)
        }
    }

    /// The time limits of a call that begins `now`; `None` if less than 100 ms are left.
    pub(crate) fn time_for_a_call(&self, now: Duration) -> Option<CallTime> {
        let left = self.at.saturating_sub(now);
        (left >= LIMITS.delivery.min_call).then(|| CallTime {
            total: left,
            response: left.min(self.call_limit),
        })
    }

    /// The time at which a last retry begins.
    pub(super) fn last_retry(&self) -> Duration {
        self.at.saturating_sub(LIMITS.sending.last_retry)
    }
}
