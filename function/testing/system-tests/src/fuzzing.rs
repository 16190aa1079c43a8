//! Check `fuzz`: fuzzes six parsers with libFuzzer and the address sanitizer. Owns the number of inputs;
//! the fuzz targets and their corpora are in `function/fuzz`.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Instant;

use crate::check::{CheckReport, Size};

/// Each target and the divisor of its number of inputs. `settings` renders every kind of event for
/// each input, which takes 100 times as long as parsing a response.
const TARGETS: [(&str, u64); 6] = [
    ("request", 1),
    ("event", 1),
    ("envelope", 1),
    ("answer", 1),
    ("markup", 1),
    ("settings", 20),
];

/// Additional seed corpora: the fixtures of the tests and the examples of the templates.
fn seed_folders(target: &str) -> &'static [&'static str] {
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

/// Runs cargo-fuzz. `RUSTC_BOOTSTRAP` enables the sanitizers on the stable compiler.
fn cargo_fuzz(arguments: &[&str]) -> std::io::Result<Output> {
    Command::new("cargo")
        .arg("fuzz")
        .args(arguments)
        .env("RUSTC_BOOTSTRAP", "1")
        // A backtrace of cargo-fuzz itself would not help to find the input.
        .env("RUST_BACKTRACE", "0")
        .env_remove("RUSTFLAGS")
        .current_dir(folder())
        .output()
}

/// Runs the check.
pub(crate) fn check(size: Size) -> CheckReport {
    let mut report = CheckReport::default();
    if !cargo_fuzz(&["--version"]).is_ok_and(|output| output.status.success()) {
        return CheckReport::not_run_without(
            "cargo-fuzz",
            "`cargo install cargo-fuzz --locked --version 0.13.2`",
        );
    }
    let runs = size.of(5_000, 200_000, 20_000_000);
    let built = cargo_fuzz(&["build", "--fuzz-dir", "."]);
    let built = built.expect("cargo runs");
    if !built.status.success() {
        report.expect(false, || error_text(&built));
        return report;
    }
    let began = Instant::now();
    let (mut executed, mut wanted) = (0, 0);
    for (target, divisor) in TARGETS {
        let runs = runs / divisor;
        wanted += runs;
        let seeds = format!("corpus/{target}");
        let new_inputs = std::env::temp_dir().join(format!("system-tests-fuzz-{target}"));
        std::fs::create_dir_all(&new_inputs).expect("a temporary folder can be created");
        let count = format!("-runs={runs}");
        // libFuzzer writes new inputs to the first folder. A person decides which ones to commit.
        let new_inputs = new_inputs.display().to_string();
        let limits = [
            // Seconds per input, with tolerance for a busy machine.
            "-timeout=5",
            "-rss_limit_mb=1024",
            "-max_len=4096",
            "-seed=1",
        ];
        let arguments = [
            &["run", "--fuzz-dir", ".", target, &new_inputs, &seeds][..],
            seed_folders(target),
            &["--", &count],
            &limits,
        ]
        .concat();
        let output = cargo_fuzz(&arguments).expect("cargo runs");
        report.expect(output.status.success(), || {
            format!("{target}: {}", error_text(&output))
        });
        executed += units(&output);
    }
    report.expect(executed >= wanted * 9 / 10, || {
        format!("only {executed} of {wanted} executions")
    });
    let rate = executed as f64 / began.elapsed().as_secs_f64();
    report.workload(format!(
        "{} targets with the address sanitizer, {runs} inputs each, settings a twentieth of that",
        TARGETS.len()
    ));
    report.measurement(format!(
        "{executed} executions at {rate:.0}/s: {} panics, hangs or memory errors",
        report.failures()
    ));
    report
}

/// The number of executed inputs in the output of libFuzzer.
fn units(output: &Output) -> u64 {
    let text = String::from_utf8_lossy(&output.stderr);
    let line = text.lines().find_map(|line| line.strip_prefix("Done "));
    let number = line.and_then(|line| line.split(' ').next());
    number
        .and_then(|number| number.parse().ok())
        .unwrap_or_default()
}

/// The cause and the file with the input, if the output names them; otherwise the last lines.
fn error_text(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<_> = text.lines().collect();
    let is_cause = |line: &&str| line.contains("panicked at") || line.contains("ERROR: ");
    let excerpt = match lines.iter().position(is_cause) {
        Some(cause) => {
            let file = lines
                .iter()
                .find(|line| line.contains("Test unit written to"));
            let cause = lines[cause..].iter().take(2);
            cause.chain(file).copied().collect()
        }
        None => lines[lines.len().saturating_sub(12)..].to_vec(),
    };
    excerpt.join("\n    ")
}
