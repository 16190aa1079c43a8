//! The permits of the notifications in progress. Owns how many there are and how many notifications
//! wait for one. How long one may wait is decided in [`machine`](super::machine).

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{self, Instant};

use crate::limits::LIMITS;

/// One permit per notification in progress.
#[derive(Debug)]
pub(super) struct Permits {
    permits: Semaphore,
    waiting: AtomicUsize,
}

impl Default for Permits {
    fn default() -> Self {
        Self {
            permits: Semaphore::new(LIMITS.sending.max_in_progress),
            waiting: AtomicUsize::new(0),
        }
    }
}

impl Permits {
    /// A permit. If none is free, `latest` gets the number of notifications that wait already, and
    /// returns until when to wait; `None` rejects the notification at once.
    pub(super) async fn get(
        &self,
        latest: impl FnOnce(usize) -> Option<Instant>,
    ) -> Option<SemaphorePermit<'_>> {
        if let Ok(permit) = self.permits.try_acquire() {
            return Some(permit);
        }
        let place = Place::behind(&self.waiting);
        if place.ahead >= LIMITS.sending.max_waiting {
            return None;
        }
        let until = latest(place.ahead)?;
        let permit = time::timeout_at(until, self.permits.acquire()).await;
        permit.ok().and_then(Result::ok)
    }
}

/// A place among the notifications that wait, given up when it is dropped.
struct Place<'a> {
    waiting: &'a AtomicUsize,
    ahead: usize,
}

impl<'a> Place<'a> {
    fn behind(waiting: &'a AtomicUsize) -> Self {
        let ahead = waiting.fetch_add(1, Ordering::Relaxed);
        Self { waiting, ahead }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_cannot_get_a_permit_in_time_is_rejected_at_once() {
        let permits = Permits::default();
        let soon = |_| Some(Instant::now() + LIMITS.sending.retry_pause);
        let mut held = Vec::new();
        for _ in 0..LIMITS.sending.max_in_progress {
            held.push(permits.get(|_| None).await.expect("is free"));
        }
        assert!(
            permits
                .get(|_| None)
                .now_or_never()
                .expect("at once")
                .is_none()
        );
        assert!(permits.get(soon).await.is_none(), "after the wait");
        let mut waiting = Box::pin(permits.get(soon));
        assert!(waiting.as_mut().now_or_never().is_none(), "waits");
        let rejected = permits.get(|ahead| {
            assert_eq!(ahead, 1);
            None
        });
        assert!(rejected.await.is_none());
        held.pop();
        assert!(waiting.await.is_some());
    }

    #[tokio::test]
    async fn so_many_may_wait_and_no_more() {
        let permits = Permits::default();
        let late = |_| Some(Instant::now() + LIMITS.sending.room_lifetime);
        let mut waiting = Vec::new();
        for _ in 0..LIMITS.sending.max_in_progress + LIMITS.sending.max_waiting {
            let mut permit = Box::pin(permits.get(late));
            waiting.push((permit.as_mut().now_or_never(), permit));
        }
        assert!(permits.get(late).now_or_never().expect("at once").is_none());
        waiting.pop();
        assert!(permits.get(late).now_or_never().is_none(), "waits");
    }
}
