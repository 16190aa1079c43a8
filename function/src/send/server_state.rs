//! What the sends of one process know about Rocket.Chat together. Owns how the retry budget and the
//! circuit breaker depend on each other, and how long a call usually takes. Replicas do not share
//! it, and it may be lost at any time.

use std::time::Duration;

use super::circuit_breaker::CircuitBreaker;
use super::retry_budget::RetryBudget;
use crate::limits::LIMITS;
use crate::rocketchat::response::ApiError;

/// Shared by all sends of a process.
#[derive(Clone, Debug)]
pub struct ServerState {
    budget: RetryBudget,
    pub(super) breaker: CircuitBreaker,
    /// The last error that shows an outage.
    pub(super) outage_error: Option<ApiError>,
    /// Moving average of the duration of calls that the server answered.
    usual_call: Duration,
}

impl ServerState {
    /// A full budget and no failures at the time `now`.
    pub fn new(now: Duration) -> Self {
        Self {
            budget: RetryBudget::new(now),
            breaker: CircuitBreaker::default(),
            outage_error: None,
            usual_call: Duration::ZERO,
        }
    }

    /// A notification begins.
    pub(super) fn begin(&mut self) {
        self.budget.deposit();
    }

    /// Records what the result of a call says about the server.
    pub(super) fn record(
        &mut self,
        error: Option<ApiError>,
        is_probe: bool,
        took: Duration,
        now: Duration,
    ) {
        match error.map_or(Some(true), ApiError::server_is_up) {
            Some(true) => {
                self.breaker.record_success();
                self.usual_call = (self.usual_call * 7 + took) / 8;
            }
            Some(false) => {
                self.outage_error = error;
                self.breaker.record_failure(is_probe, now);
            }
            None if is_probe => self.breaker.end_probe(now),
            None => {}
        }
    }

    /// Takes one retry; `false` if the budget is empty. The budget refills only while the server
    /// responds, so that a long outage costs few retries.
    #[must_use = "a retry that was not granted must not be made"]
    pub fn take_retry(&mut self, now: Duration) -> bool {
        if self.breaker.is_open() {
            self.budget.skip(now);
        } else {
            self.budget.refill(now);
        }
        self.budget.take()
    }

    /// How long a notification waits until it may begin, if as many wait already.
    pub(super) fn expected_wait(&self, waiting: usize) -> Duration {
        let rounds = waiting / LIMITS.sending.max_in_progress;
        self.usual_call * u32::try_from(rounds).unwrap_or(u32::MAX)
    }

    /// How much time a notification needs at least when it may begin: twice the usual time of a
    /// call, so that no call is made that is cut off.
    pub(super) fn time_to_begin(&self, call_limit: Duration) -> Duration {
        let usual = (self.usual_call * 2).max(LIMITS.delivery.min_call);
        usual.min(call_limit.max(LIMITS.delivery.min_call))
    }
}
