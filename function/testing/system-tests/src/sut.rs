//! The system under test: webhook-app as a child process. Starts, stops and queries it, and passes
//! all its output and responses to [`secret_scan`].

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use fakes::exchange::{Response, exchange};
use fakes::gitlab::{Delivery, SAMPLE_KEY};
use fakes::rocketchat::FakeRocketChat;
use serde_json::Value;

use crate::secret_scan;

/// How long it may take to start.
const START_TIMEOUT: Duration = Duration::from_secs(10);

/// The path of the program: the one that `WEBHOOK_APP` names, to compare two versions, or else the
/// one that Cargo builds into the same folder as this one.
pub(crate) fn program() -> PathBuf {
    #[expect(
        clippy::disallowed_methods,
        reason = "chooses the program under test; its settings come from the checks"
    )]
    let named = std::env::var_os("WEBHOOK_APP");
    if let Some(named) = named {
        return named.into();
    }
    let this = std::env::current_exe().expect("has a path");
    this.with_file_name("webhook-app")
}

/// Settings of the program.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    variables: BTreeMap<String, String>,
    max_descriptors: Option<usize>,
    resolver: Option<PathBuf>,
}

impl Settings {
    /// Settings to verify signatures and send messages to `chat`, on free ports.
    pub(crate) fn with(chat: &FakeRocketChat) -> Self {
        let settings = Self {
            variables: fakes::settings(chat),
            max_descriptors: None,
            resolver: None,
        };
        settings
            .set("PORT", 0)
            .set("METRICS_PORT", 0)
            .set("LAME_DUCK_SECONDS", 0)
            .set("LOG_FORMAT", "json")
    }

    /// Sets one variable; an empty value removes it.
    pub(crate) fn set(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        let value = value.to_string();
        if value.is_empty() {
            self.variables.remove(name);
        } else {
            self.variables.insert(name.to_owned(), value);
        }
        self
    }

    /// Limits the number of file descriptors.
    pub(crate) fn max_descriptors(mut self, limit: usize) -> Self {
        self.max_descriptors = Some(limit);
        self
    }

    /// Replaces `/etc/resolv.conf`, for this process only. Needs root.
    pub(crate) fn resolver(mut self, file: &Path) -> Self {
        self.resolver = Some(file.to_owned());
        self
    }

    /// Runs it with these arguments and this input; returns its exit status, 124 if it does not exit by itself,
    /// and its output.
    pub(crate) fn output(&self, arguments: &[&str], input: &[u8]) -> (Option<i32>, String) {
        let mut command = self.command("timeout --foreground 60 ");
        command.args(arguments).stdin(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        // Fails if the program does not read its input.
        let _ = child.stdin.take().expect("is piped").write_all(input);
        let result = child.wait_with_output().expect("exits");
        let output = [result.stdout, result.stderr].concat();
        let text = String::from_utf8_lossy(&output).into_owned();
        secret_scan::scan(&text);
        (result.status.code(), text)
    }

    /// `before` is a command that runs it, or empty.
    fn command(&self, before: &str) -> Command {
        let limit = self.max_descriptors.unwrap_or(4096);
        let mut script = format!("ulimit -n {limit} && exec {before}\"$0\" \"$@\"");
        let mut shell = Command::new("/bin/sh");
        if let Some(resolver) = &self.resolver {
            let resolver = resolver.display();
            script = format!("mount --bind {resolver} /etc/resolv.conf && {script}");
            shell = Command::new("/usr/bin/unshare");
            shell.args(["--mount", "/bin/sh"]);
        }
        shell
            .args(["-c", &script])
            .arg(program())
            .env_clear()
            .envs(&self.variables)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        shell
    }
}

/// The running program; killed when dropped.
#[derive(Debug)]
pub(crate) struct Sut {
    child: Child,
    /// The port for webhooks.
    pub(crate) port: u16,
    /// The port for probes and metrics.
    pub(crate) admin_port: u16,
    output: Arc<Mutex<Vec<String>>>,
    is_paused: Arc<AtomicBool>,
    /// From the start until it logged its ports.
    pub(crate) start_time: Duration,
}

impl Sut {
    /// Starts it and waits until it listens.
    pub(crate) fn start(settings: &Settings) -> Self {
        let started = Instant::now();
        let mut child = settings.command("").spawn().unwrap_or_else(|error| {
            panic!(
                "{} does not start: {error}; build it with `cargo build --release -p webhook-app`",
                program().display()
            )
        });
        let (output, is_paused) = (Arc::default(), Arc::default());
        let (announce, announced) = channel();
        read(
            child.stdout.take().expect("is piped"),
            &output,
            &is_paused,
            Some(announce),
        );
        let error = child.stderr.take().expect("is piped");
        read(error, &output, &Arc::default(), None);
        let (port, admin_port) = ports(&announced, &output);
        Self {
            child,
            port,
            admin_port,
            output,
            is_paused,
            start_time: started.elapsed(),
        }
    }

