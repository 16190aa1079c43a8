//! Counts of a simulation, and which of them must not be zero for the simulation to be meaningful.

/// The counts.
#[derive(Debug, Default)]
pub(crate) struct Stats {
    pub(crate) deliveries: u64,
    pub(crate) attempts: u64,
    pub(crate) crashes: u64,
    pub(crate) lost_responses: u64,
    pub(crate) auto_disabled: u64,
    pub(crate) stale: u64,
    pub(crate) found: u64,
    pub(crate) edited: u64,
    pub(crate) partially_delivered: u64,
    pub(crate) rejected: u64,
    /// Calls to the chat server before the resend of what was rejected.
    pub(crate) calls: u64,
    /// The maximum number of calls in one second.
    pub(crate) peak: u64,
    pub(crate) lost: u64,
    pub(crate) duplicated: u64,
    pub(crate) late: u64,
}

impl Stats {
    pub(crate) fn add(&mut self, more: &Self) {
        self.deliveries += more.deliveries;
        self.attempts += more.attempts;
        self.crashes += more.crashes;
        self.lost_responses += more.lost_responses;
        self.auto_disabled += more.auto_disabled;
        self.stale += more.stale;
        self.found += more.found;
        self.edited += more.edited;
        self.partially_delivered += more.partially_delivered;
        self.rejected += more.rejected;
        self.calls += more.calls;
        self.peak = self.peak.max(more.peak);
        self.lost += more.lost;
        self.duplicated += more.duplicated;
        self.late += more.late;
    }

    /// Events that must occur in at least one seed, otherwise the simulation does not cover them.
    pub(crate) fn coverage(&self) -> [(&'static str, u64); 8] {
        [
            ("a delivery", self.deliveries),
            ("a crash", self.crashes),
            ("a lost response", self.lost_responses),
            ("a disabled webhook", self.auto_disabled),
            ("a wrong clock", self.stale),
            ("a successful look-up", self.found),
            ("an edited message", self.edited),
            ("a partial delivery", self.partially_delivered),
        ]
    }
}
