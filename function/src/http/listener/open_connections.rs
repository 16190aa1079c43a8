//! The open connections of one port. Owns how many there may be, and which one is closed when there are
//! nearly as many. What a connection does at the moment is in [`activity`](super::activity).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::activity::Activity;
use crate::limits::LIMITS;

/// All open connections, by their number.
#[derive(Debug)]
pub(super) struct OpenConnections {
    /// More than this many are crowded.
    crowded: usize,
    /// A client that has sent no request for a shorter time is not disconnected.
    grace: Duration,
    list: Mutex<List>,
}

#[derive(Debug, Default)]
struct List {
    next: u64,
    open: BTreeMap<u64, Arc<Activity>>,
}

/// An entry of the list, which it leaves when it is dropped.
#[derive(Debug)]
pub(super) struct Entry {
    number: u64,
    connections: Arc<OpenConnections>,
}

impl OpenConnections {
    /// An empty list for at most `limit` connections. No connection is closed that has waited for a
    /// request for less than `grace`.
    pub(super) fn new(limit: usize, grace: Duration) -> Self {
        Self {
            crowded: limit * LIMITS.connections.crowded_percent / 100,
            grace,
            list: Mutex::default(),
        }
    }

    fn list(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a connection.
    pub(super) fn add(self: &Arc<Self>, activity: Arc<Activity>) -> Entry {
        let mut list = self.list();
        let number = list.next;
        list.next += 1;
        list.open.insert(number, activity);
        Entry {
            number,
            connections: Arc::clone(self),
        }
    }

    /// If there are many, closes the one whose client has sent no request for the longest time: a proxy
    /// opens another one when it needs it, and an attacker has only these.
    pub(super) fn make_room(&self, now: Instant) {
        let list = self.list();
        if list.open.len() <= self.crowded {
            return;
        }
        let staying = list.open.values().filter(|activity| !activity.is_closing());
        if staying.count() <= self.crowded {
            return;
        }
        let waiting = list
            .open
            .values()
            .filter(|activity| !activity.is_closing())
            .filter_map(|activity| Some((activity.waiting_since()?, activity)));
        if let Some((since, oldest)) = waiting.min_by_key(|(since, _)| *since)
            && now.saturating_duration_since(since) >= self.grace
        {
            oldest.close();
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.connections.list().open.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::super::activity::Timeouts;
    use super::*;

    fn waiting_since(seconds: u64, start: Instant) -> Arc<Activity> {
        let timeouts = Timeouts {
            headers: Duration::from_secs(3),
            idle: Duration::from_secs(75),
        };
        let activity = Activity::new(timeouts, start + Duration::from_secs(seconds));
        activity.wait(Waker::noop());
        Arc::new(activity)
    }

    #[test]
    fn above_four_fifths_the_connection_that_waits_longest_is_closed() {
        let grace = Duration::from_secs(2);
        let connections = Arc::new(OpenConnections::new(5, grace));
        let start = Instant::now();
        let later = |seconds| start + Duration::from_secs(seconds);
        let activities: Vec<_> = [9, 3, 5, 1, 7]
            .map(|seconds| waiting_since(seconds, start))
            .into();
        let mut entries = Vec::new();
        for activity in &activities {
            entries.push(connections.add(Arc::clone(activity)));
            // A connection with a request is not closed.
            activities[3].begin();
            connections.make_room(later(4));
        }
        assert!(
            activities.iter().all(|it| !it.is_closing()),
            "the oldest has waited for 1 s only"
        );
        connections.make_room(later(5));
        let closing: Vec<_> = activities.iter().map(|it| it.is_closing()).collect();
        assert_eq!(closing, [false, true, false, false, false]);
        connections.make_room(later(9));
        assert!(!activities[2].is_closing(), "one is closing already");
        drop(entries.remove(1));
        connections.make_room(later(9));
        assert!(!activities[2].is_closing(), "there is room");
    }
}