    /// Starts it with the default settings for `chat`.
    pub(crate) fn for_chat(chat: &FakeRocketChat) -> Self {
        Self::start(&Settings::with(chat))
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/webhook", self.address())
    }

    /// Posts a delivery as GitLab would.
    pub(crate) async fn post(&self, delivery: &Delivery) -> std::io::Result<Response> {
        post(delivery, &self.url()).await
    }

    /// The status of a probe on the admin port.
    pub(crate) async fn probe(&self, path: &str) -> Option<u16> {
        let url = format!("http://127.0.0.1:{}{path}", self.admin_port);
        let response = exchange("GET", &url, &[], b"").await.ok()?;
        secret_scan::scan(&response.text());
        Some(response.status)
    }

    /// The value of a counter without labels.
    pub(crate) async fn counter(&self, name: &str) -> u64 {
        let url = format!("http://127.0.0.1:{}/metrics", self.admin_port);
        let page = exchange("GET", &url, &[], b"").await;
        let page = page.expect("the metrics are served").text();
        let value = page
            .lines()
            .find_map(|line| line.strip_prefix(name)?.split_whitespace().next_back());
        let value = value.and_then(|value| value.parse().ok());
        value.unwrap_or_else(|| panic!("expected the metric {name}, found {page:.200}"))
    }

    /// Kills it with SIGKILL, as the kernel does when memory runs out, and waits for its exit.
    pub(crate) fn kill(&mut self) {
        let _already_exited = self.child.kill();
        let _ = self.child.wait();
    }

    /// Sends SIGKILL without waiting for its exit.
    pub(crate) fn send_kill(&self) {
        self.signal("-KILL");
    }

    /// Sends SIGTERM, as Kubernetes does.
    pub(crate) fn terminate(&self) {
        self.signal("-TERM");
    }

    fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        let _ = Command::new("kill").args([signal, &id]).status();
    }

