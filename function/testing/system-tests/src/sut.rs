//! The program under test as a child process. Owns starting, killing and asking it; everything it
//! prints and answers passes by [`secret_scan`] on the way.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use fakes::exchange::{Response, exchange};
use fakes::gitlab::{Delivery, SAMPLE_KEY};
use fakes::rocketchat::FakeRocketChat;
use serde_json::Value;

use crate::secret_scan;

/// A start that takes longer than this is none.
const PATIENCE: Duration = Duration::from_secs(10);

/// The program, which is built into our folder.
pub(crate) fn program() -> PathBuf {
    let ours = std::env::current_exe().expect("knows its own place");
    ours.with_file_name("webhook-app")
}

/// Settings of the program; every method takes and returns them.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    variables: BTreeMap<String, String>,
    descriptors: Option<usize>,
}

impl Settings {
    /// Those under which the program asks for signatures and works with `chat`, on any free port.
    pub(crate) fn with(chat: &FakeRocketChat) -> Self {
        let ours = Self {
            variables: fakes::settings(chat),
            descriptors: None,
        };
        ours.set("PORT", 0)
            .set("METRICS_PORT", 0)
            .set("LAME_DUCK_SECONDS", 0)
            .set("LOG_FORMAT", "json")
    }

    /// Sets one; an empty value removes it.
    pub(crate) fn set(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        let value = value.to_string();
        if value.is_empty() {
            self.variables.remove(name);
        } else {
            self.variables.insert(name.to_owned(), value);
        }
        self
    }

    /// Allows no more than this many files and sockets.
    pub(crate) fn descriptors(mut self, most: usize) -> Self {
        self.descriptors = Some(most);
        self
    }

    /// Runs it with these arguments and this input to its end; its status and all that it printed.
    pub(crate) fn output(&self, arguments: &[&str], input: &[u8]) -> (Option<i32>, String) {
        let mut command = self.command();
        command.args(arguments).stdin(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        // It need not read it.
        let _ = child.stdin.take().expect("is piped").write_all(input);
        let output = child.wait_with_output().expect("comes to its end");
        let said = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&said).into_owned();
        secret_scan::look(&text);
        (output.status.code(), text)
    }

    fn command(&self) -> Command {
        let limit = self.descriptors.unwrap_or(4096);
        let mut shell = Command::new("/bin/sh");
        shell
            .args(["-c", &format!("ulimit -n {limit} && exec \"$0\" \"$@\"")])
            .arg(program())
            .env_clear()
            .envs(&self.variables)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        shell
    }
}

/// A running program; killed when dropped.
#[derive(Debug)]
pub(crate) struct Sut {
    child: Child,
    /// Where it takes webhooks.
    pub(crate) port: u16,
    /// Where it takes probes.
    pub(crate) ops_port: u16,
    output: Arc<Mutex<Vec<String>>>,
    /// From the start to the line that says it listens.
    pub(crate) took: Duration,
}

impl Sut {
    /// Starts it and waits until it listens.
    pub(crate) fn start(settings: &Settings) -> Self {
        let started = Instant::now();
        let mut child = settings.command().spawn().unwrap_or_else(|error| {
            panic!(
                "{} does not start: {error}; build it with `cargo build --release -p webhook-app`",
                program().display()
            )
        });
        let output = Arc::default();
        let (announce, announced) = channel();
        read(
            child.stdout.take().expect("is piped"),
            &output,
            Some(announce),
        );
        read(child.stderr.take().expect("is piped"), &output, None);
        let (port, ops_port) = ports(&announced, &output);
        Self {
            child,
            port,
            ops_port,
            output,
            took: started.elapsed(),
        }
    }

    /// The same with the settings that fit `chat`.
    pub(crate) fn beside(chat: &FakeRocketChat) -> Self {
        Self::start(&Settings::with(chat))
    }

    /// Its number for the kernel.
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

    /// The status of a probe on the port for operators.
    pub(crate) async fn probe(&self, path: &str) -> Option<u16> {
        let url = format!("http://127.0.0.1:{}{path}", self.ops_port);
        let answer = exchange("GET", &url, &[], b"").await.ok()?;
        secret_scan::look(&answer.text());
        Some(answer.status)
    }

