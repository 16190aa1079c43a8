//! Check `faults`: injects faults between webhook-app and the chat server, on real sockets. Owns the
//! scenarios and the expected response to GitLab; [`proxy`](crate::proxy) injects the faults.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use fakes::broker::FakeBroker;
use fakes::rocketchat::FakeRocketChat;
use tokio::task::JoinSet;

use crate::check::{CheckReport, Size, run};
use crate::proxy::{Action, End, Proxy};
use crate::sut::{Settings, Sut, push};

/// The maximum response time: the deadline of 5 s, and some tolerance for a busy machine.
const MAX_RESPONSE_TIME: Duration = Duration::from_millis(5500);

/// Both processes of a scenario sign events with it.
const SECRET: &str = "of-the-tests-0123456789abcdefghijklmnop";

/// Scenarios in parallel, because they mostly wait.
const PARALLEL: usize = 6;

/// How often the fault is injected.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Repeat {
    Times(usize),
    Always,
}

use Repeat::{Always, Times};

/// What the broker behind the function does, if there is one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Sink {
    None,
    Works,
    /// It refuses events.
    Refuses,
    /// Its queue is full.
    IsFull,
    /// Nothing listens at its address.
    IsGone,
}

/// One scenario: the fault for calls of a path, and the expected response to GitLab.
#[derive(Clone, Debug)]
struct Scenario {
    name: String,
    path: &'static str,
    repeat: Repeat,
    action: Action,
    status: u16,
    /// Number of messages when GitLab gets the response; `None` if it depends on timing.
    messages: Option<usize>,
    /// A URL of the chat server to use instead of the proxy.
    url: Option<String>,
    sink: Sink,
}

fn scenario(name: &str, repeat: Repeat, action: Action, status: u16, messages: usize) -> Scenario {
    Scenario {
        name: name.to_owned(),
        path: "chat.sendMessage",
        repeat,
        action,
        status,
        messages: Some(messages),
        url: None,
        sink: Sink::None,
    }
}

/// A response as the chat server or a proxy in front of it would send it.
fn http_response(status: u16, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status} X\r\n{headers}Content-Length: {length}\r\n\r\n{body}").into_bytes()
}

fn responds(response: Vec<u8>) -> Action {
    Action::Respond {
        forwarded: false,
        response,
    }
}

fn cut(forwarded: bool, bytes: usize, end: End) -> Action {
    Action::Cut {
        forwarded,
        bytes,
        end,
    }
}

