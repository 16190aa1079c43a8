//! What the log of a webhook says as a whole. Owns when the last success and the last failure were, and how
//! many deliveries wait for a success. What is resent is decided in `reconcile`.

use std::collections::BTreeMap;

use crate::gitlab_api::HookEvent;

/// A summary of the entries of a log.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Activity {
    /// The Unix time of the newest success.
    pub(crate) last_success: Option<u64>,
    /// The Unix time of the newest failure.
    pub(crate) last_failure: Option<u64>,
    /// Each delivery by its key, with whether one of its attempts succeeded.
    deliveries: BTreeMap<String, bool>,
}

impl Activity {
    /// Adds an entry. Those without a key are left out of the waiting ones, as they cannot be resent safely, and
    /// tests, because nobody waits for their messages.
    pub(crate) fn add(&mut self, event: &HookEvent, is_test: bool) {
        let is_success = event.is_success();
        let last = if is_success {
            &mut self.last_success
        } else {
            &mut self.last_failure
        };
        *last = (*last).max(event.unix_seconds());
        let key = event.request_header("Idempotency-Key");
        if let Some(key) = key.filter(|_| !is_test) {
            let succeeded = self.deliveries.entry(key.to_owned()).or_default();
            *succeeded |= is_success;
        }
    }

    /// How many deliveries have no success.
    pub(crate) fn waiting(&self) -> usize {
        let all = self.deliveries.values();
        all.filter(|succeeded| !**succeeded).count()
    }
}
