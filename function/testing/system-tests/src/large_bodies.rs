//! Check `large-bodies`: bodies that are large, or that are expensive to parse. Owns the payloads.

use std::fmt::Write as _;
use std::time::Duration;

use fakes::gitlab::{Delivery, SAMPLE_KEY};
use fakes::rocketchat::FakeRocketChat;
use tokio::task::JoinSet;
use tokio::time;

use crate::check::{CheckReport, Size, run};
use crate::sut::{Settings, Sut, post, push};

const MIB: usize = 1 << 20;

/// Name, delivery and expected response status.
fn payloads() -> Vec<(&'static str, Delivery, u16)> {
    let body = |body: Vec<u8>| Delivery::new("Push Hook", body).signed_with(SAMPLE_KEY);
    let mut keys = String::new();
    for number in 0..1_000_000 {
        let _ = write!(keys, "\"{number}\":0,");
    }
    let sample = String::from_utf8_lossy(Delivery::push_sample().body()).into_owned();
    let inside = |value: &str| {
        sample
            .replacen('{', &format!("{{\"extra\":{value},"), 1)
            .into_bytes()
    };
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    // The start of a gzip stream that would unpack to a gigabyte.
    let packed = [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3][..], &vec![0xed; MIB]].concat();
    vec![
        ("depth 100,000", body(deep.clone().into_bytes()), 204),
        ("depth 100,000 in a push", body(inside(&deep)), 200),
        (
            "objects 100,000 deep",
            body("{\"a\":".repeat(100_000).into_bytes()),
            400,
        ),
        (
            "a million keys",
            body(inside(&format!("{{{keys}\"x\":0}}"))),
            200,
        ),
        (
            "a number of a million digits",
            body(inside(&"9".repeat(1_000_000))),
            200,
        ),
        (
            "an exponent of a million digits",
            body(inside(&format!("1e{}", "9".repeat(1_000_000)))),
            200,
        ),
        (
            "a text of 24 MiB",
            body(inside(&format!("\"{}\"", "x".repeat(24 * MIB)))),
            200,
        ),
        (
            "a text of 4 million escapes",
            body(inside(&format!("\"{}\"", "\\u0041".repeat(4_000_000)))),
            200,
        ),
        (
            "a million commits",
            body(
                sample
                    .replace(
                        "\"commits\": [",
                        &format!("\"commits\": [{}", "{},".repeat(1_000_000)),
                    )
                    .into_bytes(),
            ),
            200,
        ),
        ("gzip", body(packed).header("Content-Encoding", "gzip"), 415),
        ("26 MiB", body(vec![b' '; 26 * MIB]), 413),
        (
            "a header of 60 KiB",
            push("x").header("X-Large", "x".repeat(60 * 1024)),
            431,
        ),
        (
            "1,000 headers",
            (0..1000).fold(push("y"), |push, number| {
                push.header(&format!("X-{number}"), "x")
            }),
            431,
        ),
    ]
}

/// Runs the check.
pub(crate) fn check(_: Size) -> CheckReport {
    run(post_all())
}

async fn post_all() -> CheckReport {
    let mut report = CheckReport::default();
    let chat = FakeRocketChat::start().await;
    let mut sut = Sut::start(&Settings::with(&chat));
    let mut statuses = Vec::new();
    for (name, delivery, expected) in payloads() {
        let response = time::timeout(Duration::from_secs(10), sut.post(&delivery)).await;
        let found = response.map(|response| response.map(|response| response.status));
        statuses.push(match found {
            Ok(Ok(status)) => status.to_string(),
            _ => "none".to_owned(),
        });
        report.expect(
            matches!(found, Ok(Ok(status)) if status == expected),
            || format!("{name}: expected {expected}, found {found:?}"),
        );
        report.expect(sut.is_running(), || {
            format!("{name}: the process has exited")
        });
    }
    let many = many_large(&sut).await;
    for status in &many {
        report.expect(
            [0, 200, 204, 400, 401, 408, 413, 503].contains(status),
            || format!("64 × 25 MiB: {status}"),
        );
    }
    let after = sut
        .post(&push("after"))
        .await
        .map_or(0, |response| response.status);
    report.expect(after == 200 && sut.is_running(), || {
        format!("a valid webhook afterwards got {after}")
    });
    let peak = sut.peak_kib() / 1024;
    report.expect(peak <= 160, || {
        format!("peak memory {peak} MiB, expected at most 160")
    });
    chat.mark_all_read();
    report.workload(format!(
        "{} payloads (responses {}), then 64 × 25 MiB at once",
        statuses.len(),
        statuses.join(" ")
    ));
    report.measurement(format!("peak memory {peak} MiB; still running"));
    report
}

async fn many_large(sut: &Sut) -> Vec<u16> {
    let large = Delivery::new("Push Hook", vec![b' '; 25 * MIB]).signed_with(SAMPLE_KEY);
    let mut senders = JoinSet::new();
    for _ in 0..64 {
        let (large, url) = (large.clone(), sut.url());
        senders.spawn(async move {
            let response = time::timeout(Duration::from_secs(30), post(&large, &url)).await;
            response.map_or(1, |response| response.map_or(0, |response| response.status))
        });
    }
    senders.join_all().await
}
