//! The retry budget that all deliveries of one process share, so that retries do not multiply the
//! load on a failing chat server. Whether a call can be retried at all is decided in
//! [`machine`](super::machine).

use std::time::Duration;

use crate::limits::LIMITS;

/// One retry, in thousandths.
const RETRY: u64 = 1000;

/// Largest balance, and the initial one.
const MAX_SAVED: u64 = LIMITS.sending.max_saved_retries * RETRY;

/// Allows retries for a tenth of the notifications plus one per second, with bursts of up to 10.
/// With an empty budget, each call has one attempt, so retries do not make an outage worse.
#[derive(Clone, Debug)]
pub struct RetryBudget {
    balance: u64,
    updated: Duration,
}

impl RetryBudget {
    /// A full budget at the time `now`.
    pub fn new(now: Duration) -> Self {
        Self {
            balance: MAX_SAVED,
            updated: now,
        }
    }

    /// Adds the share of a notification that begins.
    pub(crate) fn deposit(&mut self, now: Duration) {
        self.add(RETRY / LIMITS.sending.notifications_per_retry, now);
    }

    /// Takes one retry; `false` if the balance is too low.
    #[must_use = "a retry that was not granted must not be made"]
    pub fn take_retry(&mut self, now: Duration) -> bool {
        self.add(0, now);
        let granted = self.balance >= RETRY;
        if granted {
            self.balance -= RETRY;
        }
        granted
    }

    /// Adds `more`, plus a thousandth of a retry per millisecond since the last update.
    fn add(&mut self, more: u64, now: Duration) {
        // Whole milliseconds, so that calls in quick succession do not lose the parts between them.
        let now = Duration::from_millis(u64::try_from(now.as_millis()).unwrap_or(u64::MAX));
        let elapsed = now.saturating_sub(self.updated).as_millis();
        let elapsed = u64::try_from(elapsed).unwrap_or(MAX_SAVED).min(MAX_SAVED);
        let earned = elapsed * LIMITS.sending.retries_per_second;
        self.balance = (self.balance + more + earned).min(MAX_SAVED);
        self.updated = self.updated.max(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn granted(budget: &mut RetryBudget, now: Duration) -> usize {
        (0..100).filter(|_| budget.take_retry(now)).count()
    }

    #[test]
    fn retries_are_a_tenth_of_the_notifications_plus_one_per_second() {
        let start = Duration::from_secs(5);
        let mut budget = RetryBudget::new(start);
        assert_eq!(granted(&mut budget, start), 10, "the initial budget");
        for _ in 0..30 {
            budget.deposit(start);
        }
        assert_eq!(
            granted(&mut budget, start),
            3,
            "a tenth of 30 notifications"
        );
        assert_eq!(
            granted(&mut budget, start + Duration::from_secs(4)),
            4,
            "one per second"
        );
        assert_eq!(
            granted(&mut budget, start + Duration::from_hours(1)),
            10,
            "the most that accumulates"
        );
    }

    #[test]
    fn calls_within_a_millisecond_lose_no_time() {
        let mut budget = RetryBudget::new(Duration::ZERO);
        assert_eq!(granted(&mut budget, Duration::ZERO), 10);
        for call in 0..2500 {
            assert!(!budget.take_retry(Duration::from_micros(call * 400)));
        }
        assert!(budget.take_retry(Duration::from_secs(1)));
    }

    #[test]
    fn a_clock_that_stops_or_runs_backwards_adds_no_retries() {
        let mut budget = RetryBudget::new(Duration::from_secs(100));
        assert_eq!(granted(&mut budget, Duration::from_secs(100)), 10);
        assert_eq!(granted(&mut budget, Duration::ZERO), 0);
        assert_eq!(granted(&mut budget, Duration::from_secs(100)), 0);
    }
}
