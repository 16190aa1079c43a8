//! The report of a test that does not run. Owns the rule that `REQUIRE_TOOLS=1`, which pipelines set, turns a skip for
//! want of a tool into a failure. Part of several test programs; each tests its skips.

use std::io::{Write as _, stderr};

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
