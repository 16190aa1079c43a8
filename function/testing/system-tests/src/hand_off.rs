//! Check `hand-off`: Rocket.Chat is away under load while the function, the broker behind it and the nodes of RabbitMQ
//! are killed. Owns the schedule of the kills and what must hold afterwards: every message is stored once, and GitLab
//! has not disabled the webhook.
//!
//! Two replicas run behind haproxy, which sends a webhook to the other one if the connection breaks before a response;
//! a webhook that was cut off by a kill may be sent again like any other. Never both replicas are killed at the same time,
//! and never two nodes of RabbitMQ. While Rocket.Chat is away and RabbitMQ has no majority, nothing can be accepted.

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fakes::exchange::exchange;
use fakes::gitlab::{Delivery, SAMPLE_KEY};
use fakes::rocketchat::{Away, FakeRocketChat};
use tokio::time;

use crate::broker::Arguments;
use crate::broker::queue::Queue;
use crate::check::{CheckReport, Size, run};
use crate::load::{Attempt, constant_rate, resend};
use crate::ports;
use crate::rabbitmq::{RabbitMq, Stop};
use crate::restarts::ReverseProxy;
use crate::rng::Rng;
use crate::sut::{Settings, Sut};

const RATE: u64 = 50;
/// GitLab gives up on a response after this time.
const GITLAB_TIMEOUT: Duration = Duration::from_secs(10);
/// GitLab disables a webhook after this many failures in a row.
const FAILURES_UNTIL_DISABLED: usize = 4;

/// The names of the branches begin with this.
const BRANCH: &str = "outage";

/// Least time between two kills of replicas. A new replica that gets no response needs 4 s until it hands a webhook off;
/// with a shorter pause, one webhook is cut off several times, and GitLab does not wait for so long.
const REPLICA_PAUSE: Duration = Duration::from_millis(4200);
/// Least time between two kills of the broker, and after a restart of RabbitMQ.
const PAUSE: Duration = Duration::from_secs(1);

/// Within this time after the load, the queue must be empty. The longest pause of the dispatcher is part of it.
const DRAIN_TIMEOUT: Duration = Duration::from_mins(2);

/// More events than the queue of the load gets.
const MAX_LENGTH: i32 = 100_000;
/// The length of a queue that becomes full, and how many events are posted to it. Some are in the dispatcher.
const SHORT_LENGTH: i32 = 10;
const TOO_MANY: u32 = 100;

/// How often everything is killed, and how long Rocket.Chat is away.
#[derive(Clone, Copy)]
struct Schedule {
    away: Duration,
    /// Load before and after that.
    margin: Duration,
    kills: u32,
    restarts: u32,
}

/// Runs the check.
pub(crate) fn check(size: Size) -> CheckReport {
    let schedule = |away, margin, kills, restarts| Schedule {
        away: Duration::from_secs(away),
        margin: Duration::from_secs(margin),
        kills,
        restarts,
    };
    run(storm(size.of(
        schedule(15, 4, 3, 1),
        schedule(60, 20, 20, 5),
        schedule(600, 200, 200, 20),
    )))
}

/// The broker as a child process; killed when dropped.
struct Broker {
    arguments: Arguments,
    child: Child,
}

impl Broker {
    fn start(arguments: Arguments) -> Self {
        let child = Self::spawn(&arguments);
        Self { arguments, child }
    }

