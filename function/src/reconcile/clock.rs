//! The time of a run, so that tests can move it. Owns what it is and how to wait. A round that waits for the pace of
//! GitLab takes minutes.

use std::fmt;
use std::time::{Duration, SystemTime};

use futures_util::future::LocalBoxFuture;

/// What time it is, and how to wait.
pub struct Clock {
    /// The time.
    pub now: Box<dyn Fn() -> SystemTime>,
    /// Waits for this long.
    pub pause: Box<dyn Fn(Duration) -> LocalBoxFuture<'static, ()>>,
}

impl Clock {
    /// The clock of this machine.
    pub fn of_system() -> Self {
        Self {
            now: Box::new(SystemTime::now),
            pause: Box::new(|time| Box::pin(tokio::time::sleep(time))),
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Clock").finish_non_exhaustive()
    }
}
