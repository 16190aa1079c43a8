//! One check: what it measures, in which size, and how it ended. Owns the table; knows no check.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// How much is done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Size {
    /// For every change: all checks in eight minutes.
    Short,
    /// For a release: all checks in half an hour on two cores.
    Normal,
    /// On demand.
    Long,
}

impl Size {
    /// The size that a word of the command line names.
    pub(crate) fn named(word: &str) -> Option<Self> {
        match word {
            "short" => Some(Self::Short),
            "normal" => Some(Self::Normal),
            "long" => Some(Self::Long),
            _ => None,
        }
    }

    /// The amount for this size.
    pub(crate) fn of<T>(self, short: T, normal: T, long: T) -> T {
        match self {
            Self::Short => short,
            Self::Normal => normal,
            Self::Long => long,
        }
    }

    /// The same as so many seconds.
    pub(crate) fn seconds(self, short: u64, normal: u64, long: u64) -> Duration {
        Duration::from_secs(self.of(short, normal, long))
    }
}

/// What a check found.
#[derive(Debug, Default)]
pub(crate) struct Finding {
    done: String,
    figure: String,
    faults: Vec<String>,
    /// Tools that this machine lacks, so that the check or a part of it could not be measured.
    missing: Vec<String>,
    /// Why it is not measured in this size.
    left_out: Option<String>,
}

impl Finding {
    /// A check that could not be measured without this tool, and how to get it.
    pub(crate) fn without(tool: &str, advice: &str) -> Self {
        let mut finding = Self::default();
        finding.done(advice);
        finding.lacks(tool);
        finding
    }

    /// A part of the check could not be measured without this tool.
    pub(crate) fn lacks(&mut self, tool: &str) {
        self.missing.push(tool.to_owned());
    }

    /// A check that is not for this size, and where it is measured.
    pub(crate) fn left_out(reason: &str) -> Self {
        Self {
            left_out: Some(reason.to_owned()),
            ..Self::default()
        }
    }

    /// What was done, in a few words.
    pub(crate) fn done(&mut self, done: impl Into<String>) {
        self.done = done.into();
    }

    /// What came out.
    pub(crate) fn figure(&mut self, figure: impl Into<String>) {
        self.figure = figure.into();
    }

    /// Breaks the check unless `holds`; `fault` says what was found.
    pub(crate) fn expect(&mut self, holds: bool, fault: impl FnOnce() -> String) {
        if !holds {
            self.faults.push(fault());
        }
    }

    /// How many expectations did not hold so far.
    pub(crate) fn broken(&self) -> usize {
        self.faults.len()
    }
}

/// One check.
pub(crate) struct Check {
    /// Its short name.
    pub(crate) id: &'static str,
    prove: fn(Size) -> Finding,
}

impl Check {
    pub(crate) const fn new(id: &'static str, prove: fn(Size) -> Finding) -> Self {
        Self { id, prove }
    }

    /// Measures it; a panic breaks the check and not the others.
    pub(crate) fn run(&self, size: Size) -> Row {
        eprintln!("{} …", self.id);
        let started = Instant::now();
        let finding =
            catch_unwind(AssertUnwindSafe(|| (self.prove)(size))).unwrap_or_else(|panic| {
                let text = panic.downcast_ref::<String>().cloned();
                let text =
                    text.or_else(|| panic.downcast_ref::<&str>().map(|&text| text.to_owned()));
                let mut finding = Finding::default();
                finding.expect(false, || text.unwrap_or_default());
                finding
            });
        let row = Row {
            id: self.id,
            finding,
            took: started.elapsed(),
        };
        row.tell();
        row
    }
}

/// A check that was measured.
pub(crate) struct Row {
    id: &'static str,
    finding: Finding,
    took: Duration,
}

impl Row {
    /// Whether the promise was kept. What could not be measured was not kept, unless it may be.
    pub(crate) fn holds(&self, may_miss_tools: bool) -> bool {
        self.finding.faults.is_empty() && (may_miss_tools || self.finding.missing.is_empty())
    }

    fn verdict(&self) -> String {
        let finding = &self.finding;
        match (&finding.left_out, &finding.missing[..], &finding.figure[..]) {
            _ if !finding.faults.is_empty() => "BROKEN".to_owned(),
            (Some(_), ..) => "left out".to_owned(),
            (None, [], _) => "holds".to_owned(),
            (None, tools, "") => format!("not run: {} missing", tools.join(", ")),
            (None, tools, _) => format!("holds; not run: {} missing", tools.join(", ")),
        }
    }

    fn tell(&self) {
        eprintln!(
            "{} {} after {} s",
            self.id,
            self.verdict(),
            self.took.as_secs()
        );
        for fault in self.finding.faults.iter().take(10) {
            eprintln!("  {fault}");
        }
        let more = self.finding.faults.len().saturating_sub(10);
        if more > 0 {
            eprintln!("  and {more} more");
        }
    }
}

/// Prints all rows as a table, and below it what is measured elsewhere and what has to wait.
pub(crate) fn print_table(rows: &[Row], tested: &[(&str, &str)], waiting: &[(&str, &str)]) {
    println!("| check | what was done | figure | verdict | s |");
    println!("|---|---|---|---|---|");
    for row in rows {
        let done = row.finding.left_out.as_ref().unwrap_or(&row.finding.done);
        let (figure, verdict) = (&row.finding.figure, row.verdict());
        println!(
            "| {} | {done} | {figure} | {verdict} | {} |",
            row.id,
            row.took.as_secs()
        );
    }
    let all: Duration = rows.iter().map(|row| row.took).sum();
    println!("| all | | | | {} |", all.as_secs());
    for (id, what) in tested {
        println!("| {id} | {what} | | in `make test` | |");
    }
    for (id, what) in waiting {
        println!("| {id} | {what} | | waits for the durable hand-off | |");
    }
}

/// Runs the asynchronous part of a check to its end.
pub(crate) fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime can be built")
        .block_on(work)
}
