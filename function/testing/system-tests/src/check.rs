//! One check, its size and its result, and the table of all results. Owns the rule when a check
//! passes; does not know the individual checks.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// How much work a check does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Size {
    /// For every change: all checks in 8 minutes.
    Short,
    /// For a release: all checks in 30 minutes on 2 cores.
    Normal,
    /// On demand: hours.
    Long,
}

impl Size {
    /// Parses a word of the command line.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        match word {
            "short" => Some(Self::Short),
            "normal" => Some(Self::Normal),
            "long" => Some(Self::Long),
            _ => None,
        }
    }

    /// The value for this size.
    pub(crate) fn of<T>(self, short: T, normal: T, long: T) -> T {
        match self {
            Self::Short => short,
            Self::Normal => normal,
            Self::Long => long,
        }
    }

    /// The duration for this size, in seconds.
    pub(crate) fn seconds(self, short: u64, normal: u64, long: u64) -> Duration {
        Duration::from_secs(self.of(short, normal, long))
    }
}

/// What a check did and found.
#[derive(Debug, Default)]
pub(crate) struct CheckReport {
    workload: String,
    measurement: String,
    failures: Vec<String>,
    /// Tools that are not installed, so that the check or a part of it did not run.
    missing_tools: Vec<String>,
    /// Why the check does not run in this size.
    skipped: Option<String>,
}

impl CheckReport {
    /// A check that did not run without this tool, and how to install it.
    pub(crate) fn not_run_without(tool: &str, advice: &str) -> Self {
        let mut report = Self::default();
        report.workload(advice);
        report.missing_tool(tool);
        report
    }

    /// A part of the check did not run without this tool.
    pub(crate) fn missing_tool(&mut self, tool: &str) {
        self.missing_tools.push(tool.to_owned());
    }

    /// A check that does not run in this size, and why.
    pub(crate) fn skipped(reason: &str) -> Self {
        Self {
            skipped: Some(reason.to_owned()),
            ..Self::default()
        }
    }

    /// Describes what the check did, for the table.
    pub(crate) fn workload(&mut self, workload: impl Into<String>) {
        self.workload = workload.into();
    }

    /// Describes what was measured, for the table.
    pub(crate) fn measurement(&mut self, measurement: impl Into<String>) {
        self.measurement = measurement.into();
    }

    /// Fails the check unless `condition` is true; `failure` describes what was found.
    pub(crate) fn expect(&mut self, condition: bool, failure: impl FnOnce() -> String) {
        if !condition {
            self.failures.push(failure());
        }
    }

    /// The number of failures so far.
    pub(crate) fn failures(&self) -> usize {
        self.failures.len()
    }
}

/// A check by name.
pub(crate) struct Check {
    /// The name on the command line and in the table.
    pub(crate) id: &'static str,
    run: fn(Size) -> CheckReport,
}

impl Check {
    pub(crate) const fn new(id: &'static str, run: fn(Size) -> CheckReport) -> Self {
        Self { id, run }
    }

    /// Runs the check. A panic fails this check only.
    pub(crate) fn run(&self, size: Size) -> CheckResult {
        eprintln!("{}: running", self.id);
        let started = Instant::now();
        let report = catch_unwind(AssertUnwindSafe(|| (self.run)(size))).unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|&text| text.to_owned()));
            let mut report = CheckReport::default();
            report.expect(false, || format!("panicked: {}", text.unwrap_or_default()));
            report
        });
        let result = CheckResult {
            id: self.id,
            report,
            took: started.elapsed(),
        };
        result.print();
        result
    }
}

/// The result of a check that ran.
pub(crate) struct CheckResult {
    id: &'static str,
    report: CheckReport,
    took: Duration,
}

impl CheckResult {
    /// Whether the check passed. With a missing tool it fails unless `allow_missing` is set.
    pub(crate) fn passed(&self, allow_missing: bool) -> bool {
        self.report.failures.is_empty() && (allow_missing || self.report.missing_tools.is_empty())
    }

    fn status(&self) -> String {
        let report = &self.report;
        let tools = report.missing_tools.join(", ");
        match (&report.skipped, &tools[..], &report.measurement[..]) {
            _ if !report.failures.is_empty() => "FAIL".to_owned(),
            (Some(_), ..) => "skipped".to_owned(),
            (None, "", _) => "pass".to_owned(),
            (None, tools, "") => format!("not run: {tools} not installed"),
            (None, tools, _) => format!("pass; in part not run: {tools} not installed"),
        }
    }

    /// Prints the outcome and the first failures.
    pub(crate) fn print(&self) {
        eprintln!(
            "{}: {} after {} s",
            self.id,
            self.status(),
            self.took.as_secs()
        );
        for failure in self.report.failures.iter().take(10) {
            eprintln!("  {failure}");
        }
        let more = self.report.failures.len().saturating_sub(10);
        if more > 0 {
            eprintln!("  and {more} more failures");
        }
    }
}

/// Prints all results as a Markdown table, followed by the checks that are part of `make test` and
/// those that are not written yet.
pub(crate) fn print_table(
    results: &[CheckResult],
    in_make_test: &[(&str, &str)],
    not_yet: &[(&str, &str)],
) {
    println!("| check | workload | measurement | result | seconds |");
    println!("|---|---|---|---|---|");
    for result in results {
        let report = &result.report;
        println!(
            "| {} | {} | {} | {} | {} |",
            result.id,
            report.skipped.as_ref().unwrap_or(&report.workload),
            report.measurement,
            result.status(),
            result.took.as_secs()
        );
    }
    let total: Duration = results.iter().map(|result| result.took).sum();
    println!("| total | | | | {} |", total.as_secs());
    for (id, workload) in in_make_test {
        println!("| {id} | {workload} | | part of `make test` | |");
    }
    for (id, workload) in not_yet {
        println!("| {id} | {workload} | | not written yet | |");
    }
}

/// Runs the asynchronous part of a check to completion.
pub(crate) fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime can be built")
        .block_on(work)
}
