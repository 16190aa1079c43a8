//! The event queue of a simulation in virtual time. Owns the order: by time, then by insertion, so that a
//! seed always gives the same run.

use std::collections::BTreeMap;
use std::time::Duration;

/// Scheduled events.
#[derive(Debug)]
pub(super) struct EventQueue<T> {
    items: BTreeMap<(Duration, u64), T>,
    scheduled: u64,
    now: Duration,
}

impl<T> EventQueue<T> {
    pub(super) fn new() -> Self {
        Self {
            items: BTreeMap::new(),
            scheduled: 0,
            now: Duration::ZERO,
        }
    }

    pub(super) fn now(&self) -> Duration {
        self.now
    }

    /// Schedules an event after a delay.
    pub(super) fn after(&mut self, delay: Duration, item: T) {
        self.items.insert((self.now + delay, self.scheduled), item);
        self.scheduled += 1;
    }

    /// Removes the next event and advances the clock to its time.
    pub(super) fn next(&mut self) -> Option<T> {
        let ((at, _), item) = self.items.pop_first()?;
        self.now = at;
        Some(item)
    }
}
