//! Check `blips`: the chat server is away for a moment, in every way in which a server can be away. Owns
//! the requirement that no webhook is lost if it is away for at most 3 s, with the default settings.

use std::collections::BTreeMap;
use std::time::Duration;

use fakes::rocketchat::{Away, FakeRocketChat};
use tokio::task::JoinSet;
use tokio::time;

use crate::check::{CheckReport, Size, run};
use crate::load::{Attempt, constant_rate, percentile};
use crate::sut::{Sut, push};

/// Webhooks per second.
const RATE: u64 = 10;
/// The load before the server leaves.
const BEFORE: Duration = Duration::from_millis(500);
/// The longest absence that must not lose a webhook.
const SURVIVED_MS: u64 = 3000;
/// Absences at the same time; each has its own program and chat server, and all mostly wait.
const PARALLEL: usize = 8;

/// One absence and what became of the webhooks around it.
struct Blip {
    how: Away,
    milliseconds: u64,
    posted: usize,
    /// Answered with 200.
    delivered: usize,
    /// Messages on the chat server.
    stored: usize,
    slowest: Duration,
}

/// Runs the check.
pub(crate) fn check(size: Size) -> CheckReport {
    let mut report = CheckReport::default();
    let cases = cases(size);
    let blips = run(all(cases));
    for blip in blips.iter().filter(|blip| blip.milliseconds <= SURVIVED_MS) {
        let &Blip {
            how,
            milliseconds,
            posted,
            delivered,
            stored,
            ..
        } = blip;
        report.expect(delivered == posted && stored == posted, || {
            format!("{how:?} for {milliseconds} ms: {posted} posted, {delivered} delivered, {stored} stored")
        });
    }
    for blip in &blips {
        report.expect(blip.stored >= blip.delivered, || {
            format!(
                "{:?} for {} ms: {} delivered, {} stored",
                blip.how, blip.milliseconds, blip.delivered, blip.stored
            )
        });
        report.expect(blip.slowest < Duration::from_millis(5500), || {
            format!(
                "a response took {:?}, expected less than 5.5 s",
                blip.slowest
            )
        });
    }
    report.workload(format!(
        "{RATE}/s while the chat server is away; all must be delivered if it is away for at most {} s",
        SURVIVED_MS / 1000
    ));
    report.measurement(table(&blips));
    report
}

fn cases(size: Size) -> Vec<(Away, u64)> {
    if size == Size::Short {
        return vec![
            (Away::Refused, 600),
            (Away::Refused, 1000),
            (Away::Refused, 3000),
            (Away::Status(503), 1000),
        ];
    }
    let kinds = [Away::Refused, Away::Status(503), Away::Reset, Away::Silent];
    let lengths = [100, 200, 400, 600, 1000, 2000, 3000, 4000];
    let once = kinds
        .into_iter()
        .flat_map(|how| lengths.map(|milliseconds| (how, milliseconds)));
    let repeated: Vec<_> = once.collect();
    repeated.repeat(size.of(1, 1, 20))
}

async fn all(cases: Vec<(Away, u64)>) -> Vec<Blip> {
    let mut blips = Vec::new();
    for group in cases.chunks(PARALLEL) {
        let mut running = JoinSet::new();
        for &(how, milliseconds) in group {
            running.spawn(blip(how, milliseconds));
        }
        blips.extend(running.join_all().await);
    }
    blips
}

async fn blip(how: Away, milliseconds: u64) -> Blip {
    let chat = FakeRocketChat::start().await;
    let sut = Sut::for_chat(&chat);
    // The room is known and a connection is open, as in a process that has run for a while.
    let _ = sut.post(&push("first")).await;
    let away = Duration::from_millis(milliseconds);
    let lasting = Duration::from_secs((BEFORE + away).as_secs() + 1);
    let url = sut.url();
    let load = constant_rate(RATE, lasting, |number| {
        vec![(push(&format!("blip-{number}")), url.clone())]
    });
    let leave = async {
        time::sleep(BEFORE).await;
        chat.away(away, how).await;
    };
    let (attempts, ()) = tokio::join!(load, leave);
    // A violation is a call without a body, which an absence can cause.
    chat.expect_violation();
    let stored = chat.messages().len() - 1;
    chat.mark_all_read();
    Blip {
        how,
        milliseconds,
        posted: attempts.len(),
        delivered: attempts.iter().filter(|sent| sent.is_accepted()).count(),
        stored,
        slowest: percentile(attempts.iter().map(took), 100),
    }
}

fn took(attempt: &Attempt) -> Duration {
    attempt.took
}

/// Delivered of posted by kind and length; equal cases are added.
fn table(blips: &[Blip]) -> String {
    let mut rows: BTreeMap<(String, u64), (usize, usize)> = BTreeMap::new();
    for blip in blips {
        let kind = match blip.how {
            Away::Refused => "refused".to_owned(),
            Away::Reset => "reset".to_owned(),
            Away::Status(status) => status.to_string(),
            Away::Silent => "silent".to_owned(),
        };
        let (delivered, posted) = rows.entry((kind, blip.milliseconds)).or_default();
        *delivered += blip.delivered;
        *posted += blip.posted;
    }
    let rows = rows
        .into_iter()
        .map(|((kind, milliseconds), (delivered, posted))| {
            let seconds = milliseconds as f64 / 1000.0;
            format!("{kind} {seconds:.1} s {delivered}/{posted}")
        });
    rows.collect::<Vec<_>>().join(", ")
}
