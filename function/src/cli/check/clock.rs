//! The clock of this machine, compared with that of Rocket.Chat. Owns which difference matters: the time of
//! a signature is compared with the clock.

use std::time::SystemTime;

use super::Finding;
use crate::limits::LIMITS;

/// What follows from the time of a response, which is in whole seconds. `signatures` says whether the
/// times of signatures are compared with the clock.
pub(super) fn check(own: SystemTime, server: SystemTime, signatures: bool) -> Option<Finding> {
    let (difference, direction) = match own.duration_since(server) {
        Ok(ahead) => (ahead.as_secs(), "ahead of"),
        Err(behind) => (behind.duration().as_secs(), "behind"),
    };
    let text = format!(
        "the clock of this machine is {difference} s {direction} that of Rocket.Chat; synchronize both"
    );
    let tolerance = LIMITS.events.signature_tolerance_seconds;
    if signatures && difference > tolerance {
        return Some(Finding::Failure(format!(
            "{text}: signatures of GitLab are refused if the difference is more than {tolerance} s"
        )));
    }
    let is_notable = difference > LIMITS.client.notable_clock_difference_seconds;
    is_notable.then_some(Finding::Note(text))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn more_than_a_minute_is_a_note_and_more_than_five_a_failure() {
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        for (own, server, mark) in [
            (1000, 1000, ""),
            (1060, 1000, ""),
            (1000, 1060, ""),
            (1061, 1000, "note"),
            (1000, 1061, "note"),
            (1300, 1000, "note"),
            (1301, 1000, "fail"),
            (1000, 1301, "fail"),
        ] {
            let found = match check(at(own), at(server), true) {
                Some(Finding::Note(_)) => "note",
                Some(Finding::Failure(_)) => "fail",
                _ => "",
            };
            assert_eq!(found, mark, "{own} {server}");
        }
    }
}
