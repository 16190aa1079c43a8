//! How often GitLab may be asked to resend or to test: five times a minute for each project and user, by default. Owns
//! the times of the last requests of one project. What is requested is decided in [`plan`](super::plan).

use std::collections::VecDeque;
use std::time::SystemTime;

use crate::limits::LIMITS;

/// The requests of one kind for one project in the last minute.
///
/// The time of a request is that of its response: GitLab received it before, so two requests arrive at GitLab with at
/// least the distance that they have here.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pace {
    recent: VecDeque<SystemTime>,
    blocked_until: Option<SystemTime>,
}

impl Pace {
    /// The earliest time of the next request, which is `now` if there may be one.
    pub(crate) fn next(&self, now: SystemTime) -> SystemTime {
        let full = self.recent.len() >= LIMITS.reconcile.requests_per_minute;
        let free = self.recent.front().filter(|_| full);
        let free = free.map(|oldest| *oldest + LIMITS.reconcile.pace);
        now.max(free.unwrap_or(now))
            .max(self.blocked_until.unwrap_or(now))
    }

    /// Records a request that was answered at `now`.
    pub(crate) fn record(&mut self, now: SystemTime) {
        while self.recent.len() >= LIMITS.reconcile.requests_per_minute {
            self.recent.pop_front();
        }
        self.recent.push_back(now);
    }

    /// Records that GitLab refused a request with 429 until this time: a person or another reconciler has used the
    /// same allowance.
    pub(crate) fn block(&mut self, until: SystemTime) {
        self.blocked_until = self.blocked_until.max(Some(until));
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_minute_has_more_than_five_requests(
            pauses in proptest::collection::vec(0_u64..40_000, 1..60),
            blocks in proptest::collection::vec(proptest::option::of(0_u64..90_000), 60),
        ) {
            let mut pace = Pace::default();
            let mut now = UNIX_EPOCH + Duration::from_hours(1);
            let mut made = Vec::new();
            for (pause, block) in pauses.iter().zip(blocks) {
                now += Duration::from_millis(*pause);
                let next = pace.next(now);
                prop_assert!(next >= now);
                now = next;
                if let Some(block) = block {
                    let until = now + Duration::from_millis(block);
                    pace.block(until);
                    prop_assert!(pace.next(now) >= until);
                }
                let next = pace.next(now);
                now = next;
                prop_assert_eq!(pace.next(now), now);
                pace.record(now);
                made.push(now);
            }
            for window in made.windows(LIMITS.reconcile.requests_per_minute + 1) {
                let length = window[window.len() - 1].duration_since(window[0]);
                prop_assert!(length.expect("is in order") >= LIMITS.reconcile.pace);
            }
        }
    }

    #[test]
    fn the_first_five_requests_need_no_pause() {
        let mut pace = Pace::default();
        for _ in 0..5 {
            assert_eq!(pace.next(UNIX_EPOCH), UNIX_EPOCH);
            pace.record(UNIX_EPOCH);
        }
        assert_eq!(pace.next(UNIX_EPOCH), UNIX_EPOCH + Duration::from_mins(1));
    }
}
