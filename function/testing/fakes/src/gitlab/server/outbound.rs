//! The hosts of the local network that GitLab may send to although it may not send to local addresses.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// `outbound_local_requests_whitelist`. Copies share one list.
#[derive(Clone, Debug, Default)]
pub(super) struct OutboundList(Arc<Mutex<Vec<String>>>);

impl OutboundList {
    /// Whether a host, or a host with its port, is in the list.
    pub(super) fn contains(&self, host: &str) -> bool {
        let hosts = self.hosts();
        hosts.iter().any(|known| known.eq_ignore_ascii_case(host))
    }

    pub(super) fn replace(&self, hosts: Vec<String>) {
        *self.hosts() = hosts;
    }

    pub(super) fn list(&self) -> Vec<String> {
        self.hosts().clone()
    }

    fn hosts(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
