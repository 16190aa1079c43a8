//! Check `http2`: HTTP/2 connections and attacks are rejected immediately and cheaply. Owns the frames.

use std::time::{Duration, Instant};

use fakes::rocketchat::FakeRocketChat;
use tokio::task::JoinSet;

use crate::check::{CheckReport, Size, run};
use crate::sockets::send_raw;
use crate::sut::{Sut, push};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The maximum CPU time per rejection. Unlike CPU utilisation it does not depend on how busy the
/// machine is.
const MAX_CPU_TIME: Duration = Duration::from_millis(5);

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
pub(crate) fn check(size: Size) -> CheckReport {
    run(rejections(size.seconds(2, 10, 60), size.of(40, 100, 1000)))
}

async fn rejections(lasting: Duration, counted: u32) -> CheckReport {
    let mut report = CheckReport::default();
    let chat = FakeRocketChat::start().await;
    let sut = Sut::for_chat(&chat);
    let mut measurements = Vec::new();
    for (name, bytes) in attacks() {
        let one = send_raw(&sut.address(), &bytes, Duration::from_secs(5)).await;
        let upgrade = name == "upgrade";
        // An upgrade request may be ignored; the response is then plain HTTP/1.1.
        report.expect(upgrade || one.closed, || format!("{name}: still open"));
        report.expect(upgrade || one.took < Duration::from_millis(100), || {
            format!(
                "{name}: rejected after {:?}, expected less than 100 ms",
                one.took
            )
        });
        report.expect(
            !one.text.contains("101 ") && (upgrade || !one.statuses().contains(&200)),
            || format!("{name}: {:.60}", one.text),
        );
        let spent = sut.processor_time();
        for _ in 0..counted {
            send_raw(&sut.address(), &bytes, Duration::from_millis(500)).await;
        }
        let each = sut.processor_time().saturating_sub(spent) / counted;
        report.expect(each < MAX_CPU_TIME, || {
            format!("{name}: {each:?} CPU time per rejection, expected less than {MAX_CPU_TIME:?}")
        });
        let (began, spent) = (Instant::now(), sut.processor_time());
        let mut attackers = JoinSet::new();
        for _ in 0..4 {
            let (address, bytes) = (sut.address(), bytes.clone());
            attackers.spawn(async move {
                loop {
                    send_raw(&address, &bytes, Duration::from_millis(500)).await;
                    // Limits the rate: the check is not about the maximum number of connections per second.
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            });
        }
        tokio::time::sleep(lasting).await;
        let valid = sut
            .post(&push(&name.replace([' ', ','], "-")))
            .await
            .map_or(0, |response| response.status);
        attackers.shutdown().await;
        let share = sut.processor_time().saturating_sub(spent).as_secs_f64() * 100.0
            / began.elapsed().as_secs_f64();
        report.expect(valid == 200, || {
            format!("{name}: a valid webhook got {valid}")
        });
        report.expect(share < 20.0, || {
            format!("{name}: {share:.0} % CPU utilisation, expected less than 20 %")
        });
        measurements.push(format!("{name} {} µs, {share:.0} %", each.as_micros()));
    }
    chat.mark_all_read();
    report.workload(format!(
        "{} kinds of HTTP/2 requests × {} s at 40 connections/s",
        attacks().len(),
        lasting.as_secs()
    ));
    report.measurement(format!(
        "CPU time per rejection and CPU utilisation: {}",
        measurements.join("; ")
    ));
    report
}
