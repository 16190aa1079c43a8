//! What happens if a tool or a data set is missing. The report of a skipped test is in `report_skipped`; here is only
//! checked that the tests of this program make it.

use std::process::{Command, Output};

#[path = "../common/report_skipped.rs"]
mod report_skipped;

pub(crate) use report_skipped::{report_skipped, report_without_data};

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