    /// What a counter without labels has counted so far.
    pub(crate) async fn counter(&self, name: &str) -> u64 {
        let url = format!("http://127.0.0.1:{}/metrics", self.ops_port);
        let page = exchange("GET", &url, &[], b"").await;
        let page = page.expect("the metrics are served").text();
        let value = page
            .lines()
            .find_map(|line| line.strip_prefix(name)?.split_whitespace().next_back());
        let value = value.and_then(|value| value.parse().ok());
        value.unwrap_or_else(|| panic!("expected {name} among the metrics, found {page:.200}"))
    }

    /// Ends it without any warning, as the kernel does when memory is short.
    pub(crate) fn kill(&mut self) {
        let _gone_already = self.child.kill();
        let _ = self.child.wait();
    }

    /// The same for one that others still look at: sends the signal and does not wait.
    pub(crate) fn kill_now(&self) {
        self.signal("-KILL");
    }

    /// Asks it to stop, as Kubernetes does.
    pub(crate) fn terminate(&self) {
        self.signal("-TERM");
    }

    fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        let _ = Command::new("kill").args([signal, &id]).status();
    }

    /// Waits for its end.
    pub(crate) async fn ended(&mut self, within: Duration) -> Option<ExitStatus> {
        let until = Instant::now() + within;
        while Instant::now() < until {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(status);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        None
    }

    /// Whether it is still there.
    pub(crate) fn lives(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// What it has printed so far.
    pub(crate) fn output(&self) -> Vec<String> {
        self.output.lock().expect("no reader panics").clone()
    }

    /// What it has printed beyond the first `seen` lines, as soon as there is anything.
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

    /// How many lines it has printed.
    pub(crate) fn lines(&self) -> usize {
        self.output.lock().expect("no reader panics").len()
    }

    /// Memory in use now, in KiB.
    pub(crate) fn resident_kib(&self) -> u64 {
        self.status_kib("VmRSS:")
    }

    /// The most memory ever in use, in KiB.
    pub(crate) fn peak_kib(&self) -> u64 {
        self.status_kib("VmHWM:")
    }

    fn status_kib(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let number = line.and_then(|line| line.split_whitespace().next());
        number.and_then(|kib| kib.parse().ok()).unwrap_or_default()
    }

    /// Connections to the port for webhooks that this side has not closed.
    pub(crate) fn connections(&self) -> usize {
        let table = ["/proc/net/tcp", "/proc/net/tcp6"].map(std::fs::read_to_string);
        let here = format!(":{:04X}", self.port);
        let is_ours = |line: &str| {
            let mut fields = line.split_whitespace().skip(1);
            let local = fields.next().is_some_and(|local| local.ends_with(&here));
            // Established, or closed by the other side alone.
            local && matches!(fields.nth(1), Some("01" | "08"))
        };
        let lines = table.iter().flatten().flat_map(|table| table.lines());
        lines.filter(|line| is_ours(line)).count()
    }

    /// Processor time spent so far.
    pub(crate) fn processor_time(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()));
        let stat = stat.unwrap_or_default();
        // The name in parentheses may hold spaces; fields are counted after it.
        let fields = stat.rsplit(')').next().unwrap_or_default();
        let ticks = fields.split_whitespace().skip(11).take(2);
        let ticks: u64 = ticks.filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
        // Linux reports hundredths of a second on every machine we know.
        Duration::from_millis(ticks * 10)
    }
}

impl Drop for Sut {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Posts a delivery to any address and searches the answer for secrets.
pub(crate) async fn post(delivery: &Delivery, url: &str) -> std::io::Result<Response> {
    let answer = delivery.try_post_to(url).await?;
    secret_scan::look(&answer.text());
    for (_, value) in &answer.headers {
        secret_scan::look(value);
    }
    Ok(answer)
}

/// A signed push with this id.
pub(crate) fn push(id: &str) -> Delivery {
    Delivery::push_sample().id(id).signed_with(SAMPLE_KEY)
}

fn ports(announced: &Receiver<(u16, u16)>, output: &Arc<Mutex<Vec<String>>>) -> (u16, u16) {
    announced.recv_timeout(PATIENCE).unwrap_or_else(|_| {
        let output = output.lock().map(|lines| lines.join("\n"));
        panic!(
            "the program does not listen: {}",
            output.unwrap_or_default()
        )
    })
}

/// Keeps every line, and announces the ports in the line that says "listening".
fn read(
    from: impl Read + Send + 'static,
    output: &Arc<Mutex<Vec<String>>>,
    announce: Option<Sender<(u16, u16)>>,
) {
    let output = Arc::clone(output);
    thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            secret_scan::look(&line);
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
