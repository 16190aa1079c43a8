//! What happens when, in virtual time. Owns the order: by time, and at the same time by the order
//! in which it was planned, so that a seed always tells the same story.

use std::collections::BTreeMap;
use std::time::Duration;

/// Things to come.
#[derive(Debug)]
pub(super) struct EventQueue<T> {
    items: BTreeMap<(Duration, u64), T>,
    planned: u64,
    now: Duration,
}

impl<T> EventQueue<T> {
    pub(super) fn new() -> Self {
        Self {
            items: BTreeMap::new(),
            planned: 0,
            now: Duration::ZERO,
        }
    }

    pub(super) fn now(&self) -> Duration {
        self.now
    }

    /// Plans something for so long from now.
    pub(super) fn after(&mut self, delay: Duration, item: T) {
        self.items.insert((self.now + delay, self.planned), item);
        self.planned += 1;
    }

    /// The next thing; the clock goes on to its time.
    pub(super) fn next(&mut self) -> Option<T> {
        let ((at, _), item) = self.items.pop_first()?;
        self.now = at;
        Some(item)
    }
}
