//! Check `faults`: everything that can go wrong between the function and the chat server, on real sockets. Owns
//! the scenarios and what GitLab must be told in each; the wire is [`proxy`](crate::proxy)'s.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use fakes::rocketchat::FakeRocketChat;
use tokio::task::JoinSet;

use crate::check::{Finding, Size, run};
use crate::proxy::{Act, End, Proxy};
use crate::sut::{Settings, Sut, push};

/// The longest answer: 5 s of budget and what a busy machine adds.
const LONGEST: Duration = Duration::from_millis(5500);

/// Scenarios at once: they mostly wait.
const AT_ONCE: usize = 6;

/// How often the fault comes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Often {
    Times(usize),
    Always,
}

use Often::{Always, Times};

/// One scenario: what happens to calls on a path, and what GitLab must be told.
#[derive(Clone, Debug)]
struct Scenario {
    name: String,
    path: &'static str,
    often: Often,
    act: Act,
    status: u16,
    /// Messages when GitLab has its answer; `None` where it depends on who is faster.
    messages: Option<usize>,
    /// Instead of the proxy's address.
    address: Option<String>,
}

fn scenario(name: &str, often: Often, act: Act, status: u16, messages: usize) -> Scenario {
    Scenario {
        name: name.to_owned(),
        path: "chat.sendMessage",
        often,
        act,
        status,
        messages: Some(messages),
        address: None,
    }
}

/// An answer as the chat server or what stands before it would write it.
fn written(status: u16, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status} X\r\n{headers}Content-Length: {length}\r\n\r\n{body}").into_bytes()
}

fn says(answer: Vec<u8>) -> Act {
    Act::Say {
        carried_out: false,
        answer,
    }
}

fn cut(carried_out: bool, bytes: usize, end: End) -> Act {
    Act::Cut {
        carried_out,
        bytes,
        end,
    }
}

