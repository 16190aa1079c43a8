//! Rooms that are being created now. Owns that one notification of this process creates the room of a
//! recipient while the others wait: of simultaneous calls for one room, the server refuses all but
//! one. Calls are made by [`sender`](super::sender).

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::rocketchat::response::ApiError;
use crate::rocketchat::{RoomId, Username};

type Outcome = Option<Result<RoomId, ApiError>>;

/// Creations in progress, by recipient.
#[derive(Debug, Default)]
pub(super) struct Creations(Mutex<HashMap<Username, watch::Receiver<Outcome>>>);

/// The creation of a room by this notification. Others wait until it is dropped.
#[derive(Debug)]
pub(super) struct Creation<'a> {
    creations: &'a Creations,
    name: Username,
    outcome: watch::Sender<Outcome>,
}

/// The creation of a room by another notification.
#[derive(Debug)]
pub(super) struct OtherCreation(watch::Receiver<Outcome>);

impl Creations {
    /// Begins to create the room of a recipient, unless another notification does.
    pub(super) fn begin(&self, name: &Username) -> Result<Creation<'_>, OtherCreation> {
        match self.lock().entry(name.clone()) {
            Entry::Occupied(other) => Err(OtherCreation(other.get().clone())),
            Entry::Vacant(entry) => {
                let (outcome, receiver) = watch::channel(None);
                entry.insert(receiver);
                Ok(Creation {
                    creations: self,
                    name: name.clone(),
                    outcome,
                })
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Username, watch::Receiver<Outcome>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Creation<'_> {
    /// Passes the result to the others if it applies to them too; a failure of the server may not. With a
    /// broker, they do not try themselves, one after the other: `passes_failures`.
    pub(super) fn finish(self, result: &Result<RoomId, ApiError>, passes_failures: bool) {
        if passes_failures || matches!(result, Ok(_) | Err(ApiError::Refused)) {
            self.outcome.send_replace(Some(result.clone()));
        }
    }
}

impl Drop for Creation<'_> {
    fn drop(&mut self) {
        self.creations.lock().remove(&self.name);
    }
}

impl OtherCreation {
    /// Waits for its end; `None` if its result does not hold for others, or if it was cancelled.
    pub(super) async fn result(mut self) -> Outcome {
        let changed = self.0.changed().await;
        let outcome = self.0.borrow();
        changed.ok().and_then(|()| outcome.clone())
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn alice() -> Username {
        Username::parse("alice").expect("is a name")
    }

    #[test]
    fn others_wait_for_the_result() {
        let room = RoomId::parse("room").expect("is a room");
        for (result, passes_failures, expected) in [
            (Ok(room.clone()), false, Some(Ok(room))),
            (Err(ApiError::Refused), false, Some(Err(ApiError::Refused))),
            (Err(ApiError::Timeout), false, None),
            (Err(ApiError::Timeout), true, Some(Err(ApiError::Timeout))),
        ] {
            let creations = Creations::default();
            let creation = creations.begin(&alice()).expect("is the first");
            let other = creations.begin(&alice()).expect_err("waits");
            let late = creations.begin(&alice()).expect_err("waits");
            assert_eq!(late.result().now_or_never(), None);
            creation.finish(&result, passes_failures);
            assert_eq!(other.result().now_or_never(), Some(expected));
            assert!(creations.begin(&alice()).is_ok(), "it has ended");
        }
    }

    #[test]
    fn a_cancelled_creation_lets_the_next_one_begin() {
        let creations = Creations::default();
        let creation = creations.begin(&alice()).expect("is the first");
        let other = creations.begin(&alice()).expect_err("waits");
        drop(creation);
        assert_eq!(other.result().now_or_never(), Some(None));
        assert!(creations.begin(&alice()).is_ok());
    }
}
