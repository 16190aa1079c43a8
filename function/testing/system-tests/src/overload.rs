//! Check `overload`: ten times more webhooks than can be delivered. Owns the capacity and the goodput that
//! is required under overload.
//!
//! A slow chat server limits the capacity. If the CPU were the limit, the load generator on the same
//! machine would distort the measurement.

use std::time::Duration;

use fakes::gitlab::Delivery;
use fakes::rocketchat::FakeRocketChat;

use crate::check::{CheckReport, Size, run};
use crate::load::{constant_rate, percentile};
use crate::proxy::Proxy;
use crate::sut::{Settings, Sut, push};

/// The latency of the chat server and the maximum number of concurrent sends, which define the capacity.
const CHAT_LATENCY: Duration = Duration::from_millis(600);
const MAX_CONCURRENT: u64 = 64;
const CAPACITY: u64 = MAX_CONCURRENT * 1000 / 600;

/// Overload as a multiple of the capacity.
const TIMES: u64 = 10;

/// A webhook waits for a permit until its deadline, so under overload this is its latency.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(5);

/// The maximum p99 latency of a 401 response under overload.
const MAX_REJECTION_P99: Duration = Duration::from_millis(50);

/// Runs the check.
pub(crate) fn check(size: Size) -> CheckReport {
    run(overload(size.seconds(10, 60, 600)))
}

async fn overload(lasting: Duration) -> CheckReport {
    let mut report = CheckReport::default();
    let baseline = burst(lasting / 2, 1, 0).await;
    let valid_overload = burst(lasting, TIMES, 0).await;
    let invalid_overload = burst(lasting, 1, TIMES - 1).await;
    for (name, burst) in [
        ("baseline", &baseline),
        ("valid overload", &valid_overload),
        ("invalid overload", &invalid_overload),
    ] {
        report.expect(burst.accepted_p99 < DELIVERY_TIMEOUT, || {
            format!(
                "{name}: p99 latency of accepted webhooks {:?}, expected less than {DELIVERY_TIMEOUT:?}",
                burst.accepted_p99
            )
        });
        report.expect(burst.peak_kib < 160 * 1024, || {
            format!(
                "{name}: peak memory {} KiB, expected less than 160 MiB",
                burst.peak_kib
            )
        });
        report.expect(burst.stored >= burst.accepted, || {
            format!(
                "{name}: {} accepted, {} stored",
                burst.accepted, burst.stored
            )
        });
        report.expect(burst.unanswered == 0, || {
            format!("{name}: {} without a response", burst.unanswered)
        });
    }
    let share = |burst: &Burst| burst.goodput * 100.0 / baseline.goodput;
    for (name, burst) in [
        ("valid overload", &valid_overload),
        ("invalid overload", &invalid_overload),
    ] {
        report.expect(share(burst) >= 90.0, || {
            format!(
                "{name}: {:.0} % of the baseline goodput, expected at least 90 %",
                share(burst)
            )
        });
    }
    report.expect(invalid_overload.rejected_p99 < MAX_REJECTION_P99, || {
        format!(
            "p99 latency of 401 responses {:?}, expected less than {MAX_REJECTION_P99:?}",
            invalid_overload.rejected_p99
        )
    });
    report.workload(format!("{} s with a capacity of {CAPACITY}/s: {TIMES} times as many valid webhooks, then as many of which 1 in {TIMES} is authenticated", lasting.as_secs()));
    report.measurement(format!(
        "goodput {:.0} % and {:.0} % of {:.0}/s; p99 latency {:.2} s accepted, {} ms rejected; peak memory {} MiB",
        share(&valid_overload),
        share(&invalid_overload),
        baseline.goodput,
        valid_overload.accepted_p99.as_secs_f64(),
        invalid_overload.rejected_p99.as_millis(),
        invalid_overload.peak_kib.max(valid_overload.peak_kib) / 1024
    ));
    report
}

struct Burst {
    accepted: usize,
    stored: usize,
    unanswered: usize,
    goodput: f64,
    accepted_p99: Duration,
    rejected_p99: Duration,
    peak_kib: u64,
}

/// Posts valid webhooks at `times` the capacity, and for each of them this many unauthenticated ones.
async fn burst(lasting: Duration, times: u64, unauthenticated: u64) -> Burst {
    let chat = FakeRocketChat::start().await;
    let proxy = Proxy::with_latency(&chat.url(), CHAT_LATENCY).await;
    let sut = Sut::start(&Settings::with(&chat).set("ROCKETCHAT_URL", proxy.url()));
    // Fills the room cache, as in a process that has run for a while.
    let _ = sut.post(&push("first")).await;
    let url = sut.url();
    let rate = CAPACITY * times;
    let attempts = constant_rate(rate, lasting, |number| {
        let valid = (push(&format!("load-{number}")), url.clone());
        let invalid =
            (0..unauthenticated).map(|_| (Delivery::push_sample().token("guess"), url.clone()));
        invalid.chain([valid]).collect()
    })
    .await;
    let times_of = |status: u16| {
        attempts
            .iter()
            .filter(move |attempt| attempt.status == status)
            .map(|attempt| attempt.took)
    };
    let burst = Burst {
        accepted: times_of(200).count(),
        stored: chat.messages().len(),
        unanswered: times_of(0).count(),
        goodput: times_of(200).count() as f64 / lasting.as_secs_f64(),
        accepted_p99: percentile(times_of(200), 99),
        rejected_p99: percentile(times_of(401), 99),
        peak_kib: sut.peak_kib(),
    };
    chat.mark_all_read();
    burst
}
