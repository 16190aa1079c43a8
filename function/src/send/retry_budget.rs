//! How much trying again the chat server can be asked to bear. Owns the allowance that all
//! deliveries of one process share. Whether a retry makes sense at all is decided in
//! [`delivery`](super).

use std::time::Duration;

use crate::limits::LIMITS;

/// One retry, in thousandths.
const RETRY: u64 = 1000;

const MAX_SAVED: u64 = LIMITS.sending.max_saved_retries * RETRY;

/// Retries are at most a tenth of the deliveries plus one a second. With nothing left each
/// delivery has one try, so an outage is not made worse by us.
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

    /// Counts a delivery that begins.
    pub(crate) fn deposit(&mut self, now: Duration) {
        self.add(RETRY / LIMITS.sending.deliveries_per_retry, now);
    }

    /// Takes one retry, if there is one.
    #[must_use = "a retry that was not granted must not be made"]
    pub fn take_retry(&mut self, now: Duration) -> bool {
        self.add(0, now);
        let granted = self.balance >= RETRY;
        if granted {
            self.balance -= RETRY;
        }
        granted
    }

    /// Adds what the time since the last call is worth: a thousandth a millisecond.
    fn add(&mut self, more: u64, now: Duration) {
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
    fn retries_are_a_tenth_of_the_deliveries_plus_one_per_second() {
        let start = Duration::from_secs(5);
        let mut budget = RetryBudget::new(start);
        assert_eq!(granted(&mut budget, start), 10, "the initial budget");
        for _ in 0..30 {
            budget.deposit(start);
        }
        assert_eq!(granted(&mut budget, start), 3, "a tenth of 30 deliveries");
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
    fn a_clock_that_stops_or_runs_backwards_adds_no_retries() {
        let mut budget = RetryBudget::new(Duration::from_secs(100));
        assert_eq!(granted(&mut budget, Duration::from_secs(100)), 10);
        assert_eq!(granted(&mut budget, Duration::ZERO), 0);
        assert_eq!(granted(&mut budget, Duration::from_secs(100)), 0);
    }
}
