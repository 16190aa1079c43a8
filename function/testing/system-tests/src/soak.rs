//! Check `soak`: a chat server of which nearly every third call goes wrong, for minutes, under two replicas.
//! Owns the mixture of faults and the sums that must come out.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use fakes::rocketchat::FakeRocketChat;

use crate::check::{Finding, Size, run};
use crate::load::{Shot, percentile, resend, steady};
use crate::proxy::{Act, End, Proxy};
use crate::rng::Rng;
use crate::sut::{Settings, Sut, push};

const RATE: u64 = 50;

/// Growth of memory that is no leak: the allocator's own unrest.
const GROWTH_PERCENT: u64 = 10;

/// The same in KiB, for a process that is this small.
const GROWTH_KIB: u64 = 1024;

/// Three of ten calls go wrong.
fn act(dice: &mut Rng) -> Act {
    let cut = |carried_out| Act::Cut {
        carried_out,
        bytes: 0,
        end: End::Reset,
    };
    let says = |text: &str| Act::Say {
        carried_out: false,
        answer: format!("HTTP/1.1 {text}\r\nContent-Length: 0\r\n\r\n").into_bytes(),
    };
    match dice.below(100) {
        0..10 => says("503 Service Unavailable"),
        10..15 => Act::Slow {
            before: Duration::ZERO,
            after: Duration::from_secs(3),
        },
        15..20 => cut(true),
        20..25 => says("429 Too Many Requests"),
        25..30 => cut(false),
        _ => Act::Pass,
    }
}

/// Runs the check.
pub(crate) fn check(size: Size) -> Finding {
    run(soak(size.seconds(40, 300, 1800)))
}

async fn soak(lasting: Duration) -> Finding {
    let mut finding = Finding::default();
    let chat = FakeRocketChat::start().await;
    let dice = Mutex::new(Rng::seeded(5));
    let proxy = Proxy::before(&chat.url(), move |_, _| {
        act(&mut dice.lock().expect("no plan panics"))
    })
    .await;
    let settings = Settings::with(&chat).set("ROCKETCHAT_URL", proxy.url());
    let replicas = [Sut::start(&settings), Sut::start(&settings)];
    let warm = lasting * 2 / 5;
    let mut before = [0; 2];
    let load = steady(RATE, lasting, |number| {
        let delivery = push(&format!("soak-{number}"));
        let here = (number % 2) as usize;
        let mut posts = vec![(delivery.clone(), replicas[here].url())];
        if number % 50 == 0 {
            // GitLab sends one of fifty twice, and the other replica gets it.
            posts.push((delivery, replicas[1 - here].url()));
        }
        if number == RATE * warm.as_secs() {
            before = replicas.each_ref().map(Sut::resident_kib);
        }
        posts
    });
    let began = Instant::now();
    let shots = load.await;
    let took = began.elapsed();
    judge_memory(&mut finding, &replicas, before);
    let retries = judge_retries(&mut finding, &replicas, shots.len(), took).await;
    let healthy = Sut::start(&Settings::with(&chat));
    let figure = judge_messages(&mut finding, &chat, &shots, &healthy).await;
    finding.figure(format!("{figure}; {retries} calls made again"));
    finding
}

fn judge_memory(finding: &mut Finding, replicas: &[Sut; 2], before: [u64; 2]) {
    for (replica, before) in replicas.iter().zip(before) {
        let after = replica.resident_kib();
        let allowed = before + (before * GROWTH_PERCENT / 100).max(GROWTH_KIB);
        finding.expect(after <= allowed, || {
            format!("memory grew from {before} to {after} KiB")
        });
    }
}

/// What may be made again: a tenth of the calls that carry a delivery, one a second and replica, and
/// the ten that a process starts with.
async fn judge_retries(
    finding: &mut Finding,
    replicas: &[Sut; 2],
    deliveries: usize,
    took: Duration,
) -> u64 {
    let mut retries = 0;
    for replica in replicas {
        retries += replica.counter("webhook_delivery_retries_total").await;
    }
    let allowed = deliveries as u64 / 10 + 2 * (took.as_secs() + 1 + 10);
    finding.expect((1..=allowed).contains(&retries), || {
        format!("{retries} calls made again, expected some and at most {allowed}")
    });
    retries
}

async fn judge_messages(
    finding: &mut Finding,
    chat: &FakeRocketChat,
    shots: &[Shot],
    healthy: &Sut,
) -> String {
    let (accepted, refused): (Vec<_>, Vec<_>) = shots.iter().cloned().partition(Shot::is_accepted);
    let stored_before = chat.messages().len();
    let unanswered = shots
        .iter()
        .filter(|shot| shot.status != 200 && shot.status != 503)
        .count();
    finding.expect(unanswered == 0, || {
        format!("{unanswered} were answered neither 200 nor 503")
    });
    let left = resend(&refused, &healthy.url()).await;
    finding.expect(left == 0, || {
        format!("{left} were not delivered when sent again")
    });
    let mut keys: Vec<_> = shots
        .iter()
        .map(|shot| shot.delivery.headers()[2].1.clone())
        .collect();
    keys.sort_unstable();
    keys.dedup();
    let stored = chat.messages().len();
    let lost = keys.len().saturating_sub(stored);
    let doubled = stored.saturating_sub(keys.len());
    finding.expect(lost + doubled == 0, || {
        format!("{} deliveries, {stored} messages", keys.len())
    });
    // What was accepted needs no resend to be there: sending it again stores nothing.
    let again = resend(&accepted, &healthy.url()).await;
    finding.expect(again == 0 && chat.messages().len() == stored, || {
        "an accepted delivery was not there".to_owned()
    });
    finding.expect(stored_before >= distinct(&accepted), || {
        format!("{} accepted, {stored_before} stored", accepted.len())
    });
    let slowest = percentile(shots.iter().map(|shot| shot.took), 100);
    finding.expect(slowest < Duration::from_secs(6), || {
        format!("an answer took {slowest:?}")
    });
    chat.mark_all_read();
    finding.done(format!("{} posts at {RATE}/s to 2 replicas, 30 % of the calls faulty, 2 % sent twice; then the refused ones again", shots.len()));
    format!(
        "{lost} lost, {doubled} doubled; {:.1} % accepted at once; slowest {:.1} s",
        accepted.len() as f64 * 100.0 / shots.len() as f64,
        slowest.as_secs_f64()
    )
}

fn distinct(shots: &[Shot]) -> usize {
    let keys: std::collections::BTreeSet<_> = shots
        .iter()
        .map(|shot| shot.delivery.headers()[2].1.clone())
        .collect();
    keys.len()
}
