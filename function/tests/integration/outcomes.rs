//! The response to every failure of a webhook: status, reason and advice, in one table.

use std::fmt::Write as _;
use std::time::Duration;

use webhook_app::outcome::Failure;
use webhook_app::rocketchat::response::ApiError;
use webhook_app::send::SendError;

#[test]
fn every_failure_has_a_status_a_reason_and_advice() {
    let mut table = String::new();
    for failure in Failure::every() {
        let (status, reason) = (failure.status(), failure.reason());
        let retry = failure.retry_after();
        assert_eq!(retry.is_some(), status == 503, "{reason}");
        let retry = retry.map_or_else(String::new, |seconds| format!(" in {seconds} s"));
        let _ = writeln!(table, "{status} {reason}{retry}: {}", failure.detail());
    }
    insta::assert_snapshot!("responses_to_all_failures", table);
}

#[test]
fn a_rate_limit_sets_retry_after() {
    let limited = |seconds| ApiError::RateLimited(Some(Duration::from_secs(seconds)));
    let retry = |seconds| Failure::Send(SendError::Api(limited(seconds))).retry_after();
    // Rounded up to the next whole second.
    assert_eq!((retry(0), retry(59)), (Some(1), Some(60)));
}
