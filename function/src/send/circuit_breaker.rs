//! Whether Rocket.Chat is out of service, as far as this process knows. Owns when calls are made in
//! an outage: after several consecutive failures, one call at a time probes whether the server
//! responds again. Which notification makes that call is decided in [`machine`](super::machine).

use std::time::Duration;

use super::backoff;
use super::deadline::Deadline;
use crate::limits::LIMITS;

/// Counts consecutive failures. It is open from the fifth failure to the next success.
#[derive(Clone, Debug, Default)]
pub(super) struct CircuitBreaker {
    failures: u32,
    outage: Option<Outage>,
}

/// An outage of the server.
#[derive(Clone, Debug)]
struct Outage {
    since: Duration,
    /// Failed probes so far.
    probes: u64,
    /// When the next probe may begin.
    next_probe: Duration,
    /// Until when a notification continues to probe in a long outage.
    prober_until: Duration,
}

/// Whether a call may be made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Admission {
    /// It may be made.
    Call,
    /// It may be made, and no other probe before its result.
    Probe,
    /// The server is out of service; ask again after at most this pause.
    Wait(Duration),
}

impl CircuitBreaker {
    /// Whether it is open.
    pub(super) fn is_open(&self) -> bool {
        self.outage.is_some()
    }

    /// Whether the server has been out of service for so long that notifications do not wait for it.
    pub(super) fn is_long_outage(&self, now: Duration) -> bool {
        let outage = self.outage.as_ref();
        outage.is_some_and(|outage| outage.is_long(now))
    }

    /// The server responded.
    pub(super) fn record_success(&mut self) {
        *self = Self::default();
    }

    /// A call failed because of the server.
    pub(super) fn record_failure(&mut self, is_probe: bool, now: Duration) {
        self.failures = self.failures.saturating_add(1);
        if is_probe {
            self.end_probe(now);
        } else if self.failures >= LIMITS.sending.failures_until_open {
            self.outage.get_or_insert(Outage {
                since: now,
                probes: 0,
                next_probe: now + backoff::longest_pause(0),
                prober_until: now,
            });
        }
    }

    /// A probe ended without a success; the next one begins after a growing pause.
    pub(super) fn end_probe(&mut self, now: Duration) {
        if let Some(outage) = &mut self.outage {
            outage.probes += 1;
            outage.next_probe = now + backoff::longest_pause(outage.probes);
        }
    }

    /// Whether a notification may make a call. `is_first` says whether it is its first one, for
    /// which it has not waited yet.
    ///
    /// In a short outage, notifications wait for a probe, and try once at the end of their time. In
    /// a long one, each tries at once. If a broker keeps those that do not wait, only probes are made.
    pub(super) fn admit(
        &mut self,
        deadline: &Deadline,
        is_first: bool,
        now: Duration,
    ) -> Admission {
        let Some(outage) = &mut self.outage else {
            return Admission::Call;
        };
        let tries_at_once = is_first && outage.is_long(now) && deadline.waits_in_outage;
        if now >= deadline.last_retry() || tries_at_once {
            return Admission::Call;
        }
        if now >= outage.next_probe {
            // If its notification is cancelled, the next probe begins when this one would have ended.
            outage.next_probe = now + deadline.call_limit;
            return Admission::Probe;
        }
        let until = outage.next_probe.min(deadline.last_retry());
        let wait = until.saturating_sub(now);
        Admission::Wait(wait.min(LIMITS.sending.outage_poll))
    }

    /// Lets one notification at a time continue in a long outage, until its deadline.
    pub(super) fn become_prober(&mut self, until: Duration, now: Duration) -> bool {
        let outage = self.outage.as_mut();
        let outage = outage.filter(|outage| now >= outage.prober_until);
        let is_free = outage.is_some();
        if let Some(outage) = outage {
            outage.prober_until = until;
        }
        is_free
    }
}

