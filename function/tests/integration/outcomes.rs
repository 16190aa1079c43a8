//! What a sender is told of every way in which a webhook can fail: one table for all of them.

use std::fmt::Write as _;
use std::time::Duration;

use webhook_app::outcome::Failure;
use webhook_app::rocketchat::response::ApiError;
use webhook_app::send::SendError;

#[test]
fn every_failure_has_a_status_a_word_and_advice() {
    let mut table = String::new();
    for failure in Failure::every() {
        let (status, reason) = (failure.status(), failure.reason());
        let retry = failure.retry_after();
        assert_eq!(retry.is_some(), status == 503, "{reason}");
        let retry = retry.map_or_else(String::new, |seconds| format!(" in {seconds} s"));
        let _ = writeln!(table, "{status} {reason}{retry}: {}", failure.detail());
    }
    insta::assert_snapshot!(table);
}

#[test]
fn a_limit_of_the_chat_server_says_when_it_is_lifted() {
    let limited = |seconds| ApiError::RateLimited(Some(Duration::from_secs(seconds)));
    let retry = |seconds| Failure::Send(SendError::Api(limited(seconds))).retry_after();
    // A second more, for it is told in whole ones.
    assert_eq!((retry(0), retry(59)), (Some(1), Some(60)));
}
