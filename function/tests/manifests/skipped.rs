//! What happens if a tool is missing. The report of a skipped test is in `report_skipped`; here is only checked that
//! the tests of this program and the scripts make it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output};

use crate::rendered::repository;
use crate::sandbox::shell;

#[path = "../common/report_skipped.rs"]
mod report_skipped;

pub(crate) use report_skipped::report_skipped;

/// Runs all other tests of this program where only bash is installed.
fn without_tools(required: &str) -> Output {
    let programs = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("only-bash-{required}"));
    let _ = fs::remove_dir_all(&programs);
    fs::create_dir_all(&programs).expect("can be made");
    symlink(shell("command -v bash"), programs.join("bash")).expect("can be made");
    let tests = std::env::current_exe().expect("has a path");
    Command::new(tests)
        .args(["--skip", "skipped::"])
        .env("PATH", programs)
        .env("REQUIRE_TOOLS", required)
        .output()
        .expect("starts")
}

/// Runs a line of bash in the root of the repository.
fn bash(line: &str, required: &str) -> Output {
    Command::new("bash")
        .args(["-c", line])
        .env("REQUIRE_TOOLS", required)
        .current_dir(repository())
        .output()
        .expect("starts")
}

#[test]
fn a_skipped_part_of_a_script_is_a_failure_if_tools_are_required() {
    for (case, line) in [
        (
            "any script",
            "function/ci/skip 'sizes; jq is not installed'",
        ),
        (
            "a step of the end-to-end tests",
            "root=$PWD; . function/tests/e2e/assert.sh; . function/tests/e2e/cluster.sh; \
             if skip gateway 'the cluster has no GatewayClass'; then echo continues; fi",
        ),
    ] {
        let [skipping, requiring] = ["", "1"].map(|required| bash(line, required));

        let output = String::from_utf8_lossy(&skipping.stdout);
        assert!(skipping.status.success(), "{case}");
        assert!(output.contains("SKIPPED: "), "{case}: {output}");
        let output = String::from_utf8_lossy(&requiring.stdout);
        assert_eq!(requiring.status.code(), Some(1), "{case}");
        assert!(!output.contains("continues"), "{case}: {output}");
    }
}

#[test]
fn every_skip_is_a_failure_if_tools_are_required() {
    let [skipping, requiring] = ["0", "1"].map(without_tools);

    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let count = |text: String, part: &str| text.matches(part).count();
    assert!(skipping.status.success(), "{}", text(&skipping.stdout));
    assert!(count(text(&skipping.stderr), "SKIPPED: ") > 40);
    assert!(!requiring.status.success());
    assert_eq!(count(text(&requiring.stderr), "SKIPPED: "), 0);
    assert!(count(text(&requiring.stdout), "... FAILED") > 40);
}
