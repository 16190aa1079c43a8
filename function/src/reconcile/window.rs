//! The time in which GitLab may have dropped events. Owns which times are in it.

use std::time::SystemTime;

/// From one time to another, both included.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub(crate) since: SystemTime,
    pub(crate) until: SystemTime,
}

impl Window {
    pub(crate) fn contains(self, at: SystemTime) -> bool {
        self.since <= at && at <= self.until
    }
}