    fn spawn(arguments: &Arguments) -> Child {
        let this = std::env::current_exe().expect("has a path");
        let mut command = Command::new(this);
        let command = command.args(arguments.words()).stdin(Stdio::null());
        command.spawn().expect("this program can be started")
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.arguments.port)
    }

    /// Kills it with SIGKILL, and starts the next one.
    fn replace(&mut self) {
        self.kill();
        self.child = Self::spawn(&self.arguments);
    }

    fn kill(&mut self) {
        let _already_exited = self.child.kill();
        let _ = self.child.wait();
    }

    /// Waits until RabbitMQ has stored an event.
    async fn wait_until_ready(&self) {
        let ready = wait_for(async || self.post().await == 202).await;
        assert!(ready, "the broker stores nothing");
    }

    /// Posts an event without a signature; the status is 0 if there is no response.
    async fn post(&self) -> u16 {
        let headers = [
            ("ce-specversion", "1.0"),
            ("ce-id", "1"),
            ("ce-source", "/system-tests"),
            ("ce-type", "system-tests"),
            ("content-type", "application/json"),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
        let response = exchange("POST", &self.url(), &headers, b"{}").await;
        response.map_or(0, |response| response.status)
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.kill();
    }
}

async fn storm(schedule: Schedule) -> CheckReport {
    let mut report = CheckReport::default();
    let Some(mut rabbitmq) = RabbitMq::start().await else {
        return CheckReport::not_run_without(
            "rabbitmq-server",
            "on Debian `apt-get install rabbitmq-server`",
        );
    };
    let replicas: Vec<_> = (0..2)
        .map(|_| (ports::reserve(), ports::reserve()))
        .collect();
    let entrance = ports::reserve();
    let Some(_reverse_proxy) = ReverseProxy::haproxy_that_resends(entrance, &replicas).await else {
        return CheckReport::not_run_without("haproxy", "on Debian `apt-get install haproxy`");
    };
    let arguments = |name: &str, max_length, target: &str| Arguments {
        port: ports::reserve(),
        target: target.to_owned(),
        queue: Queue {
            name: name.to_owned(),
            max_length,
            nodes: rabbitmq.ports(),
        },
    };
    let nowhere = format!("http://127.0.0.1:{}/deliver", ports::reserve());
    let full = Broker::start(arguments("full", SHORT_LENGTH, &nowhere));
    check_full_queue(full, &mut report).await;

    let target = format!("http://127.0.0.1:{entrance}/deliver");
    let mut broker = Broker::start(arguments("webhook-app", MAX_LENGTH, &target));
    let chat = FakeRocketChat::start().await;
    let settings = Settings::with(&chat).set("SINK_URL", broker.url()).set(
        "MESSAGE_ID_SECRET",
        "of-the-tests-0123456789abcdefghijklmnop",
    );
    let start = |(port, probes): (u16, u16)| {
        let settings = settings.clone().set("PORT", port);
        Sut::start(&settings.set("METRICS_PORT", probes))
    };
    let mut functions: Vec<_> = replicas.iter().map(|&ports| start(ports)).collect();
    check_dead_letter(&broker, &mut report).await;

    let url = format!("http://127.0.0.1:{entrance}/webhook");
    let window = schedule.away + 2 * schedule.margin;
    let load = constant_rate(RATE, window, |number| vec![(push(number), url.clone())]);
    let queue = broker.arguments.queue.clone();
    let mut emptied_after = None;
    let absence = async {
        time::sleep(schedule.margin).await;
        for how in [Away::Refused, Away::Silent, Away::Status(502)] {
            chat.away(schedule.away / 3, how).await;
            time::sleep(schedule.away / 3).await;
        }
        let began = Instant::now();
        let is_empty = async || queue.lengths().await.is_ok_and(|(length, _)| length == 0);
        emptied_after = wait_for(is_empty).await.then(|| began.elapsed());
    };
    let mut killed = (0, 0, 0);
    let functions_killed = async {
        for at in times(window, schedule.kills, REPLICA_PAUSE, 1) {
            time::sleep_until(at).await;
            let index = (killed.0 % 2) as usize;
            functions[index].kill();
            functions[index] = start(replicas[index]);
            killed.0 += 1;
        }
    };
    let broker_killed = async {
        for at in times(window, schedule.kills, PAUSE, 2) {
            time::sleep_until(at).await;
            broker.replace();
            killed.1 += 1;
        }
    };
    let mut slowest_restart = Duration::ZERO;
    let nodes_restarted = async {
        for at in times(window, schedule.restarts, PAUSE, 3) {
            time::sleep_until(at).await;
            let stopped = Instant::now();
            let stop = [Stop::Kill, Stop::Terminate][(killed.2 % 2) as usize];
            rabbitmq.restart((killed.2 % 3) as usize, stop).await;
            slowest_restart = slowest_restart.max(stopped.elapsed());
            killed.2 += 1;
            time::sleep(PAUSE).await;
        }
    };
    let (attempts, ..) = tokio::join!(
        load,
        absence,
        functions_killed,
        broker_killed,
        nodes_restarted
    );
    let expected = (schedule.kills, schedule.kills, schedule.restarts);
    report.expect(killed == expected, || {
        format!("expected {expected:?} kills, found {killed:?}")
    });

    let (accepted, failed): (Vec<_>, Vec<_>) = attempts.iter().cloned().partition(is_success);
    drain(&chat, &accepted, &mut report).await;
    let not_resent = chat.messages().len();
    let rejected = resend(&failed, &url).await;
    report.expect(rejected == 0, || {
        format!("{rejected} were rejected after the absence")
    });
    let longest_run = longest_run(&attempts);
    report.expect(longest_run < FAILURES_UNTIL_DISABLED, || {
        format!("{longest_run} failures in a row; GitLab disables the webhook after {FAILURES_UNTIL_DISABLED}")
    });
    let stored = stored(&chat);
    let not_once = attempts
        .iter()
        .filter(|attempt| stored.get(&number(attempt)) != Some(&1));
    let not_once = not_once.count();
    report.expect(not_once == 0 && stored.len() == attempts.len(), || {
        format!(
            "{not_once} of {} are not stored once, {} messages",
            attempts.len(),
            stored.values().sum::<usize>()
        )
    });
    // The one that has no signature.
    let lengths = broker.arguments.queue.lengths().await.ok();
    report.expect(lengths == Some((0, 1)), || {
        format!("expected an empty queue and one dead letter, found {lengths:?}")
    });
    chat.mark_all_read();
    let handed_off = accepted.iter().filter(|attempt| attempt.status == 202);
    report.workload(format!(
        "Rocket.Chat away {} s at {RATE}/s, function and broker killed {} times each, and nodes of RabbitMQ restarted {} times",
        schedule.away.as_secs(),
        schedule.kills,
        schedule.restarts
    ));
    let mut statuses = BTreeMap::<u16, u32>::new();
    for attempt in &failed {
        *statuses.entry(attempt.status).or_default() += 1;
    }
    report.measurement(format!(
        "{} webhooks: {} handed off, {} failed and resent {statuses:?}, at most {longest_run} in a row; {not_resent} stored without a resend; queue empty {} after Rocket.Chat is back; slowest restart {:.1} s",
        attempts.len(),
        handed_off.count(),
        failed.len(),
        emptied_after.map_or("later".to_owned(), |after| format!("{:.1} s", after.as_secs_f64())),
        slowest_restart.as_secs_f64()
    ));
    report
}