impl Outage {
    fn is_long(&self, now: Duration) -> bool {
        now.saturating_sub(self.since) >= LIMITS.sending.max_outage_wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    /// Open since 0 ms, with a delivery that began then.
    fn open() -> (CircuitBreaker, Deadline) {
        let mut breaker = CircuitBreaker::default();
        for _ in 0..LIMITS.sending.failures_until_open {
            assert!(!breaker.is_open());
            breaker.record_failure(false, ms(0));
        }
        assert!(breaker.is_open());
        (breaker, Deadline::new(ms(0), ms(5000)))
    }

    #[test]
    fn it_opens_after_five_failures_in_a_row_and_closes_with_a_success() {
        let (mut breaker, deadline) = open();
        breaker.record_success();
        for _ in 0..4 {
            breaker.record_failure(false, ms(0));
        }
        assert!(!breaker.is_open());
        assert_eq!(breaker.admit(&deadline, false, ms(0)), Admission::Call);
    }

    #[test]
    fn one_call_at_a_time_probes_the_server() {
        let (mut breaker, deadline) = open();
        let admit = |breaker: &mut CircuitBreaker, now| breaker.admit(&deadline, true, ms(now));
        assert_eq!(admit(&mut breaker, 0), Admission::Wait(ms(100)));
        assert_eq!(admit(&mut breaker, 100), Admission::Probe);
        assert_eq!(admit(&mut breaker, 100), Admission::Wait(ms(200)));
        breaker.record_failure(true, ms(150));
        assert_eq!(admit(&mut breaker, 349), Admission::Wait(ms(1)));
        assert_eq!(admit(&mut breaker, 350), Admission::Probe);
    }

    #[test]
    fn other_failures_do_not_delay_a_probe() {
        let (mut breaker, deadline) = open();
        for _ in 0..20 {
            breaker.record_failure(false, ms(90));
        }
        assert_eq!(breaker.admit(&deadline, true, ms(100)), Admission::Probe);
        breaker.record_failure(false, ms(110));
        let wait = Admission::Wait(ms(200));
        assert_eq!(
            breaker.admit(&deadline, true, ms(1000)),
            wait,
            "a probe is in progress"
        );
    }

    #[test]
    fn a_probe_whose_notification_was_cancelled_does_not_block_the_next_one() {
        let (mut breaker, deadline) = open();
        assert_eq!(breaker.admit(&deadline, true, ms(100)), Admission::Probe);
        assert_eq!(breaker.admit(&deadline, true, ms(1600)), Admission::Probe);
    }

    #[test]
    fn a_notification_that_waited_tries_once_at_the_end() {
        let (mut breaker, deadline) = open();
        assert_eq!(breaker.admit(&deadline, true, ms(4000)), Admission::Probe);
        assert_eq!(
            breaker.admit(&deadline, true, ms(4150)),
            Admission::Wait(ms(50))
        );
        assert_eq!(breaker.admit(&deadline, true, ms(4200)), Admission::Call);
    }

    #[test]
    fn in_a_long_outage_each_tries_at_once_and_one_continues() {
        let (mut breaker, _) = open();
        let now = ms(60_000);
        let deadline = Deadline::new(now, ms(5000));
        assert!(breaker.is_long_outage(now));
        for _ in 0..3 {
            assert_eq!(breaker.admit(&deadline, true, now), Admission::Call);
            breaker.record_failure(false, now);
        }
        let kept = Deadline::of_redelivery(now, ms(5000));
        let probe = breaker.admit(&kept, true, now);
        assert_eq!(probe, Admission::Probe, "a broker keeps the others");
        let other = breaker.admit(&kept, true, now);
        assert!(matches!(other, Admission::Wait(_)), "{other:?}");
        breaker.record_failure(true, now);
        let now = now + ms(1000);
        let deadline = Deadline::new(now, ms(5000));
        assert!(breaker.become_prober(deadline.at, now));
        assert!(!breaker.become_prober(deadline.at, now + ms(2000)));
        assert_eq!(breaker.admit(&deadline, false, now), Admission::Probe);
        assert!(breaker.become_prober(deadline.at, deadline.at));
    }
}
