//! Repeating failed calls. Owns when a call is repeated and what happens instead. Pauses are in
//! [`backoff`], the budget of the process is in
//! [`server_state`](super::server_state).

use std::time::Duration;

use super::backoff;
use super::command::Command;
use super::machine::{SendMachine, Step};
use super::server_state::ServerState;
use crate::limits::LIMITS;
use crate::rocketchat::api_error::{ApiError, RetryPolicy};

impl SendMachine {
    /// Retries the step that failed, or else looks up the message, or else gives up.
    pub(super) fn try_again(
        &mut self,
        error: ApiError,
        now: Duration,
        state: &mut ServerState,
    ) -> Command {
        self.last_error = Some(error);
        if state.breaker.is_open() && !self.deadline.waits_in_outage {
            return self.give_up_on(error);
        }
        if !self.is_time_to_look_up(error, now)
            && let Some(pause) = self.retry(error, now, state)
        {
            return pause;
        }
        // The message may be stored and only the response lost. In a long outage, the look-up would
        // fail too.
        if self.step == Step::Send
            && error.may_have_been_applied()
            && (self.is_prober || !state.breaker.is_long_outage(now))
            && self.deadline.time_for_a_call(now).is_some()
        {
            self.cause = Some(error);
            return self.start(Step::Find, now, state);
        }
        self.give_up_on(error)
    }

    /// Whether another call without a response would leave no time to look up the message.
    fn is_time_to_look_up(&self, error: ApiError, now: Duration) -> bool {
        let left = self.deadline.at.saturating_sub(now);
        let needed = self.deadline.call_limit + LIMITS.sending.last_retry;
        self.step == Step::Send && error == ApiError::Timeout && left < needed
    }

    /// The pause before the step in progress is repeated; `None` if the error is permanent, or time
    /// or budget are used up.
    pub(super) fn retry(
        &mut self,
        error: ApiError,
        now: Duration,
        state: &mut ServerState,
    ) -> Option<Command> {
        let pause = match error.retry_policy() {
            RetryPolicy::Never => return None,
            RetryPolicy::AfterReset => return self.wait_for_reset(error, now),
            RetryPolicy::Briefly if self.brief_retries >= LIMITS.sending.max_brief_retries => {
                return None;
            }
            RetryPolicy::Briefly => LIMITS.sending.brief_retry_pause,
            RetryPolicy::UntilDeadline => backoff::longest_pause(self.attempts.retries),
        };
        let pause = self.jitter.of(pause);
        let pause = backoff::within(&self.deadline, pause, now)?;
        if state.breaker.is_long_outage(now) && !self.is_prober {
            self.is_prober = state.breaker.become_prober(self.deadline.at, now);
            if !self.is_prober {
                return None;
            }
        }
        if !state.take_retry(now) {
            return None;
        }
        self.attempts.retries += 1;
        self.brief_retries += u64::from(error.retry_policy() == RetryPolicy::Briefly);
        Some(Command::Wait(pause))
    }

    /// A rate limit is no outage, so the call after it takes nothing from the retry budget.
    fn wait_for_reset(&mut self, error: ApiError, now: Duration) -> Option<Command> {
        let ApiError::RateLimited(reset_in) = error else {
            return None;
        };
        let waits = self.attempts.rate_limit_waits;
        let pause = self.jitter.of(backoff::longest_pause(waits));
        let pause = reset_in.unwrap_or_default() + pause;
        self.deadline.time_for_a_call(now + pause)?;
        self.attempts.rate_limit_waits += 1;
        Some(Command::Wait(pause))
    }
}
