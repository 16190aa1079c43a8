//! Check `crash`: kills the process at every point that can be distinguished from outside, and at random
//! times, then restarts it and resends the delivery. Owns the kill points.
//!
//! The process has no persistent state except what it has sent, so that two points between the same
//! bytes on the wire are equivalent: the program itself needs no kill points.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fakes::gitlab::{Delivery, SAMPLE_KEY};
use fakes::rocketchat::FakeRocketChat;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time;

use crate::check::{CheckReport, Size, run};
use crate::proxy::breakpoint::CallStage::{
    self, Connected, Executed, HalfResponded, Received, Responded, Started,
};
use crate::proxy::{Action, End, Proxy};
use crate::rng::Rng;
use crate::secret_scan::TOKEN;
use crate::sockets;
use crate::sut::{Settings, Sut};

mod with_broker;

/// How long it may take to reach a kill point.
const TIMEOUT: Duration = Duration::from_secs(10);

/// When the process is killed.
#[derive(Clone, Copy, Debug)]
enum KillPoint {
    /// When GitLab has sent this percentage of its request.
    Sent(usize),
    /// When a call to the chat server is at this stage.
    Call(CallStage, &'static str),
    /// The same for the look-up that follows a lost response.
    LookUp(CallStage),
    /// During the backoff before a retry.
    Backoff,
    /// While it finishes requests in flight after SIGTERM.
    Drain,
    /// When this many bytes of its response have been received.
    Response(usize),
}

const KILL_POINTS: [KillPoint; 24] = [
    KillPoint::Sent(0),
    KillPoint::Sent(10),
    KillPoint::Sent(50),
    KillPoint::Sent(99),
    KillPoint::Sent(100),
    KillPoint::Call(Connected, ""),
    KillPoint::Call(Started, "im.create"),
    KillPoint::Call(Received, "im.create"),
    KillPoint::Call(Executed, "im.create"),
    KillPoint::Call(HalfResponded, "im.create"),
    KillPoint::Call(Responded, "im.create"),
    KillPoint::Call(Started, "chat.sendMessage"),
    KillPoint::Call(Received, "chat.sendMessage"),
    KillPoint::Call(Executed, "chat.sendMessage"),
    KillPoint::Call(HalfResponded, "chat.sendMessage"),
    KillPoint::Call(Responded, "chat.sendMessage"),
    KillPoint::LookUp(Started),
    KillPoint::LookUp(Received),
    KillPoint::LookUp(HalfResponded),
    KillPoint::LookUp(Responded),
    KillPoint::Backoff,
    KillPoint::Drain,
    KillPoint::Response(1),
    KillPoint::Response(1 << 20),
];

/// How a delivery is identified and authenticated.
#[derive(Clone, Copy, Debug)]
enum Mode {
    Signature,
    Token,
    /// A token but no idempotency key, as GitLab before 17.4 sends.
    NoKey,
}

const MODES: [Mode; 3] = [Mode::Signature, Mode::Token, Mode::NoKey];

impl Mode {
    fn settings(self, settings: Settings) -> Settings {
        let with_token = |settings: Settings| {
            settings
                .set("GITLAB_SIGNING_KEYS", "")
                .set("GITLAB_WEBHOOK_TOKENS", TOKEN)
        };
        match self {
            Self::Signature => settings,
            Self::Token => with_token(settings),
            Self::NoKey => with_token(settings).set("ACCEPT_MISSING_IDEMPOTENCY_KEY", true),
        }
    }

