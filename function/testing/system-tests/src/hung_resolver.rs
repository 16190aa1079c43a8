//! Check `hung-resolver`: SIGTERM while a name server does not answer. Owns the name server. Needs root,
//! which may open its port and replace `/etc/resolv.conf` for one process.

use std::net::UdpSocket;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use fakes::rocketchat::FakeRocketChat;

use crate::check::{CheckReport, Size, run};
use crate::sut::{Settings, Sut, push};

/// From SIGTERM to the exit: 1 s for a delivery and 1 s for its response, 2 s for the last spans, 1 s for
/// the last log lines, and slack.
const EXIT_TIMEOUT: Duration = Duration::from_secs(6);

/// How long the first question may take to arrive.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Runs the check.
pub(crate) fn check(_: Size) -> CheckReport {
    let Some((name_server, resolver)) = silent_name_server() else {
        return CheckReport::not_run_without(
            "root",
            "run as root, which may open port 53 and replace /etc/resolv.conf for one process",
        );
    };
    let report = run(measure(&name_server, &resolver));
    let _ = std::fs::remove_file(resolver);
    report
}

/// A name server that receives questions and answers none, and the file that names it.
fn silent_name_server() -> Option<(UdpSocket, PathBuf)> {
    let [.., high, low] = std::process::id().to_be_bytes();
    let address = format!("127.54.{high}.{low}");
    let socket = UdpSocket::bind((address.as_str(), 53)).ok()?;
    socket.set_read_timeout(Some(TIMEOUT)).ok()?;
    let file = std::env::temp_dir().join(format!("system-tests-resolv-{}", std::process::id()));
    let text = format!("nameserver {address}\noptions timeout:30 attempts:2\n");
    std::fs::write(&file, text).ok()?;
    Some((socket, file))
}

async fn measure(name_server: &UdpSocket, resolver: &std::path::Path) -> CheckReport {
    let mut report = CheckReport::default();
    let chat = FakeRocketChat::start().await;
    let settings = Settings::with(&chat)
        .set("ROCKETCHAT_URL", "http://chat.example.org")
        .set(
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "http://collector.example.org:4318",
        )
        .set("DELIVERY_TIMEOUT_SECONDS", 1)
        .resolver(resolver);
    let mut sut = Sut::start(&settings);
    let response = sut
        .post(&push("hung"))
        .await
        .map(|response| response.status);
    report.expect(matches!(response, Ok(503)), || {
        format!("a webhook got {response:?}, expected 503")
    });
    let asked = name_server.recv(&mut [0; 512]);
    report.expect(asked.is_ok(), || "the name server was not asked".to_owned());
    let started = Instant::now();
    sut.terminate();
    let exit = sut.wait_for_exit(EXIT_TIMEOUT).await;
    let took = started.elapsed();
    report.expect(exit.is_some_and(|exit| exit.success()), || {
        format!("{exit:?} within {EXIT_TIMEOUT:?} after SIGTERM")
    });
    report.workload("SIGTERM while look-ups of Rocket.Chat and of the collector hang");
    report.measurement(format!("exit after {:.1} s", took.as_secs_f64()));
    report
}
