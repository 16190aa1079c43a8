//! Stops a call at a given stage and notifies the check that waits for it. Owns the stages, which are
//! those that differ in the bytes on the wire.

use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

/// A stage of a call, seen from the chat server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum CallStage {
    /// The connection has been accepted.
    Connected,
    /// The first bytes have been received.
    Started,
    /// The whole call has been received.
    Received,
    /// The chat server has executed the call.
    Executed,
    /// Half of the response has been sent.
    HalfResponded,
    /// The whole response has been sent.
    Responded,
}

/// A breakpoint, which can be set for one call at a time.
#[derive(Debug, Default)]
pub(crate) struct Breakpoint {
    set: Mutex<Option<(CallStage, &'static str)>>,
    hit: Notify,
}

impl Breakpoint {
    /// Stops the next call to a path that ends in `path` at this stage, forever.
    pub(crate) fn set(&self, stage: CallStage, path: &'static str) {
        *self.lock() = Some((stage, path));
    }

    /// Waits until a call has reached the breakpoint.
    pub(crate) async fn hit(&self) {
        self.hit.notified().await;
    }

    /// Removes the breakpoint.
    pub(crate) fn clear(&self) {
        *self.lock() = None;
    }

    pub(super) fn is_set(&self, stage: CallStage, path: &str) -> bool {
        let path = path.split('?').next().unwrap_or_default();
        // At the stage Connected the path is not known yet.
        self.lock()
            .is_some_and(|(at, of)| at == stage && (path.is_empty() || path.ends_with(of)))
    }

    /// Continues, or stops here forever if the breakpoint is set.
    pub(super) async fn reach(&self, stage: CallStage, path: &str) {
        if self.is_set(stage, path) {
            self.clear();
            self.hit.notify_one();
            std::future::pending::<()>().await;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<(CallStage, &'static str)>> {
        self.set.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
