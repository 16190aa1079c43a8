//! Check `rolling-restart`: restarts replicas one after the other behind haproxy under load, as a rolling
//! update does. Owns the reverse proxy and the order of the restarts.

use std::fmt::Write as _;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fakes::rocketchat::FakeRocketChat;
use tokio::time;

use crate::check::{CheckReport, Size, run};
use crate::load::constant_rate;
use crate::proxy::Proxy;
use crate::sut::{Settings, Sut, push};

const RATE: u64 = 100;

/// Seconds: longer than two health checks of haproxy.
const LAME_DUCK: u64 = 1;

/// How long a replica may take to stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(12);

/// Latency of the chat server, so that a replica always has requests in flight when it is stopped.
const CHAT_LATENCY: Duration = Duration::from_millis(200);

/// Seconds per restart for which load is sent.
const SECONDS_PER_RESTART: u64 = 3;

/// A reverse proxy in front of webhook-app and its configuration file; stopped when dropped.
pub(crate) struct ReverseProxy(Child, std::path::PathBuf);

impl ReverseProxy {
    /// Starts haproxy in front of these ports and waits until it listens; `None` if it is not
    /// installed.
    pub(crate) async fn haproxy(port: u16, backends: &[(u16, u16)]) -> Option<Self> {
        Self::haproxy_with("option redispatch", port, backends).await
    }

    /// Like that one, but it also sends a request to another replica if the connection breaks before a response.
    pub(crate) async fn haproxy_that_resends(port: u16, backends: &[(u16, u16)]) -> Option<Self> {
        let options = "option redispatch 1\n  retry-on conn-failure empty-response";
        Self::haproxy_with(options, port, backends).await
    }

    async fn haproxy_with(options: &str, port: u16, backends: &[(u16, u16)]) -> Option<Self> {
        let mut servers = String::new();
        for (number, (port, probes)) in backends.iter().enumerate() {
            let _ = writeln!(
                servers,
                "  server replica{number} 127.0.0.1:{port} check port {probes} inter 150ms fall 1 rise 1"
            );
        }
        let text = format!(
            "global\n  maxconn 2000\ndefaults\n  mode http\n  timeout connect 2s\n  timeout client 15s\n  timeout server 15s\n  retries 3\n  {options}\nfrontend hooks\n  bind 127.0.0.1:{port}\n  default_backend replicas\nbackend replicas\n  balance roundrobin\n  option httpchk GET /readyz\n{servers}"
        );
        let file = std::env::temp_dir().join(format!("system-tests-haproxy-{port}.cfg"));
        std::fs::write(&file, text).expect("a temporary file can be written");
        let mut command = Command::new("haproxy");
        command.arg("-db").arg("-f").arg(&file);
        Self::start(&mut command, file, port).await
    }

    /// Starts any reverse proxy and waits until it listens; `None` if it is not installed.
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
        let reverse_proxy = Self(child, file);
        for _ in 0..200 {
            if tokio::net::TcpStream::connect(("127.0.0.1", port))
                .await
                .is_ok()
            {
                return Some(reverse_proxy);
            }
            time::sleep(Duration::from_millis(20)).await;
        }
        None
    }
}

impl Drop for ReverseProxy {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
        let _ = std::fs::remove_file(&self.1);
    }
}

/// A port that is free now, for a replica that keeps its port over restarts.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("is bound").port()
}

/// Runs the check.
pub(crate) fn check(size: Size) -> CheckReport {
    run(restarts(size.of(4, 20, 100)))
}

async fn restarts(count: u64) -> CheckReport {
    let mut report = CheckReport::default();
    let chat = FakeRocketChat::start().await;
    let ports: Vec<(u16, u16)> = (0..2).map(|_| (free_port(), free_port())).collect();
    let proxy = Proxy::with_latency(&chat.url(), CHAT_LATENCY).await;
    let start = |(port, probes): (u16, u16)| {
        let settings = Settings::with(&chat)
            .set("ROCKETCHAT_URL", proxy.url())
            .set("PORT", port)
            .set("METRICS_PORT", probes);
        Sut::start(&settings.set("LAME_DUCK_SECONDS", LAME_DUCK))
    };
    let mut replicas: Vec<_> = ports.iter().map(|&ports| start(ports)).collect();
    let reverse_proxy_port = free_port();
    let Some(_reverse_proxy) = ReverseProxy::haproxy(reverse_proxy_port, &ports).await else {
        return CheckReport::not_run_without("haproxy", "on Debian `apt-get install haproxy`");
    };
    let url = format!("http://127.0.0.1:{reverse_proxy_port}/webhook");
    // Wait until the health checks of haproxy have succeeded.
    time::sleep(Duration::from_millis(600)).await;
    let load = constant_rate(
        RATE,
        Duration::from_secs(count * SECONDS_PER_RESTART + 2),
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
            let exit = replicas[index].wait_for_exit(STOP_TIMEOUT).await;
            slowest = slowest.max(stopping.elapsed());
            if !exit.is_some_and(|status| status.success()) {
                break;
            }
            replicas[index] = start(ports[index]);
            // Wait until its health check has succeeded again.
            time::sleep(Duration::from_millis(600)).await;
            done += 1;
        }
        (slowest, done, began.elapsed())
    };
    let (attempts, (slowest, done, took)) = tokio::join!(load, rolling);
    report.expect(done == count, || {
        format!("restart {done}: the replica did not exit with success within {STOP_TIMEOUT:?}")
    });
    report.expect(took.as_secs() < count * SECONDS_PER_RESTART + 2, || {
        format!("the restarts took longer than the load: {took:?}")
    });
    let failed: Vec<u16> = attempts
        .iter()
        .map(|attempt| attempt.status)
        .filter(|&status| status != 200)
        .collect();
    report.expect(failed.is_empty(), || {
        format!(
            "{} failed with statuses {:?}",
            failed.len(),
            &failed[..failed.len().min(8)]
        )
    });
    let stored = chat.messages().len();
    report.expect(stored == attempts.len(), || {
        format!("{} posts, {stored} messages", attempts.len())
    });
    chat.mark_all_read();
    report.workload(format!(
        "{count} restarts of 2 replicas behind haproxy, {} ms chat latency, {} posts at {RATE}/s",
        CHAT_LATENCY.as_millis(),
        attempts.len()
    ));
    report.measurement(format!(
        "{} failed; {stored} messages; slowest stop {:.1} s",
        failed.len(),
        slowest.as_secs_f64()
    ));
    report
}
