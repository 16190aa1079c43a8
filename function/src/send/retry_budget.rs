//! The retry budget that all sends of one process share. Owns its refill. When a retry is made is
//! decided in [`retry`](super::retry).

use std::time::Duration;

use crate::limits::LIMITS;

/// One retry, in units that a millisecond of refilling is a whole number of.
const RETRY: u64 = 60_000;

/// Largest balance, and the initial one.
const FULL: u64 = LIMITS.sending.max_saved_retries * RETRY;

/// Allows a reserve of retries, which refills within a minute, and a tenth of the notifications.
/// With an empty budget, each call has one attempt, so retries do not make an outage worse.
#[derive(Clone, Debug)]
pub(super) struct RetryBudget {
    balance: u64,
    updated: Duration,
}

impl RetryBudget {
    /// A full budget at the time `now`.
    pub(super) fn new(now: Duration) -> Self {
        Self {
            balance: FULL,
            updated: now,
        }
    }

    /// Adds the share of a notification that begins.
    pub(super) fn deposit(&mut self) {
        self.add(RETRY / LIMITS.sending.notifications_per_retry);
    }

    /// Adds what the time since the last call refills.
    pub(super) fn refill(&mut self, now: Duration) {
        let before = self.updated;
        self.skip(now);
        let elapsed = self.updated.saturating_sub(before);
        let elapsed = elapsed.min(LIMITS.sending.retry_refill).as_millis();
        let refill = u128::from(FULL) * elapsed / LIMITS.sending.retry_refill.as_millis();
        self.add(u64::try_from(refill).unwrap_or(FULL));
    }

    /// Refills nothing for the time since the last call.
    pub(super) fn skip(&mut self, now: Duration) {
        // Whole milliseconds, so that calls in quick succession do not lose the parts between them.
        let now = Duration::from_millis(u64::try_from(now.as_millis()).unwrap_or(u64::MAX));
        self.updated = self.updated.max(now);
    }

    /// Takes one retry; `false` if the balance is too low.
    #[must_use = "a retry that was not granted must not be made"]
    pub(super) fn take(&mut self) -> bool {
        let granted = self.balance >= RETRY;
        if granted {
            self.balance -= RETRY;
        }
        granted
    }

    fn add(&mut self, more: u64) {
        self.balance = (self.balance + more).min(FULL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn granted(budget: &mut RetryBudget, now: Duration) -> usize {
        budget.refill(now);
        (0..1000).filter(|_| budget.take()).count()
    }

    #[test]
    fn retries_are_a_reserve_and_a_tenth_of_the_notifications() {
        let start = Duration::from_secs(5);
        let mut budget = RetryBudget::new(start);
        assert_eq!(granted(&mut budget, start), 100, "the reserve");
        for _ in 0..30 {
            budget.deposit();
        }
        assert_eq!(granted(&mut budget, start), 3, "a tenth of 30");
        let half_a_minute = start + Duration::from_secs(30);
        assert_eq!(granted(&mut budget, half_a_minute), 50, "half the reserve");
        let hour = start + Duration::from_hours(1);
        assert_eq!(
            granted(&mut budget, hour),
            100,
            "never more than the reserve"
        );
    }

    #[test]
    fn skipped_time_refills_nothing() {
        let mut budget = RetryBudget::new(Duration::ZERO);
        assert_eq!(granted(&mut budget, Duration::ZERO), 100);
        budget.skip(Duration::from_secs(30));
        assert_eq!(granted(&mut budget, Duration::from_secs(30)), 0);
        assert_eq!(granted(&mut budget, Duration::from_secs(36)), 10);
    }

    #[test]
    fn calls_within_a_millisecond_lose_no_time() {
        let mut budget = RetryBudget::new(Duration::ZERO);
        assert_eq!(granted(&mut budget, Duration::ZERO), 100);
        for call in 0..1500 {
            budget.refill(Duration::from_micros(call * 400));
        }
        assert_eq!(granted(&mut budget, Duration::from_millis(600)), 1);
    }

    #[test]
    fn a_clock_that_stops_or_runs_backwards_adds_no_retries() {
        let mut budget = RetryBudget::new(Duration::from_secs(100));
        assert_eq!(granted(&mut budget, Duration::from_secs(100)), 100);
        assert_eq!(granted(&mut budget, Duration::ZERO), 0);
        assert_eq!(granted(&mut budget, Duration::from_secs(100)), 0);
    }
}
