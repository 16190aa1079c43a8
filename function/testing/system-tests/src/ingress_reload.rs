//! Check `ingress-reload`: what a proxy in front of the chat server does during a rollout. Owns the
//! requirement that none of it loses a webhook, with the default settings: a reload of 1 s, a burst that is
//! larger than the number of concurrent sends, connections that take 1 s, and single errors.

use std::time::Duration;

use fakes::https::{Certificate, Https};
use fakes::rocketchat::{Away, FakeRocketChat, Fault, Route};
use tokio::time;

use crate::check::{CheckReport, Size, run};
use crate::load::constant_rate;
use crate::sut::{Settings, Sut, push};

/// Webhooks per second during a reload.
const RATE: u64 = 10;
/// How long the chat server is away during a reload.
const RELOAD: Duration = Duration::from_secs(1);
/// Webhooks of a burst, and how long each call takes then.
const BURST: usize = 150;
const BURST_CALL: Duration = Duration::from_millis(700);
/// How long a slow connection takes.
const SLOW_CONNECT: Duration = Duration::from_secs(1);

/// Delivered and stored messages of posted webhooks.
struct Outcome {
    name: String,
    posted: usize,
    delivered: usize,
    stored: usize,
}

/// Runs the check.
pub(crate) fn check(size: Size) -> CheckReport {
    let mut report = CheckReport::default();
    let mut measurements = Vec::new();
    for _ in 0..size.of(1, 3, 50) {
        let (outcomes, slow_connect) = run(round());
        match slow_connect {
            Ok(outcome) => measurements.push(assess(&outcome, &mut report)),
            Err(_) => report.missing_tool("openssl"),
        }
        for outcome in &outcomes {
            measurements.push(assess(outcome, &mut report));
        }
    }
    measurements.sort();
    measurements.dedup();
    report.workload(format!(
        "a reload of {} s at {RATE}/s, a burst of {BURST} at {} s per call, connections that take {} s, single errors",
        RELOAD.as_secs(),
        BURST_CALL.as_secs_f64(),
        SLOW_CONNECT.as_secs()
    ));
    report.measurement(measurements.join(", "));
    report
}

/// All cases at once, because they mostly wait.
async fn round() -> (Vec<Outcome>, std::io::Result<Outcome>) {
    let (refused, bad_gateway, unavailable, not_found, burst, connect, one_404, one_401) = tokio::join!(
        reload("refused", Away::Refused),
        reload("502", Away::Status(502)),
        reload("503", Away::Status(503)),
        reload("404", Away::Status(404)),
        burst(),
        slow_connect(),
        single_error(404),
        single_error(401),
    );
    let outcomes = vec![
        refused,
        bad_gateway,
        unavailable,
        not_found,
        burst,
        one_404,
        one_401,
    ];
    (outcomes, connect)
}

fn assess(outcome: &Outcome, report: &mut CheckReport) -> String {
    let Outcome {
        name,
        posted,
        delivered,
        stored,
    } = outcome;
    report.expect(delivered == posted && stored == posted, || {
        format!("{name}: {posted} posted, {delivered} delivered, {stored} stored")
    });
    format!("{name} {delivered}/{posted}")
}

/// Existing connections are reset, and then the proxy is in this state for a second.
async fn reload(name: &str, how: Away) -> Outcome {
    let chat = FakeRocketChat::start().await;
    let sut = Sut::for_chat(&chat);
    let _ = sut.post(&push("first")).await;
    let url = sut.url();
    let load = constant_rate(RATE, Duration::from_secs(2), |number| {
        vec![(push(&format!("reload-{number}")), url.clone())]
    });
    let leave = async {
        time::sleep(Duration::from_millis(400)).await;
        chat.away(Duration::from_millis(5), Away::Reset).await;
        chat.away(RELOAD, how).await;
    };
    let (attempts, ()) = tokio::join!(load, leave);
    chat.expect_violation();
    let stored = chat.messages().len() - 1;
    chat.mark_all_read();
    Outcome {
        name: format!("reload with {name}"),
        posted: attempts.len(),
        delivered: attempts.iter().filter(|sent| sent.is_accepted()).count(),
        stored,
    }
}

/// More webhooks at the same time than are sent concurrently, to a slow chat server.
async fn burst() -> Outcome {
    let chat = FakeRocketChat::start().await;
    let sut = Sut::for_chat(&chat);
    let _ = sut.post(&push("first")).await;
    let slow = Fault::Slow {
        delay: BURST_CALL,
        insert_first: false,
    };
    chat.inject_fault_always(Route::SendMessage, slow);
    let url = sut.url();
    let attempts = constant_rate(1, Duration::from_secs(1), |_| {
        let burst = (0..BURST).map(|number| (push(&format!("burst-{number}")), url.clone()));
        burst.collect()
    })
    .await;
    let stored = chat.messages().len() - 1;
    chat.mark_all_read();
    Outcome {
        name: "burst".to_owned(),
        posted: attempts.len(),
        delivered: attempts.iter().filter(|sent| sent.is_accepted()).count(),
        stored,
    }
}

/// The first webhook of a process, to a chat server far away.
async fn slow_connect() -> std::io::Result<Outcome> {
    let chat = FakeRocketChat::start().await;
    let https = Https::in_front_of(&chat.url(), Certificate::Valid, SLOW_CONNECT).await?;
    let settings = Settings::with(&chat)
        .set("ROCKETCHAT_URL", https.url())
        .set("ROCKETCHAT_CA", https.authority());
    let sut = Sut::start(&settings);
    let response = sut.post(&push("far-away")).await;
    let stored = chat.messages().len();
    chat.mark_all_read();
    Ok(Outcome {
        name: "slow connection".to_owned(),
        posted: 1,
        delivered: usize::from(response.is_ok_and(|response| response.status == 200)),
        stored,
    })
}

/// The proxy sends one call to a replica that does not know the route or the token yet.
async fn single_error(status: u16) -> Outcome {
    let mut outcome = Outcome {
        name: format!("a single {status}"),
        posted: 0,
        delivered: 0,
        stored: 0,
    };
    for route in [Route::CreateDirectMessage, Route::SendMessage] {
        let chat = FakeRocketChat::start().await;
        let sut = Sut::for_chat(&chat);
        chat.inject_fault(route, Fault::Status(status));
        let response = sut.post(&push("rollout")).await;
        outcome.posted += 1;
        outcome.delivered += usize::from(response.is_ok_and(|response| response.status == 200));
        outcome.stored += chat.messages().len();
        chat.mark_all_read();
    }
    outcome
}
