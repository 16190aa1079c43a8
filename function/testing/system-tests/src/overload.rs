//! Check `overload`: ten times more webhooks than can be delivered. Owns what capacity is here and what must be
//! left of it under overload.
//!
//! The chat server is made slow on purpose, so that it and not the processor is the limit: else the
//! load, which shares this machine, would be what is measured.

use std::time::Duration;

use fakes::gitlab::Delivery;
use fakes::rocketchat::FakeRocketChat;

use crate::check::{Finding, Size, run};
use crate::load::{percentile, steady};
use crate::proxy::Proxy;
use crate::sut::{Settings, Sut, push};

/// How long each call takes, and how many of them there may be at once, which gives the capacity.
const CALL: Duration = Duration::from_millis(600);
const AT_ONCE: u64 = 64;
const CAPACITY: u64 = AT_ONCE * 1000 / 600;

/// Overload: so many times the capacity.
const TIMES: u64 = 10;

/// For who is refused at the door, however many of them there are.
const REFUSED_WITHIN: Duration = Duration::from_millis(50);

/// Runs the check.
pub(crate) fn check(size: Size) -> Finding {
    run(overload(size.seconds(10, 60, 600)))
}

async fn overload(lasting: Duration) -> Finding {
    let mut finding = Finding::default();
    let alone = burst(lasting / 2, 1, 0).await;
    let crowded = burst(lasting, TIMES, 0).await;
    let flooded = burst(lasting, 1, TIMES - 1).await;
    for (name, burst) in [
        ("alone", &alone),
        ("crowded", &crowded),
        ("flooded", &flooded),
    ] {
        finding.expect(burst.accepted_p99 < Duration::from_secs(2), || {
            format!(
                "{name}: the slowest of a hundred accepted took {:?}",
                burst.accepted_p99
            )
        });
        finding.expect(burst.peak_kib < 160 * 1024, || {
            format!("{name}: {} KiB", burst.peak_kib)
        });
        finding.expect(burst.stored >= burst.accepted, || {
            format!(
                "{name}: {} accepted, {} stored",
                burst.accepted, burst.stored
            )
        });
        finding.expect(burst.unanswered == 0, || {
            format!("{name}: {} without an answer", burst.unanswered)
        });
    }
    let share = |burst: &Burst| burst.goodput * 100.0 / alone.goodput;
    for (name, burst) in [("crowded", &crowded), ("flooded", &flooded)] {
        finding.expect(share(burst) >= 90.0, || {
            format!(
                "{name}: {:.0} % of the goodput that is possible",
                share(burst)
            )
        });
    }
    finding.expect(flooded.refused_p99 < REFUSED_WITHIN, || {
        format!(
            "strangers waited {:?} for their refusal",
            flooded.refused_p99
        )
    });
    finding.done(format!("{} s with a chat server that can take {CAPACITY}/s: {TIMES} times as many authentic webhooks, then as many of which one in {TIMES} is authentic", lasting.as_secs()));
    finding.figure(format!(
        "goodput {:.0} and {:.0} % of {:.0}/s; p99 accepted {:.2} s; strangers refused in {} ms (p99); {} MiB",
        share(&crowded),
        share(&flooded),
        alone.goodput,
        crowded.accepted_p99.as_secs_f64(),
        flooded.refused_p99.as_millis(),
        flooded.peak_kib.max(crowded.peak_kib) / 1024
    ));
    finding
}

struct Burst {
    accepted: usize,
    stored: usize,
    unanswered: usize,
    goodput: f64,
    accepted_p99: Duration,
    refused_p99: Duration,
    peak_kib: u64,
}

/// Posts `times` the capacity in authentic webhooks, and for each of them so many by strangers.
async fn burst(lasting: Duration, times: u64, strangers: u64) -> Burst {
    let chat = FakeRocketChat::start().await;
    let proxy = Proxy::slow(&chat.url(), CALL).await;
    let product = Sut::start(&Settings::with(&chat).set("ROCKETCHAT_URL", proxy.url()));
    // The room is known from here on, as in a process that has run for a while.
    let _ = product.post(&push("first")).await;
    let url = product.url();
    let rate = CAPACITY * times;
    let shots = steady(rate, lasting, |number| {
        let authentic = (push(&format!("load-{number}")), url.clone());
        let stranger =
            (0..strangers).map(|_| (Delivery::push_sample().token("guess"), url.clone()));
        stranger.chain([authentic]).collect()
    })
    .await;
    let times_of = |status: u16| {
        shots
            .iter()
            .filter(move |shot| shot.status == status)
            .map(|shot| shot.took)
    };
    let burst = Burst {
        accepted: times_of(200).count(),
        stored: chat.messages().len(),
        unanswered: times_of(0).count(),
        goodput: times_of(200).count() as f64 / lasting.as_secs_f64(),
        accepted_p99: percentile(times_of(200), 99),
        refused_p99: percentile(times_of(401), 99),
        peak_kib: product.peak_kib(),
    };
    chat.mark_all_read();
    burst
}
