//! `cold`: measures the time from starting a program to its first successful response, to a signed webhook or to
//! a probe. Also starts and stops the program. Blocking on purpose, so that no event loop adds latency.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::deliveries::Deliveries;
use crate::options::Options;
use crate::send::split;

/// How long a program may take to respond.
const START_TIMEOUT: Duration = Duration::from_secs(20);

/// The time between two connection attempts: much less than a millisecond, but without busy waiting.
const RETRY_INTERVAL: Duration = Duration::from_micros(20);

/// Starts the program after `--` `--runs` times and sends one request to `--url`: a signed POST, or GET
/// with `--method GET`.
pub(crate) fn run(options: &Options) -> Result<Value, String> {
    let url = options.text("url", "http://127.0.0.1:8080/webhook");
    let runs: usize = options.number("runs", 50)?;
    let (host, path) = split(url)?;
    let deliveries = Deliveries::sign(runs, options.number("size", 4096)?, host, path);
    let probe = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n").into_bytes();
    let [mut times, mut cpu, mut resident] = [const { Vec::new() }; 3];
    for index in 0..runs {
        let request = match options.text("method", "POST") {
            "GET" => (probe.as_slice(), [].as_slice()),
            _ => deliveries.get(index),
        };
        let start = once(&options.program, host, request)?;
        times.push(start.ms);
        cpu.push(start.cpu_ms);
        resident.push(start.resident_mb);
    }
    for values in [&mut times, &mut cpu, &mut resident] {
        values.sort_unstable_by(f64::total_cmp);
    }
    Ok(json!({
        "runs": runs,
        "min_ms": times.first(),
        "median_ms": times.get(runs / 2),
        "p95_ms": times.get(runs * 95 / 100),
        "cpu_ms": cpu.get(runs / 2),
        "resident_mb": resident.get(runs / 2),
    }))
}

/// The measurements of one start.
struct Start {
    ms: f64,
    cpu_ms: f64,
    resident_mb: f64,
}

fn once(program: &[String], host: &str, request: (&[u8], &[u8])) -> Result<Start, String> {
    let started = Instant::now();
    let running = Running::start(program).map_err(|error| format!("could not start: {error}"))?;
    let response = first_response(started, host, request);
    let ms = started.elapsed().as_secs_f64() * 1000.0;
    let process = running.0.id();
    response.map(|()| Start {
        ms,
        cpu_ms: cpu_ms(process),
        resident_mb: resident_mb(process),
    })
}

fn first_response(
    started: Instant,
    host: &str,
    (head, body): (&[u8], &[u8]),
) -> Result<(), String> {
    while started.elapsed() < START_TIMEOUT {
        if let Ok(mut stream) = TcpStream::connect(host) {
            let written = stream.write_all(head).and_then(|()| stream.write_all(body));
            let mut status = [0; 12];
            // A program that accepts and closes the connection is not ready yet.
            if written
                .and_then(|()| stream.read_exact(&mut status))
                .is_ok()
            {
                return match &status {
                    b"HTTP/1.1 200" => Ok(()),
                    other => Err(format!(
                        "expected 200, found {}",
                        String::from_utf8_lossy(other)
                    )),
                };
            }
        }
        thread::sleep(RETRY_INTERVAL);
    }
    Err(format!("no response from {host} within {START_TIMEOUT:?}"))
}

/// CPU time of the main thread in milliseconds, including exec; 0 if the kernel does not report it.
fn cpu_ms(process: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/schedstat")).unwrap_or_default();
    number(text.split_whitespace().next()) / 1_000_000.0
}

/// Resident memory in MB; 0 if the kernel does not report it.
fn resident_mb(process: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    number(line.and_then(|line| line.split_whitespace().next())) / 1000.0
}

fn number(word: Option<&str>) -> f64 {
    word.and_then(|word| word.parse().ok()).unwrap_or_default()
}

/// A process and its children, killed when dropped.
pub(crate) struct Running(Child);

impl Running {
    /// Starts a program in a new process group, so that its children are killed with it.
    pub(crate) fn start(program: &[String]) -> io::Result<Self> {
        let missing = || io::Error::other("expected a program after --");
        let (name, arguments) = program.split_first().ok_or_else(missing)?;
        let child = Command::new(name)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        Ok(Self(child))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let group = format!("-{}", self.0.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.0.wait();
    }
}
