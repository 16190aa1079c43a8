//! The pauses between the attempts of one notification. Owns how they grow and their jitter.
//! Whether there is another attempt is decided in [`retry`](super::retry).

use std::time::Duration;

use super::deadline::Deadline;
use crate::limits::LIMITS;

/// A random part of up to a half is taken from every pause, so that replicas with the same delivery
/// retry at different times.
#[derive(Clone, Copy, Debug)]
pub(super) struct Jitter {
    state: u64,
}

impl Jitter {
    /// `seed` may be any number.
    pub(super) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// A pause of a half to the whole of `longest`.
    pub(super) fn of(&mut self, longest: Duration) -> Duration {
        // Increment and multiplier of splitmix64, so that similar seeds have different jitter.
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 48;
        let part = u32::try_from(mixed).unwrap_or(0);
        longest.saturating_sub(longest / 2 * part / (1 << 16))
    }
}

/// The longest pause after this many retries: it doubles up to a limit.
pub(super) fn longest_pause(retries: u64) -> Duration {
    let doublings = u32::try_from(retries).unwrap_or(u32::MAX).min(16);
    let pause = LIMITS.sending.retry_pause * 2_u32.pow(doublings);
    pause.min(LIMITS.sending.max_retry_pause)
}

/// The pause, shortened so that the last retry begins in time; `None` if it is too late for one.
pub(super) fn within(deadline: &Deadline, pause: Duration, now: Duration) -> Option<Duration> {
    let left = deadline.last_retry().saturating_sub(now);
    (left >= LIMITS.sending.retry_pause / 2).then(|| pause.min(left))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_limit() {
        let pauses: Vec<_> = [0, 1, 2, 3, 4, 5, 99].map(longest_pause).into();
        let expected = [100, 200, 400, 800, 1000, 1000, 1000].map(Duration::from_millis);
        assert_eq!(pauses, expected);
    }

    #[test]
    fn jitter_differs_by_seed_and_pause_and_takes_up_to_a_half() {
        let second = Duration::from_secs(1);
        let mut all = std::collections::BTreeSet::new();
        for seed in 0..500 {
            let mut jitter = Jitter::new(seed);
            all.extend([jitter.of(second), jitter.of(second)]);
        }
        assert!(all.len() > 900, "{}", all.len());
        assert!(
            all.iter()
                .all(|pause| (second / 2..=second).contains(pause))
        );
    }

    #[test]
    fn the_last_retry_begins_half_a_second_before_the_end() {
        let deadline = Deadline::new(Duration::ZERO, Duration::from_secs(5));
        let pause = |now| {
            within(
                &deadline,
                Duration::from_secs(1),
                Duration::from_millis(now),
            )
        };
        assert_eq!(pause(1000), Some(Duration::from_secs(1)));
        assert_eq!(pause(3500), Some(Duration::from_millis(700)));
        assert_eq!(pause(4180), None);
        assert_eq!(pause(4600), None);
    }
}