/// `count` random times from now on, one in each part of the window, at least `pause` apart.
fn times(window: Duration, count: u32, pause: Duration, seed: u64) -> Vec<time::Instant> {
    let mut rng = Rng::seeded(seed);
    let began = time::Instant::now();
    let part = window / count;
    let times =
        (0..count).map(|number| began + part * number + rng.time(part.saturating_sub(pause)));
    times.collect()
}

/// A queue that is full refuses events, and keeps those that it has accepted.
async fn check_full_queue(mut broker: Broker, report: &mut CheckReport) {
    broker.wait_until_ready().await;
    let mut statuses = BTreeMap::<u16, u32>::new();
    for _ in 0..TOO_MANY {
        *statuses.entry(broker.post().await).or_default() += 1;
    }
    let count = |status| statuses.get(&status).copied().unwrap_or_default();
    let is_full = count(202) > 0 && count(503) > 0 && count(202) + count(503) == TOO_MANY;
    report.expect(is_full, || {
        format!("expected 202 and then 503 for a full queue, found {statuses:?}")
    });
    // Events that the dispatcher has are not counted, until it is gone.
    broker.kill();
    let queue = &broker.arguments.queue;
    let kept = wait_for(async || {
        queue
            .lengths()
            .await
            .is_ok_and(|(length, _)| length >= count(202))
    });
    let kept = kept.await;
    report.expect(kept, || {
        format!(
            "expected the {} accepted events in the full queue",
            count(202)
        )
    });
}

