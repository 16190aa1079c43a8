//! Check `mutants`: mutation testing of the core with cargo-mutants, in a copy of the checkout. Owns the
//! list of files and the required share of caught mutants.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::check::{CheckReport, Size};

/// Authentication and message ids: every mutant must be caught.
const STRICT: [&str; 8] = [
    "derived_key.rs",
    "digest.rs",
    "hand_off/signature.rs",
    "rocketchat.rs",
    "rocketchat/message_id.rs",
    "gitlab/idempotency_key.rs",
    "gitlab/verification.rs",
    "gitlab/signature.rs",
];

/// The rest of the core: 90 % must be caught.
const CORE: [&str; 37] = [
    "send.rs",
    "send/backoff.rs",
    "send/calls.rs",
    "send/candidates.rs",
    "send/circuit_breaker.rs",
    "send/command.rs",
    "send/creations.rs",
    "send/deadline.rs",
    "send/machine.rs",
    "send/permits.rs",
    "send/precondition.rs",
    "send/reachability.rs",
    "send/result.rs",
    "send/retry.rs",
    "send/retry_budget.rs",
    "send/rooms.rs",
    "send/sender.rs",
    "send/server_state.rs",
    "send/sign_in.rs",
    "send/stored_message.rs",
    "notifier/fixed_pipeline.rs",
    "notifier/late.rs",
    "notifier/live_pipeline.rs",
    "gitlab/commit.rs",
    "gitlab/event.rs",
    "gitlab/push.rs",
    "gitlab/rejection.rs",
    "dead_letters.rs",
    "hand_off/event.rs",
    "hand_off/extensions.rs",
    "outcome.rs",
    "outcome/report.rs",
    "rocketchat/api_error.rs",
    "rocketchat/connecting.rs",
    "rocketchat/markup.rs",
    "rocketchat/reachability.rs",
    "rocketchat/response.rs",
];

/// Tests of sockets, processes, texts and other programs, which are slow and not about these files.
const SKIPPED: [&str; 9] = [
    "slow_clients",
    "lifecycle",
    "command_line",
    "configuration",
    "docs",
    "tidy",
    "shared_data",
    "prometheus",
    "traces",
];

/// Optimises dependencies, because they are built once and run once per mutant.
const FAST_DEPENDENCIES: &str = r#"--cargo-arg=--config=profile.dev.package."*".opt-level=1"#;

/// Runs the check.
pub(crate) fn check(size: Size) -> CheckReport {
    if size == Size::Short {
        return CheckReport::skipped(
            "each mutant is built separately; the normal size covers authentication and ids, the long size the whole core",
        );
    }
    let version = Command::new("cargo")
        .args(["mutants", "--version"])
        .output();
    if !version.is_ok_and(|output| output.status.success()) {
        return CheckReport::not_run_without(
            "cargo-mutants",
            "`cargo install cargo-mutants --locked --version 27.1.0`",
        );
    }
    let core: &[&str] = size.of(&[], &[], &CORE);
    let files = [&STRICT, core].concat();
    let mut report = CheckReport::default();
    let Some(mutants) = Mutants::of(&files, &mut report) else {
        return report;
    };
    let strict = mutants.within(&STRICT);
    for mutant in &strict.missed {
        report.expect(false, || format!("not caught: {mutant}"));
    }
    report.expect(strict.all() > 0, || {
        "cargo-mutants found no mutants".to_owned()
    });
    let mut measurement = format!(
        "authentication and ids: {} of {} caught",
        strict.caught.len(),
        strict.all()
    );
    if !core.is_empty() {
        let core = mutants.within(core);
        let (caught, all) = (core.caught.len(), core.all());
        report.expect(all > 0 && caught * 10 >= all * 9, || {
            format!(
                "core: {caught} of {all} caught, expected at least 90 %; not caught: {:#?}",
                core.missed
            )
        });
        measurement = format!("{measurement}; core: {caught} of {all}");
    }
    report.workload(format!(
        "all mutants that cargo-mutants generates for {} files",
        files.len()
    ));
    report.measurement(measurement);
    report
}

/// Mutants that could be built; each text starts with the path of its file.
struct Mutants {
    caught: Vec<String>,
    missed: Vec<String>,
}

impl Mutants {
    /// Tests all mutants of these files; `None` if cargo-mutants did not finish.
    fn of(files: &[&str], report: &mut CheckReport) -> Option<Self> {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../..");
        let out = std::env::temp_dir().join(format!("system-tests-mutants-{}", std::process::id()));
        let mut command = Command::new("cargo");
        command
            .args([
                "mutants",
                // The files are listed here; the configuration file is for manual runs.
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
            command.arg("-f").arg(path(file));
        }
        // Restricts what is built; arguments after the dashes only restrict what runs.
        command.args([
            "--cargo-arg=--lib",
            "--cargo-arg=--test=integration",
            FAST_DEPENDENCIES,
        ]);
        command.args(["--", "--"]);
        command.args(["-Z", "unstable-options", "--fail-fast"]);
        for test in SKIPPED {
            command.args(["--skip", test]);
        }
        // `--fail-fast` of the test harness is unstable, and this enables it on the stable compiler.
        command.env("RUSTC_BOOTSTRAP", "1").env_remove("RUSTFLAGS");
        let ran = command.current_dir(root).output();
        let [whole, caught, timeout, missed] =
            ["outcomes.json", "caught.txt", "timeout.txt", "missed.txt"]
                .map(|name| std::fs::read_to_string(out.join("mutants.out").join(name)).ok());
        let _ = std::fs::remove_dir_all(&out);
        let whole = whole.and_then(|text| serde_json::from_str::<Value>(&text).ok());
        if !whole.is_some_and(|outcomes| outcomes["end_time"].is_string()) {
            let output = ran.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
            report.expect(false, || {
                format!("cargo-mutants did not finish: {output:?}")
            });
            return None;
        }
        let lines = |text: Option<String>| -> Vec<String> {
            text.unwrap_or_default()
                .lines()
                .map(str::to_owned)
                .collect()
        };
        Some(Self {
            // A mutant that makes the tests time out is caught too.
            caught: [lines(caught), lines(timeout)].concat(),
            missed: lines(missed),
        })
    }

    /// The mutants in these files.
    fn within(&self, files: &[&str]) -> Self {
        let is_within = |mutant: &&String| {
            let place = mutant.split(':').next().unwrap_or_default();
            files.iter().any(|file| place == path(file))
        };
        let kept = |mutants: &[String]| mutants.iter().filter(is_within).cloned().collect();
        Self {
            caught: kept(&self.caught),
            missed: kept(&self.missed),
        }
    }

    fn all(&self) -> usize {
        self.caught.len() + self.missed.len()
    }
}

fn path(file: &str) -> String {
    format!("function/src/{file}")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn listed_files_exist_and_all_files_of_send_are_listed() {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../src");
        for file in STRICT.iter().chain(&CORE) {
            assert!(source.join(file).is_file(), "{file} does not exist");
        }
        for entry in source.join("send").read_dir().expect("is a folder") {
            let name = entry.expect("can be read").file_name();
            let file = format!("send/{}", name.to_string_lossy());
            assert!(CORE.contains(&file.as_str()), "{file} is not listed");
        }
    }
}
