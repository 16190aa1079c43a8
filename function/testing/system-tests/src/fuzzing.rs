//! Check `fuzz`: random bytes for six parsers, by libFuzzer with the address sanitizer. Owns the sizes; the
//! targets and the bytes worth keeping are in `function/fuzz`.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Instant;

use crate::check::{Finding, Size};

/// Each with the share of the inputs that it gets: one over this. All settings are tried on every
/// kind of event at start, which takes a hundred times as long as reading an answer.
const TARGETS: [(&str, u64); 6] = [
    ("request", 1),
    ("event", 1),
    ("envelope", 1),
    ("answer", 1),
    ("markup", 1),
    ("settings", 20),
];

/// More bytes to begin with: what the tests and the samples have already.
fn also(target: &str) -> &'static [&'static str] {
    match target {
        "event" | "envelope" => &[
            "../tests/integration/fixtures/gitlab",
            "../src/notifier/templates/examples",
        ],
        _ => &[],
    }
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

/// The stable compiler has the sanitizers and hides them behind this.
fn cargo_fuzz(arguments: &[&str]) -> std::io::Result<Output> {
    Command::new("cargo")
        .arg("fuzz")
        .args(arguments)
        .env("RUSTC_BOOTSTRAP", "1")
        // The backtrace of cargo-fuzz itself says nothing about the input.
        .env("RUST_BACKTRACE", "0")
        .env_remove("RUSTFLAGS")
        .current_dir(folder())
        .output()
}

/// Runs the check.
pub(crate) fn check(size: Size) -> Finding {
    let mut finding = Finding::default();
    if !cargo_fuzz(&["--version"]).is_ok_and(|output| output.status.success()) {
        return Finding::without(
            "cargo-fuzz",
            "`cargo install cargo-fuzz --locked --version 0.13.2`",
        );
    }
    let runs = size.of(5_000, 200_000, 20_000_000);
    let built = cargo_fuzz(&["build", "--fuzz-dir", "."]);
    let built = built.expect("cargo runs");
    if !built.status.success() {
        finding.expect(false, || trouble(&built));
        return finding;
    }
    let began = Instant::now();
    let (mut executed, mut wanted) = (0, 0);
    for (target, share) in TARGETS {
        let runs = runs / share;
        wanted += runs;
        let seeds = format!("corpus/{target}");
        let own = std::env::temp_dir().join(format!("prove-fuzz-{target}"));
        std::fs::create_dir_all(&own).expect("the temporary folder takes folders");
        let count = format!("-runs={runs}");
        // New finds go into the first folder; what is kept in the repository is chosen by a person.
        let own = own.display().to_string();
        let limits = [
            // Longest time of one input in seconds, with room for a busy machine.
            "-timeout=5",
            "-rss_limit_mb=1024",
            "-max_len=4096",
            "-seed=1",
        ];
        let arguments = [
            &["run", "--fuzz-dir", ".", target, &own, &seeds][..],
            also(target),
            &["--", &count],
            &limits,
        ]
        .concat();
        let output = cargo_fuzz(&arguments).expect("cargo runs");
        finding.expect(output.status.success(), || {
            format!("{target}: {}", trouble(&output))
        });
        executed += units(&output);
    }
    finding.expect(executed >= wanted * 9 / 10, || {
        format!("only {executed} executions of {wanted}")
    });
    let rate = executed as f64 / began.elapsed().as_secs_f64();
    finding.done(format!(
        "{} targets, {runs} inputs each and of settings a twentieth, with the address sanitizer",
        TARGETS.len()
    ));
    finding.figure(format!(
        "{executed} executions, {rate:.0}/s: {} panics, hangs or errors of memory",
        finding.broken()
    ));
    finding
}

/// How many inputs libFuzzer says it has tried.
fn units(output: &Output) -> u64 {
    let text = String::from_utf8_lossy(&output.stderr);
    let line = text.lines().find_map(|line| line.strip_prefix("Done "));
    let number = line.and_then(|line| line.split(' ').next());
    number
        .and_then(|number| number.parse().ok())
        .unwrap_or_default()
}

/// What went wrong, and the file with the input that did it; else how the output ends.
fn trouble(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<_> = text.lines().collect();
    let is_cause = |line: &&str| line.contains("panicked at") || line.contains("ERROR: ");
    let told = match lines.iter().position(is_cause) {
        Some(cause) => {
            let file = lines
                .iter()
                .find(|line| line.contains("Test unit written to"));
            let cause = lines[cause..].iter().take(2);
            cause.chain(file).copied().collect()
        }
        None => lines[lines.len().saturating_sub(12)..].to_vec(),
    };
    told.join("\n    ")
}