/// An event without our signature is rejected by webhook-app, and becomes a dead letter.
async fn check_dead_letter(broker: &Broker, report: &mut CheckReport) {
    broker.wait_until_ready().await;
    let queue = &broker.arguments.queue;
    let found = wait_for(async || queue.lengths().await.is_ok_and(|lengths| lengths == (0, 1)));
    let found = found.await;
    report.expect(found, || "expected a dead letter, found none".to_owned());
}

/// Waits until everything that was accepted is stored, without a resend.
async fn drain(chat: &FakeRocketChat, accepted: &[Attempt], report: &mut CheckReport) {
    let began = Instant::now();
    loop {
        let stored = stored(chat);
        let missing = accepted
            .iter()
            .filter(|attempt| !stored.contains_key(&number(attempt)));
        let missing = missing.count();
        if missing == 0 || began.elapsed() > DRAIN_TIMEOUT {
            report.expect(missing == 0, || {
                format!("{missing} accepted webhooks are not stored after {DRAIN_TIMEOUT:?}")
            });
            return;
        }
        time::sleep(Duration::from_millis(200)).await;
    }
}

/// Whether a condition becomes true within 15 s.
async fn wait_for(condition: impl AsyncFn() -> bool) -> bool {
    let began = Instant::now();
    while !condition().await {
        if began.elapsed() > Duration::from_secs(15) {
            return false;
        }
        time::sleep(Duration::from_millis(100)).await;
    }
    true
}

/// Whether GitLab counts the attempt as a success.
fn is_success(attempt: &Attempt) -> bool {
    (200..300).contains(&attempt.status) && attempt.took < GITLAB_TIMEOUT
}

/// The most failures in a row, in the order of their ends.
fn longest_run(attempts: &[Attempt]) -> usize {
    let mut ended: Vec<_> = attempts.iter().collect();
    ended.sort_by_key(|attempt| attempt.at + attempt.took);
    let runs = ended.split(|attempt| is_success(attempt));
    runs.map(<[_]>::len).max().unwrap_or_default()
}

/// A push to a branch whose name contains this number.
fn push(number: u64) -> Delivery {
    let delivery = Delivery::push_sample();
    let body = String::from_utf8_lossy(delivery.body());
    let body = body.replace("refs/heads/main", &format!("refs/heads/{BRANCH}{number}"));
    delivery.with_body(body).signed_with(SAMPLE_KEY)
}

/// How many messages are stored about the branch of each number.
fn stored(chat: &FakeRocketChat) -> BTreeMap<u64, usize> {
    let mut stored = BTreeMap::new();
    for message in chat.messages() {
        *stored.entry(number_in(&message.text)).or_default() += 1;
    }
    stored
}

fn number(attempt: &Attempt) -> u64 {
    number_in(&String::from_utf8_lossy(attempt.delivery.body()))
}

fn number_in(text: &str) -> u64 {
    let after = text.split(BRANCH).nth(1).unwrap_or_default();
    let digits = after.split(|next: char| !next.is_ascii_digit()).next();
    let number = digits.and_then(|digits| digits.parse().ok());
    number.unwrap_or_else(|| panic!("expected {BRANCH} and a number in {text}"))
}
