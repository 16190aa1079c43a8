//! The warnings and errors that the libraries of OpenTelemetry write have an entry each. Owns how they are
//! found in the sources of these libraries, and which of them this program cannot cause.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use serde_json::Value;

use super::{assert_complete, code, rows};

const LIBRARIES: [&str; 4] = [
    "opentelemetry-http",
    "opentelemetry-otlp",
    "opentelemetry-prometheus",
    "opentelemetry_sdk",
];

/// Names of log lines, or how they begin, that this program cannot cause.
const UNUSED: &[&str] = &[
    // Other signals, exporters, propagators, samplers and processors than those of this program.
    "BaggagePropagator.",
    "BatchLogProcessor.",
    "HttpLogsClient.",
    "HttpMetricsClient.",
    "JaegerRemoteSampler.",
    "LogProcessor.",
    "PeriodReader",
    "PeriodicReader.",
    "SimpleLogProcessor.",
    "SimpleSpanProcessor.",
    "Tonic",
    // Logged before the log of this program starts, which warns of these variables itself.
    "Exporter.Config.",
    "TracerProvider.Config.",
    // All instruments are known when the program is built, and tests read them.
    "InstrumentCreationFailed",
    "MeterProvider.",
    "MetricScrapeFailed",
    "MetricValidationFailed",
    "ViewAggregationIncompatible",
];

#[test]
fn every_log_line_of_a_library_has_an_entry_and_every_entry_a_log_line() {
    let entry = |row: &Vec<String>| format!("{} {}", row[0], code(&row[1]));
    let documented: Vec<_> = rows("library log").iter().map(entry).collect();
    let mut all = BTreeSet::new();
    for folder in folders() {
        all.extend(log_lines(&folder));
    }
    let is_unused = |name: &str| UNUSED.iter().any(|unused| name.starts_with(unused));
    let (unused, existing): (Vec<_>, Vec<_>) = all
        .into_iter()
        .partition(|(_, name): &(&str, String)| is_unused(name));
    for obsolete in UNUSED {
        let mut names = unused.iter().map(|(_, name)| name);
        assert!(names.any(|name| name.starts_with(obsolete)), "{obsolete}");
    }
    let existing = existing
        .iter()
        .map(|(level, name)| format!("{level} {name}"));
    assert_complete("library log", &documented, &existing.collect());
}

/// Where the sources of the libraries are.
fn folders() -> Vec<PathBuf> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--offline", "--locked"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("runs");
    let found: Value = serde_json::from_slice(&output.stdout).expect("is JSON");
    let packages = found["packages"].as_array().expect("is a list").iter();
    let folders: Vec<_> = packages
        .filter(|package| LIBRARIES.iter().any(|name| package["name"] == *name))
        .filter_map(|package| Path::new(package["manifest_path"].as_str()?).parent())
        .map(|folder| folder.join("src"))
        .collect();
    assert_eq!(folders.len(), LIBRARIES.len(), "{folders:?}");
    folders
}

/// Level and name of every warning and error below a folder, without processors that need an async runtime.
fn log_lines(folder: &Path) -> BTreeSet<(&'static str, String)> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).expect("can be read") {
        let path = entry.expect("can be read").path();
        let name = path.to_string_lossy().into_owned();
        if path.is_dir() {
            found.extend(log_lines(&path));
        } else if !name.ends_with("_with_async_runtime.rs") {
            let source = fs::read_to_string(&path).expect("is text");
            let code = source.lines().map(|line| line.split("//").next());
            let code: String = code.flatten().collect();
            for (call, level) in [("otel_warn!(", "warn"), ("otel_error!(", "error")] {
                let calls = code.split(call).skip(1);
                let names = calls.map(|rest| rest.split('"').nth(1).expect("has a name"));
                found.extend(names.map(|name| (level, name.to_owned())));
            }
        }
    }
    found
}
