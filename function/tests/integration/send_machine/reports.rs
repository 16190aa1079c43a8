//! Which status and which counts the results of the recipients lead to, for every combination of them.

use super::*;

fn all_results(recipient: &str) -> Vec<SendResult> {
    let id = id(&key("key"), &room(recipient));
    let delivered = ConfirmedBy::ALL.map(|confirmed_by| SendResult::Delivered {
        id: id.clone(),
        confirmed_by,
    });
    let errors = ApiError::ALL.map(SendError::Api);
    let failed = errors
        .into_iter()
        .chain([SendError::IdTaken, SendError::NoTime]);
    let unreachable = SendResult::Unreachable(Unreachable::UnknownUser);
    let others = [SendResult::Withheld, SendResult::Overloaded, unreachable];
    let results = delivered.into_iter().chain(others);
    results.chain(failed.map(SendResult::Failed)).collect()
}

/// Asserts that the report of these results has the right status and counts.
fn assert_report_matches(results: &[SendResult], source: RecipientSource) {
    let rooms = ["room-a", "room-b", "room-c"].map(room);
    let once = Attempts {
        retries: 1,
        rate_limit_waits: 2,
    };
    let recipients: Vec<_> = rooms
        .into_iter()
        .zip(results)
        .map(|(room, result)| RecipientResult {
            destination: Destination::Room(room),
            source,
            result: result.clone(),
            attempts: once,
            hand_off: HandOffResult::None,
        })
        .collect();
    let report = Report::sent(Facts::default(), recipients.clone(), Duration::ZERO);
    let count = |is: fn(&SendResult) -> bool| results.iter().filter(|result| is(result)).count();
    let delivered = count(|result| matches!(result, SendResult::Delivered { .. }));
    let withheld = count(|result| matches!(result, SendResult::Withheld));
    let unreachable = count(|result| matches!(result, SendResult::Unreachable(_)));
    let taken = count(|result| matches!(result, SendResult::Failed(SendError::IdTaken)));
    let is_named = source == RecipientSource::Configuration;
    let expected = match (delivered, unreachable) {
        _ if delivered + withheld + unreachable + taken < results.len() => 503,
        (1.., _) => 200,
        _ if taken > 0 => 503,
        (_, 1..) if is_named => 503,
        (_, 1..) => 200,
        _ => 204,
    };
    assert_eq!(report.outcome.status(), expected, "{results:?}");
    let is_skipped = expected == 204 || (expected == 200 && delivered == 0);
    assert_eq!(report.send_time.is_none(), is_skipped, "{results:?}");
    assert_eq!(report.recipients, recipients, "a recipient is missing");
    let attempts = report.attempts();
    assert_eq!(attempts.retries, results.len() as u64, "{results:?}");
    assert_eq!(
        attempts.rate_limit_waits,
        2 * results.len() as u64,
        "{results:?}"
    );
}

#[test]
fn every_combination_of_results_has_the_right_status() {
    let [a, b, c] = ["room-a", "room-b", "room-c"].map(all_results);
    let mut combinations = 0;
    let mut check = |results: &[SendResult]| {
        for source in [RecipientSource::Role, RecipientSource::Configuration] {
            assert_report_matches(results, source);
        }
        combinations += 1;
    };
    for first in a {
        check(std::slice::from_ref(&first));
        for second in &b {
            check(&[first.clone(), second.clone()]);
            for third in &c {
                check(&[first.clone(), second.clone(), third.clone()]);
            }
        }
    }
    println!("{combinations} combinations");
    assert_eq!(combinations, 39 + 39 * 39 + 39 * 39 * 39);
}