    fn delivery(self) -> Delivery {
        let push = Delivery::push_sample();
        match self {
            Self::Signature => push.signed_with(SAMPLE_KEY),
            Self::Token => push.token(TOKEN),
            Self::NoKey => push
                .token(TOKEN)
                .without("Idempotency-Key")
                .without("webhook-id"),
        }
    }
}

/// The outcome of one kill.
#[derive(Clone, Copy, Debug, Default)]
struct KillOutcome {
    /// Whether GitLab got a success response.
    accepted: bool,
    /// Number of messages after the process was killed.
    stored: usize,
    /// From the start of the next process until it listened.
    ready_after: Duration,
    /// Number of messages after the resend.
    stored_after_resend: usize,
    /// Response status of the resend.
    resend_status: u16,
}

/// Runs the check.
pub(crate) fn check(size: Size) -> CheckReport {
    let mut report = CheckReport::default();
    let rounds = size.of(1, 5, 50);
    let random = size.of(40, 200, 2000);
    let mut stats = Stats::default();
    for _ in 0..rounds {
        for mode in MODES {
            for point in KILL_POINTS {
                let outcome = run(killed_at(point, mode));
                stats.record(&mut report, &format!("{point:?} {mode:?}"), outcome);
            }
        }
    }
    let mut with_broker = with_broker::Stats::default();
    for _ in 0..rounds {
        for point in with_broker::KILL_POINTS {
            let outcome = run(with_broker::killed_at(point));
            with_broker.record(&mut report, point, &outcome);
        }
    }
    for seed in 0..random {
        let outcome = run(killed_after(&mut Rng::seeded(seed)));
        stats.record(&mut report, &format!("random time, seed {seed}"), outcome);
    }
    report.expect(stats.accepted > 0 && stats.accepted < stats.kills, || {
        format!(
            "{} of {} killed deliveries were accepted, expected some but not all: the kill points do not differ",
            stats.accepted, stats.kills
        )
    });
    report.workload(format!(
        "{} kills: {} kill points × 3 modes × {rounds} rounds, {random} at random times; {} with a broker: {} kill points × {rounds} rounds",
        stats.kills,
        KILL_POINTS.len(),
        with_broker.kills,
        with_broker::KILL_POINTS.len()
    ));
    report.measurement(format!(
        "{} lost, {} duplicates; {} had been accepted; with a broker {} lost, {} duplicates, {} had been handed off; slowest restart {} ms",
        stats.lost,
        stats.duplicated,
        stats.accepted,
        with_broker.lost,
        with_broker.duplicated,
        with_broker.accepted,
        stats.slowest_start.as_millis()
    ));
    report
}

#[derive(Default)]
struct Stats {
    kills: usize,
    accepted: usize,
    lost: usize,
    duplicated: usize,
    slowest_start: Duration,
}

impl Stats {
    fn record(&mut self, report: &mut CheckReport, case: &str, outcome: KillOutcome) {
        let lost = (outcome.accepted && outcome.stored == 0)
            || outcome.stored_after_resend == 0
            || outcome.resend_status != 200;
        let duplicated = outcome.stored_after_resend > 1;
        self.kills += 1;
        self.accepted += usize::from(outcome.accepted);
        self.lost += usize::from(lost);
        self.duplicated += usize::from(duplicated);
        self.slowest_start = self.slowest_start.max(outcome.ready_after);
        report.expect(!lost && !duplicated, || format!("{case}: {outcome:?}"));
        report.expect(outcome.ready_after < Duration::from_secs(1), || {
            format!("{case}: ready after {:?}", outcome.ready_after)
        });
    }
}

/// The processes and servers of one kill.
struct Fixture {
    chat: FakeRocketChat,
    proxy: Proxy,
    settings: Settings,
    sut: Sut,
    delivery: Delivery,
}

impl Fixture {
    async fn new(mode: Mode, plan: impl Fn(&str, usize) -> Action + Send + Sync + 'static) -> Self {
        let chat = FakeRocketChat::start().await;
        let proxy = Proxy::in_front_of(&chat.url(), plan).await;
        let settings = Settings::with(&chat).set("ROCKETCHAT_URL", proxy.url());
        // Short, because a message is looked up only after all attempts.
        let settings = mode.settings(settings.set("DELIVERY_TIMEOUT_SECONDS", 1));
        let sut = Sut::start(&settings);
        Self {
            chat,
            proxy,
            settings,
            sut,
            delivery: mode.delivery(),
        }
    }