    /// Waits for its exit; `None` if it still runs after `within`.
    pub(crate) async fn wait_for_exit(&mut self, within: Duration) -> Option<ExitStatus> {
        let until = Instant::now() + within;
        while Instant::now() < until {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(status);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        None
    }

    /// Whether it has not exited.
    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Stops to read its standard output, or resumes.
    pub(crate) fn pause_output(&self, is_paused: bool) {
        self.is_paused.store(is_paused, Ordering::Relaxed);
    }

    /// The lines it has printed so far.
    pub(crate) fn output(&self) -> Vec<String> {
        self.output.lock().expect("no reader panics").clone()
    }

    /// The lines after the first `seen`; waits up to 200 ms for one.
    pub(crate) async fn output_since(&self, seen: usize) -> Vec<String> {
        for _ in 0..1000 {
            let lines = self.output.lock().expect("no reader panics")[seen..].to_vec();
            if !lines.is_empty() {
                return lines;
            }
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
        Vec::new()
    }

    /// The number of lines it has printed.
    pub(crate) fn lines(&self) -> usize {
        self.output.lock().expect("no reader panics").len()
    }

    /// Resident memory, in KiB.
    pub(crate) fn resident_kib(&self) -> u64 {
        self.status_kib("VmRSS:")
    }

    /// Peak resident memory, in KiB.
    pub(crate) fn peak_kib(&self) -> u64 {
        self.status_kib("VmHWM:")
    }

    /// Forgets the peak, so that [`Self::peak_kib`] is that of the time since.
    pub(crate) fn reset_peak(&self) {
        let file = format!("/proc/{}/clear_refs", self.child.id());
        std::fs::write(file, "5").expect("the kernel resets the peak of a child");
    }

    fn status_kib(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let number = line.and_then(|line| line.split_whitespace().next());
        number.and_then(|kib| kib.parse().ok()).unwrap_or_default()
    }

    /// The number of connections to the webhook port that the program has not closed.
    pub(crate) fn connections(&self) -> usize {
        let table = ["/proc/net/tcp", "/proc/net/tcp6"].map(std::fs::read_to_string);
        let here = format!(":{:04X}", self.port);
        let is_open = |line: &str| {
            let mut fields = line.split_whitespace().skip(1);
            let local = fields.next().is_some_and(|local| local.ends_with(&here));
            // ESTABLISHED, or CLOSE_WAIT: closed only by the client.
            local && matches!(fields.nth(1), Some("01" | "08"))
        };
        let lines = table.iter().flatten().flat_map(|table| table.lines());
        lines.filter(|line| is_open(line)).count()
    }

    /// CPU time used so far.
    pub(crate) fn processor_time(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()));
        let stat = stat.unwrap_or_default();
        // The process name in parentheses may contain spaces, so count fields after it.
        let fields = stat.rsplit(')').next().unwrap_or_default();
        let ticks = fields.split_whitespace().skip(11).take(2);
        let ticks: u64 = ticks.filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
        // The unit is 1/100 s (USER_HZ) on all common Linux systems.
        Duration::from_millis(ticks * 10)
    }
}

impl Drop for Sut {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Posts a delivery to a URL and scans the response for secrets.
pub(crate) async fn post(delivery: &Delivery, url: &str) -> std::io::Result<Response> {
    let response = delivery.try_post_to(url).await?;
    secret_scan::scan(&response.text());
    for (_, value) in &response.headers {
        secret_scan::scan(value);
    }
    Ok(response)
}

/// A signed push with this id.
pub(crate) fn push(id: &str) -> Delivery {
    Delivery::push_sample().id(id).signed_with(SAMPLE_KEY)
}

fn ports(announced: &Receiver<(u16, u16)>, output: &Arc<Mutex<Vec<String>>>) -> (u16, u16) {
    announced.recv_timeout(START_TIMEOUT).unwrap_or_else(|_| {
        let output = output.lock().map(|lines| lines.join("\n"));
        panic!(
            "the program does not listen: {}",
            output.unwrap_or_default()
        )
    })
}

/// Collects all lines, and sends the ports from the log line that has them.
fn read(
    from: impl Read + Send + 'static,
    output: &Arc<Mutex<Vec<String>>>,
    is_paused: &Arc<AtomicBool>,
    announce: Option<Sender<(u16, u16)>>,
) {
    let (output, is_paused) = (Arc::clone(output), Arc::clone(is_paused));
    thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            while is_paused.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(5));
            }
            secret_scan::scan(&line);
            let json: Value = serde_json::from_str(&line).unwrap_or_default();
            let port = json["port"]
                .as_u64()
                .and_then(|port| u16::try_from(port).ok());
            output.lock().expect("no reader panics").push(line);
            if let (Some(port), Some(announce)) = (port, &announce) {
                let ops = json["metrics_port"].as_u64().unwrap_or_default();
                let _ = announce.send((port, u16::try_from(ops).unwrap_or(port)));
            }
        }
    });
}
