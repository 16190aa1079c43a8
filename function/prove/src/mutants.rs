//! C3: the code is broken on purpose, one place at a time, and the tests must see it. Owns which
//! files this is asked of; the breaking is done by cargo-mutants, in a copy of the checkout.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::bar::{Finding, Size};

/// Who is let in and what makes a message unique: every change must be seen.
const STRICT: [&str; 5] = [
    "fingerprint.rs",
    "rocketchat.rs",
    "gitlab/delivery_id.rs",
    "gitlab/origin.rs",
    "gitlab/signature.rs",
];

/// The rest of the core.
const CORE: [&str; 15] = [
    "courier.rs",
    "delivery.rs",
    "delivery/budget.rs",
    "delivery/recall.rs",
    "delivery/schedule.rs",
    "delivery/verdict.rs",
    "fix.rs",
    "gitlab/commit.rs",
    "gitlab/event.rs",
    "gitlab/push.rs",
    "live.rs",
    "markup.rs",
    "outcome.rs",
    "outcome/report.rs",
    "rocketchat/reply.rs",
];

/// Tests that tell of sockets, processes, words and other programs, and take long.
const SKIPPED: [&str; 10] = [
    "slow_clients",
    "lifecycle",
    "command_line",
    "configuration",
    "readme",
    "tidy",
    "shared_data",
    "failures",
    "prometheus",
    "traces",
];

/// What the tests stand on is built once and runs once for every change.
const FAST_DEPENDENCIES: &str = r#"--cargo-arg=--config=profile.dev.package."*".opt-level=1"#;

/// C3.
pub(crate) fn prove(size: Size) -> Finding {
    if size == Size::Short {
        return Finding::left_out(
            "each change is a build of its own; see the normal form, and for the rest of the core the long one",
        );
    }
    let version = Command::new("cargo")
        .args(["mutants", "--version"])
        .output();
    if !version.is_ok_and(|output| output.status.success()) {
        return Finding::without(
            "cargo-mutants",
            "`cargo install cargo-mutants --locked --version 27.1.0`",
        );
    }
    let mut finding = Finding::default();
    let core: &[&str] = size.of(&[], &[], &CORE);
    let (caught, missed) = mutate(&STRICT, &mut finding);
    for mutant in &missed {
        finding.expect(false, || format!("nobody sees: {mutant}"));
    }
    let mut figure = format!("auth and id: {caught} of {} seen", caught + missed.len());
    if !core.is_empty() {
        let (caught, missed) = mutate(core, &mut finding);
        let all = caught + missed.len();
        finding.expect(caught * 10 >= all * 9, || {
            format!("core: {caught} of {all} seen; not {missed:#?}")
        });
        figure = format!("{figure}; core: {caught} of {all}");
    }
    finding.expect(caught > 0, || "there was nothing to break".to_owned());
    finding.done(format!(
        "every change that cargo-mutants knows in {} files",
        STRICT.len() + core.len()
    ));
    finding.figure(figure);
    finding
}

/// How many changes were seen, and those that were not.
fn mutate(files: &[&str], finding: &mut Finding) -> (usize, Vec<String>) {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let out = std::env::temp_dir().join(format!("prove-mutants-{}", std::process::id()));
    let mut command = Command::new("cargo");
    command
        .args([
            "mutants",
            // Which files are asked for is said here; the configuration is for people.
            "--no-config",
            "-p",
            "webhook-app",
            "--timeout",
            "120",
            "--no-shuffle",
            "-o",
        ])
        .arg(&out);
    for file in files {
        command.arg("-f").arg(format!("function/src/{file}"));
    }
    // Only these are built; what is named behind the dashes would only run.
    command.args([
        "--cargo-arg=--lib",
        "--cargo-arg=--test=it",
        FAST_DEPENDENCIES,
    ]);
    command.args(["--", "--"]);
    for test in SKIPPED {
        command.args(["--skip", test]);
    }
    let ran = command.env_remove("RUSTFLAGS").current_dir(root).output();
    let outcomes = read(&out.join("mutants.out/outcomes.json"));
    let missed = std::fs::read_to_string(out.join("mutants.out/missed.txt")).unwrap_or_default();
    let _ = std::fs::remove_dir_all(&out);
    let count = |name: &str| outcomes[name].as_u64().unwrap_or_default() as usize;
    finding.expect(outcomes.is_object(), || {
        let said = ran.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
        format!("cargo-mutants did not come to an end: {said:?}")
    });
    // A change that makes the tests run for ever has been seen too.
    (
        count("caught") + count("timeout"),
        missed.lines().map(str::to_owned).collect(),
    )
}

fn read(file: &Path) -> Value {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}
