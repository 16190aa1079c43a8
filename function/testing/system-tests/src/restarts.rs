//! Check `rolling-restart`: replicas are replaced one after the other behind haproxy, as a rolling update does, under
//! load. Owns the front and the order of the restarts.

use std::fmt::Write as _;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fakes::rocketchat::FakeRocketChat;
use tokio::time;

use crate::check::{Finding, Size, run};
use crate::load::steady;
use crate::proxy::Proxy;
use crate::sut::{Settings, Sut, push};

const RATE: u64 = 100;

/// Two checks of the front, and some more.
const LAME_DUCK: u64 = 1;

/// A process that takes longer to end was killed by Kubernetes long before.
const LONGEST_END: Duration = Duration::from_secs(12);

/// How long the chat server takes for an answer: when a replica is told to end, there is always
/// something under way in it.
const CALL: Duration = Duration::from_millis(200);

/// How long one restart may take altogether; what the load is planned for.
const ONE_RESTART: u64 = 3;

/// A front in the way of the function; ended when dropped.
pub(crate) struct Front(Child, std::path::PathBuf);

impl Front {
    /// Starts haproxy before these ports and waits until it takes connections; `None` where there
    /// is no haproxy.
    pub(crate) async fn haproxy(port: u16, behind: &[(u16, u16)]) -> Option<Self> {
        let mut servers = String::new();
        for (number, (port, probes)) in behind.iter().enumerate() {
            let _ = writeln!(
                servers,
                "  server replica{number} 127.0.0.1:{port} check port {probes} inter 150ms fall 1 rise 1"
            );
        }
        let text = format!(
            "global\n  maxconn 2000\ndefaults\n  mode http\n  timeout connect 2s\n  timeout client 15s\n  timeout server 15s\n  retries 3\n  option redispatch\nfrontend hooks\n  bind 127.0.0.1:{port}\n  default_backend replicas\nbackend replicas\n  balance roundrobin\n  option httpchk GET /readyz\n{servers}"
        );
        let file = std::env::temp_dir().join(format!("prove-haproxy-{port}.cfg"));
        std::fs::write(&file, text).expect("the temporary folder takes files");
        let mut command = Command::new("haproxy");
        command.arg("-db").arg("-f").arg(&file);
        Self::start(&mut command, file, port).await
    }

    /// Starts a front of another kind.
    pub(crate) async fn start(
        command: &mut Command,
        file: std::path::PathBuf,
        port: u16,
    ) -> Option<Self> {
        let child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .stdin(Stdio::null())
            .spawn()
            .ok()?;
        let front = Self(child, file);
        for _ in 0..200 {
            if tokio::net::TcpStream::connect(("127.0.0.1", port))
                .await
                .is_ok()
            {
                return Some(front);
            }
            time::sleep(Duration::from_millis(20)).await;
        }
        None
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
        let _ = std::fs::remove_file(&self.1);
    }
}

/// A port that is free now and stays the same over restarts.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("is bound").port()
}

/// Runs the check.
pub(crate) fn check(size: Size) -> Finding {
    run(restarts(size.of(4, 20, 100)))
}

async fn restarts(count: u64) -> Finding {
    let mut finding = Finding::default();
    let chat = FakeRocketChat::start().await;
    let ports: Vec<(u16, u16)> = (0..2).map(|_| (free_port(), free_port())).collect();
    let proxy = Proxy::slow(&chat.url(), CALL).await;
    let start = |(port, probes): (u16, u16)| {
        let settings = Settings::with(&chat)
            .set("ROCKETCHAT_URL", proxy.url())
            .set("PORT", port)
            .set("METRICS_PORT", probes);
        Sut::start(&settings.set("LAME_DUCK_SECONDS", LAME_DUCK))
    };
    let mut replicas: Vec<_> = ports.iter().map(|&ports| start(ports)).collect();
    let front_port = free_port();
    let Some(_front) = Front::haproxy(front_port, &ports).await else {
        return Finding::without("haproxy", "on Debian `apt-get install haproxy`");
    };
    let url = format!("http://127.0.0.1:{front_port}/webhook");
    // Checks need a moment to find both replicas well.
    time::sleep(Duration::from_millis(600)).await;
    let load = steady(
        RATE,
        Duration::from_secs(count * ONE_RESTART + 2),
        |number| vec![(push(&format!("restart-{number}")), url.clone())],
    );
    let rolling = async {
        let mut slowest = Duration::ZERO;
        let mut done = 0;
        let began = Instant::now();
        for number in 0..count {
            let index = (number % 2) as usize;
            let stopping = Instant::now();
            replicas[index].terminate();
            let ended = replicas[index].ended(LONGEST_END).await;
            slowest = slowest.max(stopping.elapsed());
            if !ended.is_some_and(|status| status.success()) {
                break;
            }
            replicas[index] = start(ports[index]);
            // Until the front has found it well again.
            time::sleep(Duration::from_millis(600)).await;
            done += 1;
        }
        (slowest, done, began.elapsed())
    };
    let (shots, (slowest, done, took)) = tokio::join!(load, rolling);
    finding.expect(done == count, || {
        format!("restart {done} did not end with success within {LONGEST_END:?}")
    });
    finding.expect(took.as_secs() < count * ONE_RESTART + 2, || {
        format!("the restarts outlasted the load: {took:?}")
    });
    let failed: Vec<u16> = shots
        .iter()
        .map(|shot| shot.status)
        .filter(|&status| status != 200)
        .collect();
    finding.expect(failed.is_empty(), || {
        format!(
            "{} failed: {:?}",
            failed.len(),
            &failed[..failed.len().min(8)]
        )
    });
    let stored = chat.messages().len();
    finding.expect(stored == shots.len(), || {
        format!("{} posts, {stored} messages", shots.len())
    });
    chat.mark_all_read();
    finding.done(format!(
        "{count} restarts of 2 replicas behind haproxy at {RATE}/s of {} ms each, {} posts",
        CALL.as_millis(),
        shots.len()
    ));
    finding.figure(format!(
        "{} failed; {stored} messages; slowest end {:.1} s",
        failed.len(),
        slowest.as_secs_f64()
    ));
    finding
}
