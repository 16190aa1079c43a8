//! Check `soak`: load on two replicas for minutes while 30 % of the calls to the chat server fail. Owns
//! the mixture of faults and the limits on memory, retries and messages.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use fakes::rocketchat::FakeRocketChat;

use crate::check::{CheckReport, Size, run};
use crate::load::{Attempt, constant_rate, percentile, resend};
use crate::proxy::{Action, End, Proxy};
use crate::rng::Rng;
use crate::sut::{Settings, Sut, push};

const RATE: u64 = 50;

/// Growth of the peak memory that is not a leak, in KiB: the number of deliveries that wait at the same time
/// varies by up to a hundred, and each has two connections. A leak of 200 bytes per delivery exceeds it in
/// the long size.
const GROWTH_KIB: u64 = 8 * 1024;

/// The fault for one call: 30 % of the calls fail.
fn action(rng: &mut Rng) -> Action {
    let cut = |forwarded| Action::Cut {
        forwarded,
        bytes: 0,
        end: End::Reset,
    };
    let responds = |text: &str| Action::Respond {
        forwarded: false,
        response: format!("HTTP/1.1 {text}\r\nContent-Length: 0\r\n\r\n").into_bytes(),
    };
    match rng.below(100) {
        0..10 => responds("503 Service Unavailable"),
        10..15 => Action::Delay {
            before: Duration::ZERO,
            after: Duration::from_secs(3),
        },
        15..20 => cut(true),
        20..25 => responds("429 Too Many Requests"),
        25..30 => cut(false),
        _ => Action::Forward,
    }
}

/// Runs the check.
pub(crate) fn check(size: Size) -> CheckReport {
    run(soak(size.seconds(40, 300, 1800)))
}

async fn soak(lasting: Duration) -> CheckReport {
    let mut report = CheckReport::default();
    let chat = FakeRocketChat::start().await;
    let rng = Mutex::new(Rng::seeded(5));
    let proxy = Proxy::in_front_of(&chat.url(), move |_, _| {
        action(&mut rng.lock().expect("no plan panics"))
    })
    .await;
    let settings = Settings::with(&chat).set("ROCKETCHAT_URL", proxy.url());
    let replicas = [Sut::start(&settings), Sut::start(&settings)];
    let warm = lasting * 2 / 5;
    let mut before = [0; 2];
    let load = constant_rate(RATE, lasting, |number| {
        let delivery = push(&format!("soak-{number}"));
        let here = (number % 2) as usize;
        let mut posts = vec![(delivery.clone(), replicas[here].url())];
        if number % 50 == 0 {
            // GitLab sends 2 % of the deliveries twice; the other replica gets the duplicate.
            posts.push((delivery, replicas[1 - here].url()));
        }
        if number == RATE * warm.as_secs() {
            before = replicas.each_ref().map(Sut::peak_kib);
            replicas.iter().for_each(Sut::reset_peak);
        }
        posts
    });
    let began = Instant::now();
    let attempts = load.await;
    let took = began.elapsed();
    let peak = check_memory(&mut report, &replicas, before);
    let retries = check_retries(&mut report, &replicas, attempts.len(), took).await;
    let healthy = Sut::start(&Settings::with(&chat));
    let measurement = check_messages(&mut report, &chat, &attempts, &healthy).await;
    report.measurement(format!(
        "{measurement}; {retries} retries; peak memory {} MiB",
        peak / 1024
    ));
    report
}

/// Compares the peaks of the first part and of the rest. Returns the highest one, in KiB.
fn check_memory(report: &mut CheckReport, replicas: &[Sut; 2], before: [u64; 2]) -> u64 {
    let mut highest = 0;
    for (replica, before) in replicas.iter().zip(before) {
        let after = replica.peak_kib();
        highest = highest.max(before).max(after);
        let allowed = before + GROWTH_KIB;
        report.expect(after <= allowed, || {
            format!("the peak memory grew from {before} to {after} KiB, expected at most {allowed}")
        });
    }
    highest
}

/// The retry budget: 10 % of the deliveries, plus per replica a reserve of 100 that refills within a minute.
async fn check_retries(
    report: &mut CheckReport,
    replicas: &[Sut; 2],
    deliveries: usize,
    took: Duration,
) -> u64 {
    let mut retries = 0;
    for replica in replicas {
        retries += replica.counter("webhook_delivery_retries_total").await;
    }
    let allowed = deliveries as u64 / 10 + 2 * (100 + 100 * (took.as_secs() + 1) / 60);
    report.expect((1..=allowed).contains(&retries), || {
        format!("{retries} retries, expected 1 to {allowed}")
    });
    retries
}

async fn check_messages(
    report: &mut CheckReport,
    chat: &FakeRocketChat,
    attempts: &[Attempt],
    healthy: &Sut,
) -> String {
    let (accepted, rejected): (Vec<_>, Vec<_>) =
        attempts.iter().cloned().partition(Attempt::is_accepted);
    let stored_before = chat.messages().len();
    let unanswered = attempts
        .iter()
        .filter(|attempt| attempt.status != 200 && attempt.status != 503)
        .count();
    report.expect(unanswered == 0, || {
        format!("{unanswered} got neither 200 nor 503")
    });
    let failed = resend(&rejected, &healthy.url()).await;
    report.expect(failed == 0, || {
        format!("{failed} were not delivered after a resend")
    });
    let mut keys: Vec<_> = attempts
        .iter()
        .map(|attempt| attempt.delivery.headers()[2].1.clone())
        .collect();
    keys.sort_unstable();
    keys.dedup();
    let stored = chat.messages().len();
    let lost = keys.len().saturating_sub(stored);
    let duplicates = stored.saturating_sub(keys.len());
    report.expect(lost + duplicates == 0, || {
        format!("{} deliveries, {stored} messages", keys.len())
    });
    // Accepted deliveries are stored already: a resend stores no message.
    let failed = resend(&accepted, &healthy.url()).await;
    report.expect(failed == 0 && chat.messages().len() == stored, || {
        "an accepted delivery was not stored".to_owned()
    });
    report.expect(stored_before >= distinct(&accepted), || {
        format!("{} accepted, {stored_before} stored", accepted.len())
    });
    let slowest = percentile(attempts.iter().map(|attempt| attempt.took), 100);
    report.expect(slowest < Duration::from_secs(6), || {
        format!("a response took {slowest:?}, expected less than 6 s")
    });
    chat.mark_all_read();
    report.workload(format!("{} posts at {RATE}/s to 2 replicas, 30 % of the calls fail, 2 % are sent twice; then a resend of the rejected ones", attempts.len()));
    format!(
        "{lost} lost, {duplicates} duplicates; {:.1} % accepted without a resend; slowest response {:.1} s",
        accepted.len() as f64 * 100.0 / attempts.len() as f64,
        slowest.as_secs_f64()
    )
}

fn distinct(attempts: &[Attempt]) -> usize {
    let keys: std::collections::BTreeSet<_> = attempts
        .iter()
        .map(|attempt| attempt.delivery.headers()[2].1.clone())
        .collect();
    keys.len()
}