    /// Kills the process, starts another one and resends the delivery.
    async fn finish(mut self, accepted: bool) -> KillOutcome {
        self.sut.kill();
        self.proxy.breakpoint().clear();
        let stored = self.chat.messages().len();
        let next = Sut::start(&self.settings);
        let resend = next.post(&self.delivery).await;
        let outcome = KillOutcome {
            accepted,
            stored,
            ready_after: next.start_time,
            stored_after_resend: self.chat.messages().len(),
            resend_status: resend.map_or(0, |response| response.status),
        };
        self.chat.mark_all_read();
        outcome
    }
}

async fn killed_at(point: KillPoint, mode: Mode) -> KillOutcome {
    let first = AtomicBool::new(true);
    let plan = move |path: &str, _: usize| match point {
        KillPoint::LookUp(_) if path.ends_with("chat.sendMessage") => Action::Cut {
            forwarded: true,
            bytes: 0,
            end: End::Reset,
        },
        KillPoint::Backoff
            if path.ends_with("chat.sendMessage") && first.swap(false, Ordering::Relaxed) =>
        {
            Action::Cut {
                forwarded: false,
                bytes: 0,
                end: End::Close,
            }
        }
        _ => Action::Forward,
    };
    // Three lost responses lead to a look-up. After the kill, the next process must get its responses.
    let fixture = Fixture::new(mode, until_look_up(plan, point)).await;
    match point {
        KillPoint::Call(stage, path) => fixture.proxy.breakpoint().set(stage, path),
        KillPoint::LookUp(stage) => fixture.proxy.breakpoint().set(stage, "chat.getMessage"),
        KillPoint::Drain => fixture.proxy.breakpoint().set(Executed, "chat.sendMessage"),
        KillPoint::Sent(_) | KillPoint::Backoff | KillPoint::Response(_) => {}
    }
    let request = sockets::request_bytes(&fixture.delivery);
    let sent = match point {
        KillPoint::Sent(share) => request.len() * share / 100,
        _ => request.len(),
    };
    let mut gitlab = TcpStream::connect(fixture.sut.address())
        .await
        .expect("connects");
    gitlab
        .write_all(&request[..sent])
        .await
        .expect("is written");
    match point {
        KillPoint::Sent(_) => {}
        KillPoint::Call(..) | KillPoint::LookUp(_) | KillPoint::Drain => {
            let reached = time::timeout(TIMEOUT, fixture.proxy.breakpoint().hit()).await;
            assert!(
                reached.is_ok(),
                "{point:?} was not reached: {:?}",
                fixture.sut.output()
            );
            if matches!(point, KillPoint::Drain) {
                fixture.sut.terminate();
                time::sleep(Duration::from_millis(5)).await;
            }
        }
        KillPoint::Backoff => {
            while fixture.proxy.calls() < 2 {
                time::sleep(Duration::from_millis(1)).await;
            }
            time::sleep(Duration::from_millis(20)).await;
        }
        KillPoint::Response(bytes) => return killed_after_response(fixture, gitlab, bytes).await,
    }
    let accepted = kill_and_read(&fixture, &mut gitlab).await;
    fixture.finish(accepted).await
}

/// Stops injecting faults at the look-up, so that only the first process loses responses.
fn until_look_up(
    plan: impl Fn(&str, usize) -> Action + Send + Sync + 'static,
    point: KillPoint,
) -> impl Fn(&str, usize) -> Action + Send + Sync + 'static {
    let looked_up = AtomicBool::new(false);
    move |path, number| {
        if matches!(point, KillPoint::LookUp(_)) && path.contains("chat.getMessage") {
            looked_up.store(true, Ordering::Relaxed);
        }
        if looked_up.load(Ordering::Relaxed) {
            Action::Forward
        } else {
            plan(path, number)
        }
    }
}

/// Kills the process and reads what it had sent before; returns whether that was a success.
async fn kill_and_read(fixture: &Fixture, gitlab: &mut TcpStream) -> bool {
    fixture.sut.send_kill();
    let mut response = Vec::new();
    let _ = time::timeout(TIMEOUT, gitlab.read_to_end(&mut response)).await;
    response.starts_with(b"HTTP/1.1 200 ")
}

async fn killed_after_response(
    fixture: Fixture,
    mut gitlab: TcpStream,
    bytes: usize,
) -> KillOutcome {
    let mut response = vec![0; bytes];
    let read = time::timeout(TIMEOUT, gitlab.read(&mut response)).await;
    assert!(read.is_ok(), "no response");
    // One byte is enough: the process has decided on its response by then.
    fixture.finish(response.starts_with(b"H")).await
}

async fn killed_after(rng: &mut Rng) -> KillOutcome {
    let (before, after) = (
        rng.time(Duration::from_millis(3)),
        rng.time(Duration::from_millis(3)),
    );
    let fixture = Fixture::new(*rng.pick(&MODES), move |_, _| Action::Delay {
        before,
        after,
    })
    .await;
    let request = sockets::request_bytes(&fixture.delivery);
    let mut gitlab = TcpStream::connect(fixture.sut.address())
        .await
        .expect("connects");
    gitlab.write_all(&request).await.expect("is written");
    time::sleep(Duration::from_micros(rng.below(25_000))).await;
    let accepted = kill_and_read(&fixture, &mut gitlab).await;
    fixture.finish(accepted).await
}