fn rate_limited(reset_in: Duration) -> Action {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let reset = format!("X-RateLimit-Reset: {}\r\n", (now + reset_in).as_millis());
    responds(http_response(429, &reset, r#"{"success":false}"#))
}

const NONE: Duration = Duration::ZERO;

fn connection_faults() -> Vec<Scenario> {
    let slow = |before, after| Action::Delay { before, after };
    let seconds = Duration::from_secs;
    let mut list = vec![
        scenario(
            "reset before it is read, once",
            Times(1),
            Action::ResetUnread,
            200,
            1,
        ),
        scenario(
            "reset before it is read, always",
            Always,
            Action::ResetUnread,
            503,
            0,
        ),
        scenario(
            "closed without a response, once",
            Times(1),
            cut(false, 0, End::Close),
            200,
            1,
        ),
        scenario(
            "closed without a response, always",
            Always,
            cut(false, 0, End::Close),
            503,
            0,
        ),
        scenario(
            "half-closed within the response",
            Times(1),
            cut(true, 80, End::HalfClose),
            200,
            1,
        ),
        scenario(
            "half-closed within the response, always",
            Always,
            cut(true, 80, End::HalfClose),
            200,
            1,
        ),
        scenario("1 s late", Times(1), slow(seconds(1), NONE), 200, 1),
        scenario(
            "the response is 8 s late, once",
            Times(1),
            slow(NONE, seconds(8)),
            200,
            1,
        ),
        scenario(
            "the response is 8 s late, always",
            Always,
            slow(NONE, seconds(8)),
            200,
            1,
        ),
        scenario("no response, once", Times(1), Action::NoResponse, 200, 1),
        scenario("no response, always", Always, Action::NoResponse, 503, 0),
        scenario(
            "a byte every 50 ms",
            Times(1),
            Action::Trickle {
                bytes: 1,
                pause: Duration::from_millis(50),
            },
            200,
            1,
        ),
    ];
    for bytes in [0, 1, 20, 120, 1 << 20] {
        list.push(scenario(
            &format!("reset after {bytes} bytes of the response"),
            Times(1),
            cut(true, bytes, End::Reset),
            200,
            1,
        ));
    }
    list.push(Scenario {
        messages: None,
        ..scenario(
            "executed 3 s late, once",
            Times(1),
            slow(seconds(3), NONE),
            200,
            1,
        )
    });
    list.push(Scenario {
        messages: None,
        ..scenario(
            "executed 8 s late, always",
            Always,
            slow(seconds(8), NONE),
            503,
            0,
        )
    });
    list
}

fn response_faults() -> Vec<Scenario> {
    let mut list = vec![
        scenario(
            "200 with success: false",
            Always,
            responds(http_response(200, "", r#"{"success":false}"#)),
            503,
            0,
        ),
        scenario(
            "redirect",
            Always,
            responds(http_response(302, "Location: /elsewhere\r\n", "")),
            503,
            0,
        ),
        scenario(
            "rate limit for half a second",
            Times(1),
            rate_limited(Duration::from_millis(500)),
            200,
            1,
        ),
        scenario(
            "rate limit for a minute",
            Always,
            rate_limited(Duration::from_mins(1)),
            503,
            0,
        ),
        scenario(
            "502 twice, then normal",
            Times(2),
            responds(http_response(502, "", "")),
            200,
            1,
        ),
        scenario(
            "not HTTP",
            Always,
            responds(b"SSH-2.0-OpenSSH_9.2\r\n\r\n".to_vec()),
            503,
            0,
        ),
        scenario(
            "a head of 300 KiB",
            Always,
            responds(http_response(
                200,
                &format!("X: {}\r\n", "x".repeat(300 << 10)),
                "{}",
            )),
            503,
            0,
        ),
        scenario(
            "a body shorter than Content-Length",
            Always,
            responds(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{}".to_vec()),
            503,
            0,
        ),
        scenario(
            "invalid chunks",
            Always,
            responds(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}".to_vec()),
            503,
            0,
        ),
        scenario(
            "an incomplete head",
            Always,
            responds(b"HTTP/1.1 200 OK\r\nContent-".to_vec()),
            503,
            0,
        ),
    ];
    for (name, body) in [
        ("an HTML page", "<!DOCTYPE html><title>Rocket.Chat</title>"),
        ("an empty body", ""),
        ("truncated JSON", r#"{"success":true,"mess"#),
        ("an array", "[]"),
        (
            "another message",
            r#"{"success":true,"message":{"_id":"other"}}"#,
        ),
    ] {
        list.push(scenario(
            &format!("200 with {name}"),
            Always,
            responds(http_response(200, "", body)),
            503,
            0,
        ));
        let action = Action::Respond {
            forwarded: true,
            response: http_response(200, "", body),
        };
        list.push(scenario(
            &format!("executed, 200 with {name}"),
            Times(1),
            action,
            200,
            1,
        ));
    }
    list
}

fn address_and_room_faults() -> Vec<Scenario> {
    let at = |name: &str, url: &str| Scenario {
        url: Some(url.to_owned()),
        ..scenario(name, Always, Action::Forward, 503, 0)
    };
    let room = |name: &str, repeat, action, status, messages| Scenario {
        path: "im.create",
        ..scenario(name, repeat, action, status, messages)
    };
    vec![
        at("connection refused", "http://127.0.0.1:9"),
        at("unknown host name", "http://chat.invalid"),
        at("TLS to a server without TLS", "https"),
        room("room: reset, once", Times(1), Action::ResetUnread, 200, 1),
        room("room: no response", Always, Action::NoResponse, 503, 0),
        room(
            "room: 502, always",
            Always,
            responds(http_response(502, "", "")),
            503,
            0,
        ),
        room(
            "room: executed, response lost",
            Times(1),
            cut(true, 0, End::Reset),
            200,
            1,
        ),
    ]
}

/// All other statuses that servers send. None of them means that the message is stored.
fn statuses() -> Vec<Scenario> {
    let known = (300..=308)
        .chain(400..=431)
        .chain([451, 499])
        .chain(500..=511)
        .chain([520, 522, 524, 529]);
    let each = known.filter(|status| ![409, 419, 420, 427, 430].contains(status));
    each.map(|status| {
        let action = responds(http_response(
            status,
            "",
            r#"{"success":true,"message":{"_id":"x"}}"#,
        ));
        scenario(&format!("status {status}"), Always, action, 503, 0)
    })
    .collect()
}

/// The same faults with a broker: one that works for all of them, and others where nothing else can help.
fn with_broker(scenarios: &[Scenario]) -> Vec<Scenario> {
    let with = |scenario: &Scenario, sink| Scenario {
        name: format!("{}; broker {sink:?}", scenario.name),
        sink,
        // It depends on timing whether the call or the broker is first.
        messages: None,
        ..scenario.clone()
    };
    let working = scenarios.iter().map(|scenario| with(scenario, Sink::Works));
    let always = scenarios.iter().filter(|scenario| scenario.status == 503);
    let others = [Sink::Refuses, Sink::IsFull, Sink::IsGone];
    // Each of the faults with one of them.
    let others = always
        .enumerate()
        .map(|(number, scenario)| with(scenario, others[number % others.len()]));
    working.chain(others).collect()
}

/// Runs the check.
pub(crate) fn check(size: Size) -> CheckReport {
    let mut report = CheckReport::default();
    let scenarios = [
        connection_faults(),
        response_faults(),
        address_and_room_faults(),
    ]
    .concat();
    let scenarios = [&scenarios[..], &with_broker(&scenarios)].concat();
    let statuses = size.of(Vec::new(), statuses(), statuses());
    let rounds = size.of(1, 2, 20);
    let count = scenarios.len() + statuses.len();
    let all = (0..rounds)
        .flat_map(|_| [&scenarios[..], &statuses].concat())
        .collect();
    let slowest = run(run_all(all, &mut report));
    report.workload(format!("{count} scenarios, with and without a broker, × {rounds} rounds through a fault-injection proxy, then a resend of the same delivery"));
    report.measurement(format!(
        "{} of {} as expected; slowest response {:.1} s",
        count * rounds - report.failures().min(count * rounds),
        count * rounds,
        slowest.as_secs_f64()
    ));
    report
}

async fn run_all(scenarios: Vec<Scenario>, report: &mut CheckReport) -> Duration {
    let mut slowest = Duration::ZERO;
    let mut running = JoinSet::new();
    let mut waiting = scenarios.into_iter();
    loop {
        while running.len() < PARALLEL {
            let Some(scenario) = waiting.next() else {
                break;
            };
            running.spawn(run_scenario(scenario));
        }
        match running.join_next().await {
            Some(Ok(Ok(took))) => slowest = slowest.max(took),
            Some(Ok(Err(failure))) => report.expect(false, || failure),
            Some(Err(panic)) => report.expect(false, || panic.to_string()),
            None => return slowest,
        }
    }
}

/// Runs one scenario; returns the response time, or what was wrong.
async fn run_scenario(scenario: Scenario) -> Result<Duration, String> {
    let chat = FakeRocketChat::start().await;
    let left = Arc::new(AtomicUsize::new(match scenario.repeat {
        Times(times) => times,
        Always => usize::MAX,
    }));
    let (path, action, counter) = (scenario.path, scenario.action.clone(), Arc::clone(&left));
    let proxy = Proxy::in_front_of(&chat.url(), move |called, _| {
        let applies = called.ends_with(path)
            && counter
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                    left.checked_sub(1)
                })
                .is_ok();
        if applies {
            action.clone()
        } else {
            Action::Forward
        }
    })
    .await;
    let url = match scenario.url.as_deref() {
        Some("https") => proxy.url().replace("http://", "https://"),
        Some(url) => url.to_owned(),
        None => proxy.url(),
    };
    let broker = FakeBroker::start().await;
    match scenario.sink {
        Sink::Refuses => broker.refuse_always(Some(403)),
        Sink::IsFull => broker.refuse_always(Some(503)),
        Sink::None | Sink::Works | Sink::IsGone => {}
    }
    let settings = Settings::with(&chat).set("MESSAGE_ID_SECRET", SECRET);
    let settings = match scenario.sink {
        Sink::None => settings,
        Sink::Works | Sink::Refuses | Sink::IsFull => settings.set("SINK_URL", broker.url()),
        Sink::IsGone => settings.set("SINK_URL", "http://127.0.0.1:9/"),
    };
    let sut = Sut::start(&settings.clone().set("ROCKETCHAT_URL", &url));
    let delivery = push("the-one");
    let began = Instant::now();
    let response = sut
        .post(&delivery)
        .await
        .map_err(|error| format!("{}: {error}", scenario.name))?;
    let took = began.elapsed();
    let stored = chat.messages().len();
    left.store(0, Ordering::Relaxed);
    // The operator has corrected the URL.
    let repaired = Sut::start(&settings.set("ROCKETCHAT_URL", proxy.url()));
    let is_handed_off = response.status == 202 && broker.len() == 1;
    let mut redelivery = None;
    if is_handed_off {
        let url = format!("http://{}/deliver", repaired.address());
        let response = FakeBroker::deliver(&broker.take(), &url).await;
        redelivery = Some(response.map_or(0, |response| response.status));
    }
    let resend_status = repaired
        .post(&delivery)
        .await
        .map_or(0, |response| response.status);
    let stored_after_resend = chat.messages().len();
    let violations = chat.violations();
    chat.mark_all_read();
    chat.expect_violation();
    let is_expected = match scenario.sink {
        // The broker keeps what is not confirmed, also where a later attempt would have succeeded.
        Sink::Works => {
            is_handed_off || (scenario.status == 200 && response.status == 200 && stored == 1)
        }
        _ => response.status == scenario.status,
    };
    let passed = is_expected
        && redelivery.is_none_or(|status| status == 200)
        && scenario.messages.is_none_or(|messages| messages == stored)
        && (resend_status, stored_after_resend) == (200, 1)
        && took < MAX_RESPONSE_TIME
        && violations.is_empty();
    let found = format!(
        "{}: status {} ({}) after {took:?} with {stored} messages; redelivery {redelivery:?}; resend: status {resend_status} with {stored_after_resend} messages; API violations: {violations:?}",
        scenario.name,
        response.status,
        response.text()
    );
    passed.then_some(took).ok_or(found)
}
