//! Check `outage`: the chat server is unavailable for a while and recovers. Owns what must hold without a
//! durable hand-off: correct responses within the deadline, no retry storm, and no loss after a resend.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use fakes::rocketchat::FakeRocketChat;

use crate::check::{CheckReport, Size, run};
use crate::load::{Attempt, constant_rate, percentile, resend};
use crate::proxy::{Action, Proxy};
use crate::simulation;
use crate::sut::{Settings, Sut, push};

const RATE: u64 = 20;
/// The rate of the outage whose calls are counted, and how many times the calls of normal operation it may cost.
const SLOW_RATE: u32 = 10;
const MAX_LOAD: f64 = 1.2;
/// Calls within one second: those of the deliveries that arrive, the last ones of deliveries that have waited, and
/// tests.
const MAX_PEAK: u64 = RATE * 3;
const BEFORE: Duration = Duration::from_secs(3);
const AFTER: Duration = Duration::from_secs(8);

/// Runs the check.
pub(crate) fn check(size: Size) -> CheckReport {
    let mut report = CheckReport::default();
    let outages: &[u64] = size.of(&[1, 15], &[1, 60], &[1, 60, 600]);
    let mut measurements = Vec::new();
    for &seconds in outages {
        measurements.push(run(outage(Duration::from_secs(seconds), &mut report)));
    }
    measurements.push(hour(&mut report));
    measurements.push(ten_minutes(&mut report));
    report.workload(format!(
        "outages of {outages:?} s, and of 10 min and 1 h in virtual time, at {RATE}/s, then a resend of the rejected deliveries"
    ));
    report.measurement(measurements.join("; "));
    report
}

/// An outage of an hour in virtual time: the state machines of three replicas with a simulated clock.
fn hour(report: &mut CheckReport) -> String {
    let rate = u32::try_from(RATE).unwrap_or(u32::MAX);
    let (outage, violations) = simulation::outage(Duration::from_hours(1), rate, true);
    for violation in violations {
        report.expect(false, || format!("1 h: {violation}"));
    }
    report.expect(outage.peak <= MAX_PEAK, || {
        format!(
            "1 h: {} calls in one second, expected at most {MAX_PEAK}",
            outage.peak
        )
    });
    // Deliveries of the last seconds may succeed, as long as their deadline has not passed.
    report.expect(outage.rejected >= 3595 * RATE, || {
        format!("1 h: only {} were rejected", outage.rejected)
    });
    report.expect(outage.lost + outage.duplicated == 0, || {
        format!("1 h: {outage:?}")
    });
    format!(
        "1 h: {} of {} rejected, {} lost, peak {} calls/s",
        outage.rejected, outage.deliveries, outage.lost, outage.peak
    )
}

/// Ten minutes in virtual time: retries in a long outage must not add much load.
fn ten_minutes(report: &mut CheckReport) -> String {
    let lasting = Duration::from_mins(10);
    let (normal, _) = simulation::outage(lasting, SLOW_RATE, false);
    let (outage, violations) = simulation::outage(lasting, SLOW_RATE, true);
    for violation in violations {
        report.expect(false, || format!("10 min: {violation}"));
    }
    let times = outage.calls as f64 / normal.calls as f64;
    report.expect(times <= MAX_LOAD, || {
        format!(
            "10 min at {SLOW_RATE}/s: {} calls, expected at most {MAX_LOAD} times the {} calls without an outage",
            outage.calls, normal.calls
        )
    });
    format!("10 min at {SLOW_RATE}/s: {times:.2} times the calls of normal operation")
}

async fn outage(lasting: Duration, report: &mut CheckReport) -> String {
    let chat = FakeRocketChat::start().await;
    let unavailable = Arc::new(AtomicBool::new(false));
    let is_unavailable = Arc::clone(&unavailable);
    let plan = move |_: &str, _: usize| {
        if is_unavailable.load(Ordering::Relaxed) {
            Action::ResetUnread
        } else {
            Action::Forward
        }
    };
    let proxy = Proxy::in_front_of(&chat.url(), plan).await;
    let sut = Sut::start(&Settings::with(&chat).set("ROCKETCHAT_URL", proxy.url()));
    let began = Instant::now();
    let url = sut.url();
    let mut calls = Vec::new();
    let load = constant_rate(RATE, BEFORE + lasting + AFTER, |number| {
        let is_outage = (BEFORE..BEFORE + lasting).contains(&began.elapsed());
        unavailable.store(is_outage, Ordering::Relaxed);
        if number % RATE == 0 {
            calls.push(proxy.calls());
        }
        vec![(push(&format!("outage-{number}")), url.clone())]
    });
    let attempts = load.await;
    let slowest = percentile(attempts.iter().map(|attempt| attempt.took), 100);
    report.expect(slowest < Duration::from_millis(5500), || {
        format!("a response took {slowest:?}, expected less than 5.5 s")
    });
    let rejected: Vec<_> = attempts
        .iter()
        .filter(|attempt| !attempt.is_accepted())
        .cloned()
        .collect();
    let late = rejected
        .iter()
        .filter(|attempt| attempt.at > BEFORE + lasting + Duration::from_secs(1))
        .count();
    report.expect(late == 0, || {
        format!("{late} were rejected later than 1 s after the outage of {lasting:?}")
    });
    if lasting > Duration::from_secs(5) {
        let early = attempts
            .iter()
            .filter(|attempt| attempt.is_accepted() && is_during_outage(attempt, lasting))
            .count();
        report.expect(early == 0, || {
            format!("{early} were accepted during the outage")
        });
    }
    let peak = calls
        .windows(2)
        .map(|pair| pair[1] - pair[0])
        .max()
        .unwrap_or_default();
    report.expect(peak <= MAX_PEAK as usize, || {
        format!("{peak} calls in one second, expected at most {MAX_PEAK}")
    });
    if lasting >= Duration::from_mins(10) {
        // In normal operation each delivery is one call.
        let times = proxy.calls() as f64 / attempts.len() as f64;
        report.expect(times <= MAX_LOAD, || {
            format!("{lasting:?}: {times:.2} calls per delivery, expected at most {MAX_LOAD}")
        });
    }
    let accepted = attempts.len() - rejected.len();
    report.expect(chat.messages().len() >= accepted, || {
        format!("{accepted} accepted, {} stored", chat.messages().len())
    });
    let failed = resend(&rejected, &url).await;
    let stored = chat.messages().len();
    report.expect(failed == 0 && stored == attempts.len(), || {
        format!(
            "{} deliveries, {stored} messages, {failed} rejected again",
            attempts.len()
        )
    });
    chat.mark_all_read();
    format!(
        "{} s: {} of {} rejected, 0 lost, peak {peak} calls/s",
        lasting.as_secs(),
        rejected.len(),
        attempts.len()
    )
}

/// Posted and answered during the outage, with a margin at both ends.
fn is_during_outage(attempt: &Attempt, lasting: Duration) -> bool {
    let margin = Duration::from_millis(500);
    attempt.at > BEFORE + margin && attempt.at + attempt.took + margin < BEFORE + lasting
}
