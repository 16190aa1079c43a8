//! What is counted in a world, and what must have come about for the count to mean anything.

/// What was counted.
#[derive(Debug, Default)]
pub(crate) struct Stats {
    pub(crate) deliveries: u64,
    pub(crate) attempts: u64,
    pub(crate) crashes: u64,
    pub(crate) lost_answers: u64,
    pub(crate) switched_off: u64,
    pub(crate) stale: u64,
    pub(crate) found: u64,
    pub(crate) edited: u64,
    pub(crate) partly: u64,
    pub(crate) refused: u64,
    /// The most calls in one second.
    pub(crate) peak: u64,
    pub(crate) lost: u64,
    pub(crate) doubled: u64,
    pub(crate) late: u64,
}

impl Stats {
    pub(crate) fn add(&mut self, more: &Self) {
        self.deliveries += more.deliveries;
        self.attempts += more.attempts;
        self.crashes += more.crashes;
        self.lost_answers += more.lost_answers;
        self.switched_off += more.switched_off;
        self.stale += more.stale;
        self.found += more.found;
        self.edited += more.edited;
        self.partly += more.partly;
        self.refused += more.refused;
        self.peak = self.peak.max(more.peak);
        self.lost += more.lost;
        self.doubled += more.doubled;
        self.late += more.late;
    }

    /// What must have come about in some seed, or the simulation is too tame.
    pub(crate) fn figures(&self) -> [(&'static str, u64); 8] {
        [
            ("a delivery", self.deliveries),
            ("a crash", self.crashes),
            ("a lost answer", self.lost_answers),
            ("a webhook that is switched off", self.switched_off),
            ("a clock that is wrong", self.stale),
            ("a message that was found", self.found),
            ("a message that was edited", self.edited),
            ("a delivery that reached only some", self.partly),
        ]
    }
}
