//! Check `http2`: HTTP/2 in every disguise is refused at once and costs nothing. Owns the frames.

use std::time::{Duration, Instant};

use fakes::rocketchat::FakeRocketChat;
use tokio::task::JoinSet;

use crate::check::{Finding, Size, run};
use crate::sockets::say;
use crate::sut::{Sut, push};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Processor time that one refusal may cost. Unlike a share of a processor it is the same however
/// busy the machine is.
const MOST_PER_REFUSAL: Duration = Duration::from_millis(5);

/// One frame: length, type, flags, stream, payload.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len())
        .unwrap_or_default()
        .to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

fn attacks() -> Vec<(&'static str, Vec<u8>)> {
    let settings = frame(4, 0, 0, &[]);
    let headers = frame(1, 4, 1, &[0x82, 0x84, 0x86]);
    let with = |frames: Vec<u8>| [PREFACE, &settings, &frames].concat();
    let resets: Vec<u8> = (0..10_000_u32)
        .flat_map(|number| {
            [
                frame(1, 4, number * 2 + 1, &[0x82, 0x84, 0x86]),
                frame(3, 0, number * 2 + 1, &[0, 0, 0, 8]),
            ]
            .concat()
        })
        .collect();
    let continuations = [
        frame(1, 0, 1, &[0x82]),
        frame(9, 0, 1, &[0; 100]).repeat(10_000),
    ]
    .concat();
    let empty_data = [headers, frame(0, 0, 1, &[]).repeat(10_000)].concat();
    let upgrade = "GET / HTTP/1.1\r\nHost: test\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\r\n";
    vec![
        ("preface", PREFACE.to_vec()),
        ("upgrade", upgrade.as_bytes().to_vec()),
        ("10,000 resets", with(resets)),
        ("10,000 continuations", with(continuations)),
        ("10,000 empty data frames", with(empty_data)),
    ]
}

/// Runs the check.
pub(crate) fn check(size: Size) -> Finding {
    run(refusals(size.seconds(2, 10, 60), size.of(40, 100, 1000)))
}

async fn refusals(lasting: Duration, counted: u32) -> Finding {
    let mut finding = Finding::default();
    let chat = FakeRocketChat::start().await;
    let product = Sut::beside(&chat);
    let mut figures = Vec::new();
    for (name, bytes) in attacks() {
        let one = say(&product.address(), &bytes, Duration::from_secs(5)).await;
        let upgrade = name == "upgrade";
        // An offer to upgrade may be passed over; the answer is then plain HTTP/1.1.
        finding.expect(upgrade || one.closed, || format!("{name}: still open"));
        finding.expect(upgrade || one.took < Duration::from_millis(100), || {
            format!("{name}: refused after {:?}", one.took)
        });
        finding.expect(
            !one.text.contains("101 ") && (upgrade || !one.statuses().contains(&200)),
            || format!("{name}: {:.60}", one.text),
        );
        let spent = product.processor_time();
        for _ in 0..counted {
            say(&product.address(), &bytes, Duration::from_millis(500)).await;
        }
        let each = product.processor_time().saturating_sub(spent) / counted;
        finding.expect(each < MOST_PER_REFUSAL, || {
            format!("{name}: {each:?} of a processor for each refusal")
        });
        let (began, spent) = (Instant::now(), product.processor_time());
        let mut attackers = JoinSet::new();
        for _ in 0..4 {
            let (address, bytes) = (product.address(), bytes.clone());
            attackers.spawn(async move {
                loop {
                    say(&address, &bytes, Duration::from_millis(500)).await;
                    // The check is for so many connections a second, not for as many as there may be.
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            });
        }
        tokio::time::sleep(lasting).await;
        let honest = product
            .post(&push(&name.replace([' ', ','], "-")))
            .await
            .map_or(0, |answer| answer.status);
        attackers.shutdown().await;
        let share = product.processor_time().saturating_sub(spent).as_secs_f64() * 100.0
            / began.elapsed().as_secs_f64();
        finding.expect(honest == 200, || {
            format!("{name}: an honest webhook was answered {honest}")
        });
        finding.expect(share < 20.0, || {
            format!("{name}: {share:.0} % of a processor")
        });
        figures.push(format!("{} µs and {share:.0} %", each.as_micros()));
    }
    chat.mark_all_read();
    finding.done(format!(
        "{} kinds of HTTP/2 × {} s, 40 connections a second",
        attacks().len(),
        lasting.as_secs()
    ));
    finding.figure(format!(
        "all refused; processor time for each, and share of one: {}",
        figures.join(", ")
    ));
    finding
}
