//! Check `simulation`: replicas, GitLab and a chat server in virtual time, from a seed. Owns the sizes and the
//! report; [`simulator`] has the model and its invariants, [`chat`] the chat server, [`fixes`] the notifications
//! of fixed pipelines, [`day`] one day with a broker, [`event_queue`] the order of events and [`stats`] the counts.

use std::time::{Duration, Instant};

use crate::check::{CheckReport, Size};

mod chat;
mod day;
mod event_queue;
mod fixes;
mod simulator;
mod stats;

use day::{Day, Mutant};
use simulator::Simulator;
use stats::Stats;

/// Every sixteenth seed is run twice, to check that the simulation is deterministic.
const REPLAY_EVERY: u64 = 16;

/// Runs the check.
pub(crate) fn check(size: Size) -> CheckReport {
    let mut report = CheckReport::default();
    let seeds = size.of(20_000, 100_000, 1_000_000);
    let started = Instant::now();
    let mut total = Stats::default();
    let mut replays = 0;
    for seed in 0..seeds {
        let outcome = Simulator::new(seed).run();
        total.add(&outcome.stats);
        for violation in &outcome.violations {
            report.expect(false, || format!("seed {seed}: {violation}"));
        }
        if seed % REPLAY_EVERY == 0 || !outcome.violations.is_empty() {
            replays += 1;
            let replay = Simulator::new(seed).run();
            report.expect(replay.digest == outcome.digest, || {
                format!("seed {seed} is not deterministic")
            });
        }
        if report.failures() > 20 {
            break;
        }
    }
    let mut fixes = fixes::Stats::default();
    for seed in 0..seeds {
        for violation in fixes::run(seed, &mut fixes) {
            report.expect(false, || format!("fix of seed {seed}: {violation}"));
        }
        if report.failures() > 20 {
            break;
        }
    }
    let days = size.of(10, 100, 1_000);
    let mut counts = day::Counts::default();
    for seed in 0..days {
        let day = Day::new(seed, Mutant::None, &mut counts);
        for violation in day.run() {
            report.expect(false, || format!("day of seed {seed}: {violation}"));
        }
        if report.failures() > 20 {
            break;
        }
    }
    for (what, count) in counts.coverage() {
        report.expect(count > 0, || format!("did not occur in any day: {what}"));
    }
    for (what, count) in [
        ("a fix that was sent", fixes.sent),
        ("a fix that was withheld", fixes.withheld),
        ("a fix that was rejected", fixes.rejected),
    ] {
        report.expect(count > 0, || format!("did not occur in any seed: {what}"));
    }
    for (what, count) in total.coverage() {
        report.expect(count > 0, || format!("did not occur in any seed: {what}"));
    }
    report.workload(format!(
        "{seeds} seeds, 3 replicas: {} deliveries in {} attempts, {} crashes, {} lost responses, {} edits, {} partial deliveries, webhook disabled {} times, {replays} identical replays; fixes: {} sent, {} withheld, {} rejected; {days} days with a broker: {} webhooks, {} handed off, {} redeliveries, {} put aside, {} given up",
        total.deliveries, total.attempts, total.crashes, total.lost_responses, total.edited, total.partially_delivered, total.auto_disabled,
        fixes.sent, fixes.withheld, fixes.rejected,
        counts.webhooks, counts.handed_off, counts.redeliveries, counts.put_aside, counts.given_up
    ));
    report.measurement(format!(
        "{} lost after acceptance, {} duplicates, {} late; {:.0} seeds/s",
        total.lost,
        total.duplicated,
        total.late,
        seeds as f64 / started.elapsed().as_secs_f64()
    ));
    report
}

/// Simulates an outage, or the same load without it; returns the counts and the violated invariants.
pub(crate) fn outage(lasting: Duration, rate: u32, is_down: bool) -> (Stats, Vec<String>) {
    let outcome = Simulator::outage(lasting, rate, is_down).run();
    (outcome.stats, outcome.violations)
}
