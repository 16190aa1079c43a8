//! Metrics of the process: CPU time, memory and file descriptors, read from `/proc`. Owns
//! their names, which are those of Prometheus' client libraries, so that dashboards find them. On
//! systems other than Linux these series are absent.
//!
//! A library for this would bring five crates instead of the forty lines below.

use std::fs;

use opentelemetry::KeyValue;
use opentelemetry::metrics::Meter;

use crate::file_descriptors;

/// Ticks per second in `/proc`: part of the kernel's interface, the same on every architecture that
/// this program is built for.
const TICKS: f64 = 100.0;

/// Registers the gauges, which are read at every scrape.
pub(super) fn observe(meter: &Meter) {
    meter
        .u64_observable_gauge("webhook_app.build_info")
        .with_description("Always 1; the labels are the version and the architecture.")
        .with_callback(|observer| {
            let version = KeyValue::new("version", env!("CARGO_PKG_VERSION"));
            let architecture = KeyValue::new("architecture", std::env::consts::ARCH);
            observer.observe(1, &[version, architecture]);
        })
        .build();
    meter
        .f64_observable_counter("process.cpu")
        .with_unit("s")
        .with_description("CPU time, user and system.")
        .with_callback(|observer| {
            if let (Some(user), Some(system)) = (stat(USER), stat(SYSTEM)) {
                observer.observe((user + system) / TICKS, &[]);
            }
        })
        .build();
    let gauges = [
        Gauge(
            "process.start_time",
            "s",
            "Start of the process, in seconds since 1970.",
            start_time,
        ),
        Gauge(
            "process.resident_memory",
            "By",
            "Resident memory.",
            resident,
        ),
        Gauge("process.virtual_memory", "By", "Virtual memory.", || {
            stat(VIRTUAL)
        }),
        Gauge("process.threads", "{thread}", "Threads.", || stat(THREADS)),
        Gauge(
            "process.open_fds",
            "{fd}",
            "Open file descriptors.",
            open_descriptors,
        ),
        Gauge(
            "process.max_fds",
            "{fd}",
            "Limit on open file descriptors.",
            max_descriptors,
        ),
    ];
    for Gauge(name, unit, help, read) in gauges {
        meter
            .f64_observable_gauge(name)
            .with_unit(unit)
            .with_description(help)
            .with_callback(move |observer| {
                if let Some(value) = read() {
                    observer.observe(value, &[]);
                }
            })
            .build();
    }
}

/// Name, unit, help text, and how to read it.
struct Gauge(
    &'static str,
    &'static str,
    &'static str,
    fn() -> Option<f64>,
);

/// Fields of `/proc/self/stat`, counted from the first one after the name of the program.
const USER: usize = 11;
const SYSTEM: usize = 12;
const THREADS: usize = 17;
const STARTED: usize = 19;
const VIRTUAL: usize = 20;

fn stat(field: usize) -> Option<f64> {
    let text = fs::read_to_string("/proc/self/stat").ok()?;
    // The name is in parentheses and may contain any character.
    let (_, fields) = text.rsplit_once(") ")?;
    fields.split(' ').nth(field)?.parse().ok()
}

fn start_time() -> Option<f64> {
    let text = fs::read_to_string("/proc/stat").ok()?;
    let boot = text.lines().find_map(|line| line.strip_prefix("btime "))?;
    let boot: f64 = boot.parse().ok()?;
    Some(boot + stat(STARTED)? / TICKS)
}

fn resident() -> Option<f64> {
    let text = fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1024.0)
}

#[expect(clippy::cast_precision_loss, reason = "descriptors are few")]
fn open_descriptors() -> Option<f64> {
    let entries = fs::read_dir("/proc/self/fd").ok()?.count();
    // One of them is the directory that is being read.
    Some(entries.saturating_sub(1) as f64)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a limit beyond 2^52 is no limit"
)]
fn max_descriptors() -> Option<f64> {
    file_descriptors::limit().map(|limit| limit as f64)
}
