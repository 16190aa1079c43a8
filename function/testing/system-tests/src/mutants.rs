//! Check `mutants`: the code is broken on purpose, one place at a time, and the tests must see it. Owns which
//! files this is asked of; the breaking is done by cargo-mutants, in a copy of the checkout.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::check::{Finding, Size};

/// Who is let in and what makes a message unique: every change must be seen.
const STRICT: [&str; 5] = [
    "digest.rs",
    "rocketchat.rs",
    "gitlab/idempotency_key.rs",
    "gitlab/verification.rs",
    "gitlab/signature.rs",
];

/// The rest of the core.
const CORE: [&str; 15] = [
    "send.rs",
    "send/deadline.rs",
    "send/precondition.rs",
    "send/result.rs",
    "send/retry_budget.rs",
    "send/sender.rs",
    "notifier/fixed_pipeline.rs",
    "notifier/live_pipeline.rs",
    "gitlab/commit.rs",
    "gitlab/event.rs",
    "gitlab/push.rs",
    "outcome.rs",
    "outcome/report.rs",
    "rocketchat/markup.rs",
    "rocketchat/response.rs",
];

/// Tests that tell of sockets, processes, words and other programs, and take long.
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

/// What the tests stand on is built once and runs once for every change.
const FAST_DEPENDENCIES: &str = r#"--cargo-arg=--config=profile.dev.package."*".opt-level=1"#;

/// Runs the check.
pub(crate) fn check(size: Size) -> Finding {
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
    let core: &[&str] = size.of(&[], &[], &CORE);
    let files = [&STRICT, core].concat();
    let mut finding = Finding::default();
    let Some(mutants) = Mutants::of(&files, &mut finding) else {
        return finding;
    };
    let strict = mutants.within(&STRICT);
    for mutant in &strict.missed {
        finding.expect(false, || format!("nobody sees: {mutant}"));
    }
    finding.expect(strict.all() > 0, || "there was nothing to break".to_owned());
    let mut figure = format!(
        "auth and id: {} of {} seen",
        strict.caught.len(),
        strict.all()
    );
    if !core.is_empty() {
        let core = mutants.within(core);
        let (caught, all) = (core.caught.len(), core.all());
        finding.expect(all > 0 && caught * 10 >= all * 9, || {
            format!("core: {caught} of {all} seen; not {:#?}", core.missed)
        });
        figure = format!("{figure}; core: {caught} of {all}");
    }
    finding.done(format!(
        "every change that cargo-mutants knows in {} files",
        files.len()
    ));
    finding.figure(figure);
    finding
}

/// Changes that could be built: each begins with its file.
struct Mutants {
    caught: Vec<String>,
    missed: Vec<String>,
}

impl Mutants {
    /// Makes every change to these files; `None` if that did not come to its end.
    fn of(files: &[&str], finding: &mut Finding) -> Option<Self> {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../..");
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
            command.arg("-f").arg(path(file));
        }
        // Only these are built; what is named behind the dashes would only run.
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
        // The stable test harness stops at the first failure, and hides that behind this.
        command.env("RUSTC_BOOTSTRAP", "1").env_remove("RUSTFLAGS");
        let ran = command.current_dir(root).output();
        let [whole, caught, timeout, missed] =
            ["outcomes.json", "caught.txt", "timeout.txt", "missed.txt"]
                .map(|name| std::fs::read_to_string(out.join("mutants.out").join(name)).ok());
        let _ = std::fs::remove_dir_all(&out);
        let whole = whole.and_then(|text| serde_json::from_str::<Value>(&text).ok());
        if !whole.is_some_and(|outcomes| outcomes["end_time"].is_string()) {
            let said = ran.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
            finding.expect(false, || {
                format!("cargo-mutants did not come to its end: {said:?}")
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
            // A change that makes the tests run for ever has been seen too.
            caught: [lines(caught), lines(timeout)].concat(),
            missed: lines(missed),
        })
    }

    /// Those in these files.
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
