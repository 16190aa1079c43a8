//! Check `simulation`: replicas, GitLab and a chat server in virtual time, from a seed. Owns the invariants and the
//! sizes; the world is in [`simulator`], its chat server in [`chat`],
//! the order of what happens in [`event_queue`], the counts in [`stats`].

use std::time::{Duration, Instant};

use crate::check::{Finding, Size};

mod chat;
mod event_queue;
mod fixes;
mod simulator;
mod stats;

use simulator::Simulator;
use stats::Stats;

/// A seed is run twice this often to see that it does the same again.
const REPLAY_EVERY: u64 = 16;

/// Runs the check.
pub(crate) fn check(size: Size) -> Finding {
    let mut finding = Finding::default();
    let seeds = size.of(20_000, 100_000, 1_000_000);
    let began = Instant::now();
    let mut sum = Stats::default();
    let mut replays = 0;
    for seed in 0..seeds {
        let end = Simulator::new(seed).play();
        sum.add(&end.tally);
        for breach in &end.breaches {
            finding.expect(false, || format!("seed {seed}: {breach}"));
        }
        if seed % REPLAY_EVERY == 0 || !end.breaches.is_empty() {
            replays += 1;
            let again = Simulator::new(seed).play();
            finding.expect(again.digest == end.digest, || {
                format!("seed {seed} does not do the same again")
            });
        }
        if finding.broken() > 20 {
            break;
        }
    }
    let mut fixes = fixes::Stats::default();
    for seed in 0..seeds {
        for breach in fixes::play(seed, &mut fixes) {
            finding.expect(false, || format!("fix of seed {seed}: {breach}"));
        }
        if finding.broken() > 20 {
            break;
        }
    }
    for (what, count) in [
        ("a fix that was told", fixes.told),
        ("a fix that was withheld", fixes.withheld),
        ("a fix that was refused", fixes.refused),
    ] {
        finding.expect(count > 0, || format!("in no seed: {what}"));
    }
    for (what, count) in sum.figures() {
        finding.expect(count > 0, || format!("in no seed: {what}"));
    }
    finding.done(format!(
        "{seeds} seeds, 3 replicas: {} deliveries in {} attempts, {} crashes, {} lost answers, {} edits, {} that reached only some, {} times switched off, {replays} replays bit-equal; fixes of failures: {} told, {} withheld, {} refused",
        sum.deliveries, sum.attempts, sum.crashes, sum.lost_answers, sum.edited, sum.partly, sum.switched_off,
        fixes.told, fixes.withheld, fixes.refused
    ));
    finding.figure(format!(
        "{} lost after accept, {} doubled, {} late; {:.0} seeds/s",
        sum.lost,
        sum.doubled,
        sum.late,
        seeds as f64 / began.elapsed().as_secs_f64()
    ));
    finding
}

/// An outage in virtual time: what was counted, and what was wrong.
pub(crate) fn outage(lasting: Duration, rate: u32) -> (Stats, Vec<String>) {
    let end = Simulator::outage(lasting, rate).play();
    (end.tally, end.breaches)
}