fn limited(away: Duration) -> Act {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let reset = format!("X-RateLimit-Reset: {}\r\n", (now + away).as_millis());
    says(written(429, &reset, r#"{"success":false}"#))
}

const NEVER: Duration = Duration::ZERO;

fn on_the_wire() -> Vec<Scenario> {
    let slow = |before, after| Act::Slow { before, after };
    let seconds = Duration::from_secs;
    let mut list = vec![
        scenario(
            "reset before it is read, once",
            Times(1),
            Act::ResetUnread,
            200,
            1,
        ),
        scenario(
            "reset before it is read, always",
            Always,
            Act::ResetUnread,
            503,
            0,
        ),
        scenario(
            "closed without an answer, once",
            Times(1),
            cut(false, 0, End::Close),
            200,
            1,
        ),
        scenario(
            "closed without an answer, always",
            Always,
            cut(false, 0, End::Close),
            503,
            0,
        ),
        scenario(
            "half-closed within the answer",
            Times(1),
            cut(true, 80, End::Half),
            200,
            1,
        ),
        scenario(
            "half-closed within the answer, always",
            Always,
            cut(true, 80, End::Half),
            200,
            1,
        ),
        scenario("1 s late", Times(1), slow(seconds(1), NEVER), 200, 1),
        scenario(
            "the answer is 8 s late, once",
            Times(1),
            slow(NEVER, seconds(8)),
            200,
            1,
        ),
        scenario(
            "the answer is 8 s late, always",
            Always,
            slow(NEVER, seconds(8)),
            200,
            1,
        ),
        scenario("never answered, once", Times(1), Act::Silent, 200, 1),
        scenario("never answered, always", Always, Act::Silent, 503, 0),
        scenario(
            "a byte every 50 ms",
            Times(1),
            Act::Trickle {
                bytes: 1,
                pause: Duration::from_millis(50),
            },
            200,
            1,
        ),
    ];
    for bytes in [0, 1, 20, 120, 1 << 20] {
        list.push(scenario(
            &format!("reset after {bytes} bytes of the answer"),
            Times(1),
            cut(true, bytes, End::Reset),
            200,
            1,
        ));
    }
    list.push(Scenario {
        messages: None,
        ..scenario(
            "carried out 3 s late, once",
            Times(1),
            slow(seconds(3), NEVER),
            200,
            1,
        )
    });
    list.push(Scenario {
        messages: None,
        ..scenario(
            "carried out 8 s late, always",
            Always,
            slow(seconds(8), NEVER),
            503,
            0,
        )
    });
    list
}

fn in_the_answer() -> Vec<Scenario> {
    let mut list = vec![
        scenario(
            "200 that says no",
            Always,
            says(written(200, "", r#"{"success":false}"#)),
            503,
            0,
        ),
        scenario(
            "redirect",
            Always,
            says(written(302, "Location: /elsewhere\r\n", "")),
            503,
            0,
        ),
        scenario(
            "limit for half a second",
            Times(1),
            limited(Duration::from_millis(500)),
            200,
            1,
        ),
        scenario(
            "limit for a minute",
            Always,
            limited(Duration::from_mins(1)),
            503,
            0,
        ),
        scenario(
            "two bad gateways, then well",
            Times(2),
            says(written(502, "", "")),
            200,
            1,
        ),
        scenario(
            "no HTTP at all",
            Always,
            says(b"SSH-2.0-OpenSSH_9.2\r\n\r\n".to_vec()),
            503,
            0,
        ),
        scenario(
            "a head of 300 KiB",
            Always,
            says(written(
                200,
                &format!("X: {}\r\n", "x".repeat(300 << 10)),
                "{}",
            )),
            503,
            0,
        ),
        scenario(
            "a length that is not kept",
            Always,
            says(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{}".to_vec()),
            503,
            0,
        ),
        scenario(
            "chunks that are none",
            Always,
            says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}".to_vec()),
            503,
            0,
        ),
        scenario(
            "a head without an end",
            Always,
            says(b"HTTP/1.1 200 OK\r\nContent-".to_vec()),
            503,
            0,
        ),
    ];
    for (name, body) in [
        ("a start page", "<!DOCTYPE html><title>Rocket.Chat</title>"),
        ("nothing", ""),
        ("half of JSON", r#"{"success":true,"mess"#),
        ("a list", "[]"),
        (
            "another message",
            r#"{"success":true,"message":{"_id":"other"}}"#,
        ),
    ] {
        list.push(scenario(
            &format!("200 with {name}"),
            Always,
            says(written(200, "", body)),
            503,
            0,
        ));
        let act = Act::Say {
            carried_out: true,
            answer: written(200, "", body),
        };
        list.push(scenario(
            &format!("carried out, 200 with {name}"),
            Times(1),
            act,
            200,
            1,
        ));
    }
    list
}

fn elsewhere() -> Vec<Scenario> {
    let at = |name: &str, address: &str| Scenario {
        address: Some(address.to_owned()),
        ..scenario(name, Always, Act::Pass, 503, 0)
    };
    let room = |name: &str, often, act, status, messages| Scenario {
        path: "im.create",
        ..scenario(name, often, act, status, messages)
    };
    vec![
        at("connection refused", "http://127.0.0.1:9"),
        at("no such name", "http://chat.invalid"),
        at("TLS where there is none", "https"),
        room("room: reset, once", Times(1), Act::ResetUnread, 200, 1),
        room("room: never answered", Always, Act::Silent, 503, 0),
        room(
            "room: bad gateway, always",
            Always,
            says(written(502, "", "")),
            503,
            0,
        ),
        room(
            "room: carried out, answer lost",
            Times(1),
            cut(true, 0, End::Reset),
            200,
            1,
        ),
    ]
}

/// Every other status that servers give: none of them is a message, and none is told as one.
fn statuses() -> Vec<Scenario> {
    let known = (300..=308)
        .chain(400..=431)
        .chain([451, 499])
        .chain(500..=511)
        .chain([520, 522, 524, 529]);
    let each = known.filter(|status| ![409, 419, 420, 427, 430].contains(status));
    each.map(|status| {
        let act = says(written(
            status,
            "",
            r#"{"success":true,"message":{"_id":"x"}}"#,
        ));
        scenario(&format!("status {status}"), Always, act, 503, 0)
    })
    .collect()
}

/// Runs the check.
pub(crate) fn check(size: Size) -> Finding {
    let mut finding = Finding::default();
    let scenarios = [on_the_wire(), in_the_answer(), elsewhere()].concat();
    let statuses = size.of(Vec::new(), statuses(), statuses());
    let rounds = size.of(1, 2, 20);
    let count = scenarios.len() + statuses.len();
    let all = (0..rounds)
        .flat_map(|_| [&scenarios[..], &statuses].concat())
        .collect();
    let slowest = run(play_all(all, &mut finding));
    finding.done(format!("{count} scenarios × {rounds} through a proxy that lets calls go wrong, then the same delivery again"));
    finding.figure(format!(
        "{} of {} as the table says; slowest answer {:.1} s",
        count * rounds - finding.broken().min(count * rounds),
        count * rounds,
        slowest.as_secs_f64()
    ));
    finding
}

async fn play_all(scenarios: Vec<Scenario>, finding: &mut Finding) -> Duration {
    let mut slowest = Duration::ZERO;
    let mut playing = JoinSet::new();
    let mut waiting = scenarios.into_iter();
    loop {
        while playing.len() < AT_ONCE {
            let Some(scenario) = waiting.next() else {
                break;
            };
            playing.spawn(play(scenario));
        }
        match playing.join_next().await {
            Some(Ok(Ok(took))) => slowest = slowest.max(took),
            Some(Ok(Err(fault))) => finding.expect(false, || fault),
            Some(Err(panic)) => finding.expect(false, || panic.to_string()),
            None => return slowest,
        }
    }
}

/// Plays one; says how long the answer took, or what was wrong.
async fn play(scenario: Scenario) -> Result<Duration, String> {
    let chat = FakeRocketChat::start().await;
    let left = Arc::new(AtomicUsize::new(match scenario.often {
        Times(times) => times,
        Always => usize::MAX,
    }));
    let (path, act, fuse) = (scenario.path, scenario.act.clone(), Arc::clone(&left));
    let proxy = Proxy::before(&chat.url(), move |called, _| {
        let burns = called.ends_with(path)
            && fuse
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                    left.checked_sub(1)
                })
                .is_ok();
        if burns { act.clone() } else { Act::Pass }
    })
    .await;
    let address = match scenario.address.as_deref() {
        Some("https") => proxy.url().replace("http://", "https://"),
        Some(address) => address.to_owned(),
        None => proxy.url(),
    };
    let product = Sut::start(&Settings::with(&chat).set("ROCKETCHAT_URL", &address));
    let delivery = push("the-one");
    let began = Instant::now();
    let answer = product
        .post(&delivery)
        .await
        .map_err(|error| format!("{}: {error}", scenario.name))?;
    let took = began.elapsed();
    let stored = chat.messages().len();
    left.store(0, Ordering::Relaxed);
    // What was wrong with the address is repaired by whoever set it.
    let repaired = Sut::start(&Settings::with(&chat).set("ROCKETCHAT_URL", proxy.url()));
    let again = repaired
        .post(&delivery)
        .await
        .map_or(0, |answer| answer.status);
    let at_last = chat.messages().len();
    let violations = chat.violations();
    chat.mark_all_read();
    chat.expect_violation();
    let right = answer.status == scenario.status
        && scenario.messages.is_none_or(|messages| messages == stored)
        && (again, at_last) == (200, 1)
        && took < LONGEST
        && violations.is_empty();
    let found = format!(
        "{}: answered {} ({}) after {took:?} with {stored} messages, then {again} with {at_last} {violations:?}",
        scenario.name,
        answer.status,
        answer.text()
    );
    right.then_some(took).ok_or(found)
}
