//! What happens if a tool or a data set is missing. Owns the report of a skipped test, and the rule that
//! `REQUIRE_TOOLS=1`, which pipelines set, turns a skip for want of a tool into a failure.

use std::io::{Write as _, stderr};
use std::process::{Command, Output};

/// Reports a test that is skipped because a tool is missing; fails it if `REQUIRE_TOOLS=1` is set.
#[expect(
    clippy::disallowed_methods,
    reason = "the variable is read by the tests and is not a setting of the program"
)]
pub(crate) fn report_skipped(reason: &str) {
    let is_required = std::env::var("REQUIRE_TOOLS").is_ok_and(|value| value == "1");
    assert!(!is_required, "{reason}, and REQUIRE_TOOLS=1 is set");
    report_without_data(reason);
}

/// Reports a test that is skipped because a data set is missing. Data sets are not tools: most machines lack them.
pub(crate) fn report_without_data(reason: &str) {
    // Not with eprintln, which the test harness captures.
    let _ = writeln!(stderr(), "SKIPPED: {reason}");
}

/// Runs the tests that use a program, where none is installed.
fn without_programs(required: &str) -> Output {
    let tests = std::env::current_exe().expect("has a path");
    Command::new(tests)
        .args(["promtool_reports_no_problem", "verdicts_have_colors"])
        .env("PATH", "/nonexistent")
        .env("REQUIRE_TOOLS", required)
        .output()
        .expect("starts")
}

#[test]
fn a_missing_program_is_a_failure_if_tools_are_required() {
    let [skipping, requiring] = ["0", "1"].map(without_programs);

    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(skipping.status.success(), "{}", text(&skipping.stdout));
    assert_eq!(text(&skipping.stderr).matches("SKIPPED: ").count(), 2);
    let report = text(&requiring.stdout);
    assert!(report.contains("0 passed; 2 failed"), "{report}");
    assert!(report.contains("promtool is not installed"), "{report}");
}
