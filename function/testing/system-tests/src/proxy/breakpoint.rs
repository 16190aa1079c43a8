//! Stops a call at a moment of one's choice and tells who waits for it. Owns the moments that can
//! be told apart on the wire.

use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

/// A moment of a call, seen from the chat server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Moment {
    /// The connection is there.
    Connected,
    /// The first bytes are there.
    Begun,
    /// The whole call is there.
    Read,
    /// The call has been carried out.
    CarriedOut,
    /// Half of the answer is out.
    HalfAnswered,
    /// The whole answer is out.
    Answered,
}

/// One trap at a time.
#[derive(Debug, Default)]
pub(crate) struct Breakpoint {
    set: Mutex<Option<(Moment, &'static str)>>,
    sprung: Notify,
}

impl Breakpoint {
    /// Stops the next call to a path that ends in `path` at `moment`, for ever.
    pub(crate) fn set(&self, moment: Moment, path: &'static str) {
        *self.lock() = Some((moment, path));
    }

    /// Waits until a call is in the trap.
    pub(crate) async fn sprung(&self) {
        self.sprung.notified().await;
    }

    /// Lets the next calls pass.
    pub(crate) fn remove(&self) {
        *self.lock() = None;
    }

    pub(super) fn is_set(&self, moment: Moment, path: &str) -> bool {
        let path = path.split('?').next().unwrap_or_default();
        // The path of a connection is not known yet.
        self.lock()
            .is_some_and(|(at, of)| at == moment && (path.is_empty() || path.ends_with(of)))
    }

    /// Passes by, or is caught.
    pub(super) async fn at(&self, moment: Moment, path: &str) {
        if self.is_set(moment, path) {
            self.remove();
            self.sprung.notify_one();
            std::future::pending::<()>().await;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<(Moment, &'static str)>> {
        self.set.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
