//! Check `stdout-stopped`: the reader of standard output stops, as a blocked log collector does. Owns the
//! number of webhooks, and what must still work.

use std::time::{Duration, Instant};

use fakes::gitlab::{Delivery, SAMPLE_KEY};
use fakes::rocketchat::FakeRocketChat;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time;

use crate::check::{CheckReport, Size, run};
use crate::sockets::request_bytes;
use crate::sut::{Settings, Sut};

/// Connections on which webhooks are sent.
const CONNECTIONS: usize = 4;

/// For one response. Without a queue, the first few hundred webhooks block the process.
const TIMEOUT: Duration = Duration::from_secs(2);

/// The timeout of a probe.
const PROBE_TIMEOUT: Duration = Duration::from_millis(100);

/// From SIGTERM to the exit: nothing is in progress, and the last lines are waited for in vain for 1 s.
const EXIT_TIMEOUT: Duration = Duration::from_secs(3);

/// How long the lines that were kept may take once they are read.
const RECOVERY: Duration = Duration::from_secs(10);

/// Runs the check.
pub(crate) fn check(size: Size) -> CheckReport {
    run(measure(size.of(10_000, 30_000, 300_000)))
}

async fn measure(webhooks: usize) -> CheckReport {
    let mut report = CheckReport::default();
    let chat = FakeRocketChat::start().await;
    let mut sut = Sut::start(&Settings::with(&chat));
    sut.pause_output(true);
    let started = Instant::now();
    let answered = send(&sut, webhooks).await;
    let took = started.elapsed();
    report.expect(answered == webhooks, || {
        format!("{answered} of {webhooks} webhooks answered")
    });
    let probed = Instant::now();
    let probe = time::timeout(PROBE_TIMEOUT, sut.probe("/healthz")).await;
    let probed = probed.elapsed();
    report.expect(probe == Ok(Some(200)), || format!("a probe got {probe:?}"));
    let dropped = sut.counter("webhook_log_lines_dropped_total").await;
    report.expect(dropped > 0, || "no dropped lines were counted".to_owned());
    sut.pause_output(false);
    let reported = time::timeout(RECOVERY, reported(&sut)).await;
    report.expect(reported == Ok(dropped), || {
        format!("{dropped} lines were dropped, and the log says {reported:?}")
    });
    sut.pause_output(true);
    send(&sut, webhooks / 2).await;
    let stopped = Instant::now();
    sut.terminate();
    let exit = sut.wait_for_exit(EXIT_TIMEOUT).await;
    let stopped = stopped.elapsed();
    report.expect(exit.is_some_and(|exit| exit.success()), || {
        format!("{exit:?} within {EXIT_TIMEOUT:?} after SIGTERM")
    });
    sut.pause_output(false);
    chat.mark_all_read();
    report.workload(format!(
        "{webhooks} webhooks while nobody reads standard output, then reading resumes, then SIGTERM while it has stopped again"
    ));
    report.measurement(format!(
        "{answered} answered in {:.1} s, {dropped} lines dropped and reported, probe {} ms, exit {:.1} s after SIGTERM",
        took.as_secs_f64(),
        probed.as_millis(),
        stopped.as_secs_f64()
    ));
    report
}

/// Sends webhooks whose log lines are long; returns how many were answered.
async fn send(sut: &Sut, webhooks: usize) -> usize {
    let ignored = Delivery::new("Wiki Page Hook", r#"{"object_kind":"unheard_of"}"#);
    let request = request_bytes(&ignored.id(&"k".repeat(255)).signed_with(SAMPLE_KEY));
    let mut senders = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (address, request) = (sut.address(), request.clone());
        senders.spawn(async move {
            let mut answered = 0;
            let Ok(mut stream) = TcpStream::connect(address).await else {
                return answered;
            };
            while answered < webhooks / CONNECTIONS {
                let exchange = async {
                    stream.write_all(&request).await.ok()?;
                    let mut response = [0; 1024];
                    let read = stream.read(&mut response).await.ok()?;
                    response[..read].starts_with(b"HTTP/1.1 204 ").then_some(())
                };
                if !matches!(time::timeout(TIMEOUT, exchange).await, Ok(Some(()))) {
                    break;
                }
                answered += 1;
            }
            answered
        });
    }
    senders.join_all().await.into_iter().sum()
}

/// Waits for the line that tells how many are missing.
async fn reported(sut: &Sut) -> u64 {
    loop {
        let dropped = sut.output().iter().rev().take(100).find_map(|line| {
            let line: Value = serde_json::from_str(line).ok()?;
            line["dropped"].as_u64()
        });
        if let Some(dropped) = dropped {
            return dropped;
        }
        time::sleep(Duration::from_millis(20)).await;
    }
}
