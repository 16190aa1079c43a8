//! Check `outage`: the chat server is gone for a while and comes back. Owns what is promised without a durable
//! hand-off: the truth, in time, without a storm, and every delivery once it is sent again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use fakes::rocketchat::FakeRocketChat;

use crate::check::{Finding, Size, run};
use crate::load::{Shot, percentile, resend, steady};
use crate::proxy::{Act, Proxy};
use crate::simulation;
use crate::sut::{Settings, Sut, push};

const RATE: u64 = 20;
const BEFORE: Duration = Duration::from_secs(3);
const AFTER: Duration = Duration::from_secs(8);

/// Runs the check.
pub(crate) fn check(size: Size) -> Finding {
    let mut finding = Finding::default();
    let outages: &[u64] = size.of(&[1, 15], &[1, 60], &[1, 60, 600]);
    let mut figures = Vec::new();
    for &seconds in outages {
        figures.push(run(outage(Duration::from_secs(seconds), &mut finding)));
    }
    figures.push(hour(&mut finding));
    finding.done(format!(
        "outages of {outages:?} s, and of an hour in virtual time, at {RATE}/s, then the refused ones again"
    ));
    finding.figure(figures.join("; "));
    finding
}

/// An hour of it takes no time: the machines of three replicas, and clocks that are told.
fn hour(finding: &mut Finding) -> String {
    let rate = u32::try_from(RATE).unwrap_or(u32::MAX);
    let (outage, breaches) = simulation::outage(Duration::from_hours(1), rate);
    for breach in breaches {
        finding.expect(false, || format!("an hour: {breach}"));
    }
    // A first try, a look, and what the budgets of three replicas allow.
    let allowed = RATE * 2 + 3 * (10 + 1 + 2) + RATE / 10;
    finding.expect(outage.peak <= allowed, || {
        format!(
            "an hour: {} calls in a second, {allowed} allowed",
            outage.peak
        )
    });
    // Those of the last second may see the end of it.
    finding.expect(outage.refused >= 3599 * RATE, || {
        format!("an hour: only {} were refused", outage.refused)
    });
    finding.expect(outage.lost + outage.doubled == 0, || {
        format!("an hour: {outage:?}")
    });
    format!(
        "1 h: {} of {} refused, {} lost, peak {} calls/s",
        outage.refused, outage.deliveries, outage.lost, outage.peak
    )
}

async fn outage(lasting: Duration, finding: &mut Finding) -> String {
    let chat = FakeRocketChat::start().await;
    let dark = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&dark);
    let plan = move |_: &str, _: usize| {
        if seen.load(Ordering::Relaxed) {
            Act::ResetUnread
        } else {
            Act::Pass
        }
    };
    let proxy = Proxy::before(&chat.url(), plan).await;
    let product = Sut::start(&Settings::with(&chat).set("ROCKETCHAT_URL", proxy.url()));
    let began = Instant::now();
    let url = product.url();
    let mut calls = Vec::new();
    let load = steady(RATE, BEFORE + lasting + AFTER, |number| {
        let out = (BEFORE..BEFORE + lasting).contains(&began.elapsed());
        dark.store(out, Ordering::Relaxed);
        if number % RATE == 0 {
            calls.push(proxy.calls());
        }
        vec![(push(&format!("outage-{number}")), url.clone())]
    });
    let shots = load.await;
    let slowest = percentile(shots.iter().map(|shot| shot.took), 100);
    finding.expect(slowest < Duration::from_millis(5500), || {
        format!("an answer took {slowest:?}")
    });
    let refused: Vec<_> = shots
        .iter()
        .filter(|shot| !shot.is_accepted())
        .cloned()
        .collect();
    let late = refused
        .iter()
        .filter(|shot| shot.at > BEFORE + lasting + Duration::from_secs(1))
        .count();
    finding.expect(late == 0, || {
        format!("{late} were refused a second after the end of {lasting:?}")
    });
    if lasting > Duration::from_secs(5) {
        let early = shots
            .iter()
            .filter(|shot| shot.is_accepted() && in_the_dark(shot, lasting))
            .count();
        finding.expect(early == 0, || {
            format!("{early} were accepted while the chat server was gone")
        });
    }
    // A first try, a look, and what the retry budget allows: its rest, one a second, a tenth.
    let peak = calls
        .windows(2)
        .map(|pair| pair[1] - pair[0])
        .max()
        .unwrap_or_default();
    let allowed = RATE as usize * 2 + 10 + 1 + 2 + RATE as usize / 10;
    finding.expect(peak <= allowed, || {
        format!("{peak} calls in a second, {allowed} allowed")
    });
    let accepted = shots.len() - refused.len();
    finding.expect(chat.messages().len() >= accepted, || {
        format!("{accepted} accepted, {} stored", chat.messages().len())
    });
    let left = resend(&refused, &url).await;
    let stored = chat.messages().len();
    finding.expect(left == 0 && stored == shots.len(), || {
        format!(
            "{} deliveries, {stored} messages, {left} still refused",
            shots.len()
        )
    });
    chat.mark_all_read();
    format!(
        "{} s: {} of {} refused, 0 lost, peak {peak} calls/s",
        lasting.as_secs(),
        refused.len(),
        shots.len()
    )
}

/// Posted and answered well within the outage.
fn in_the_dark(shot: &Shot, lasting: Duration) -> bool {
    let edge = Duration::from_millis(500);
    shot.at > BEFORE + edge && shot.at + shot.took + edge < BEFORE + lasting
}
