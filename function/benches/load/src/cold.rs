//! `cold`: from starting a program to its first good answer to a real signed webhook. Owns the clock
//! and the end of what it started; blocking on purpose, so that no event loop stands in between.

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

/// Longer than any of the programs takes.
const LIMIT: Duration = Duration::from_secs(20);

/// Between two tries to connect: short against a millisecond, long enough to leave the core alone.
const LOOK_EVERY: Duration = Duration::from_micros(20);

/// Starts the program behind `--` for `--runs` times and posts to `--url`.
pub(crate) fn run(options: &Options) -> Result<Value, String> {
    let url = options.text("url", "http://127.0.0.1:8080/webhook");
    let runs: usize = options.number("runs", 50)?;
    let (host, path) = split(url)?;
    let deliveries = Deliveries::sign(runs, options.number("size", 4096)?, host, path);
    let mut times = Vec::new();
    let mut resident = Vec::new();
    for index in 0..runs {
        let (ms, kib) = once(&options.program, host, deliveries.get(index))?;
        times.push(ms);
        resident.push(kib);
    }
    times.sort_unstable_by(f64::total_cmp);
    resident.sort_unstable();
    Ok(json!({
        "runs": runs,
        "min_ms": times.first(),
        "median_ms": times.get(runs / 2),
        "p95_ms": times.get(runs * 95 / 100),
        "resident_kib": resident.get(runs / 2),
    }))
}

fn once(program: &[String], host: &str, request: (&[u8], &[u8])) -> Result<(f64, u64), String> {
    let started = Instant::now();
    let running = Running::start(program).map_err(|error| format!("could not start: {error}"))?;
    let answer = first_answer(started, host, request);
    let ms = started.elapsed().as_secs_f64() * 1000.0;
    let kib = resident_kib(running.0.id());
    answer.map(|()| (ms, kib))
}

fn first_answer(started: Instant, host: &str, (head, body): (&[u8], &[u8])) -> Result<(), String> {
    while started.elapsed() < LIMIT {
        if let Ok(mut stream) = TcpStream::connect(host) {
            let written = stream.write_all(head).and_then(|()| stream.write_all(body));
            let mut status = [0; 12];
            // Whoever accepts and closes is not ready yet.
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
        thread::sleep(LOOK_EVERY);
    }
    Err(format!("no answer from {host} within {LIMIT:?}"))
}

/// Resident memory of one process; 0 where Linux does not tell.
fn resident_kib(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number
        .and_then(|number| number.parse().ok())
        .unwrap_or_default()
}

/// A process and its children, ended when dropped.
pub(crate) struct Running(Child);

impl Running {
    /// Starts a program in a group of its own, so that its children end with it.
    pub(crate) fn start(program: &[String]) -> io::Result<Self> {
        let missing = || io::Error::other("expected a program behind --");
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
