//! What the headers of a response say about the server: its clock, and whether it limits the rate of the
//! account's calls. Owns how they are read; what follows is decided in `webhook-app check`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::HeaderMap;

/// What the headers of one response say.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct ServerHeaders {
    /// `Date`, in whole seconds.
    pub(crate) date: Option<SystemTime>,
    /// `X-RateLimit-Limit`, which the server sends only to accounts that it limits.
    pub(crate) rate_limit: Option<u64>,
}

impl ServerHeaders {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let text = |name| headers.get(name)?.to_str().ok();
        Self {
            date: text("date").and_then(date),
            rate_limit: text("x-ratelimit-limit").and_then(|limit| limit.parse().ok()),
        }
    }
}

/// A date such as `Fri, 27 Nov 2026 07:08:16 GMT`, the only format that servers may send.
fn date(text: &str) -> Option<SystemTime> {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let (_, date) = text.split_once(", ")?;
    let mut parts = date.strip_suffix(" GMT")?.split([' ', ':']);
    let day: u64 = parts.next()?.parse().ok()?;
    let name = parts.next()?;
    let month = MONTHS.iter().position(|month| *month == name)?;
    let mut number = || parts.next()?.parse::<u64>().ok();
    let (year, hours, minutes, seconds) = (number()?, number()?, number()?, number()?);
    let is_possible = (1970..=9999).contains(&year) && (1..=31).contains(&day) && hours < 24;
    if !is_possible || minutes >= 60 || seconds > 60 {
        return None;
    }
    let days = days_before(year) + days_in_year_before(month, is_leap(year)) + day - 1;
    let seconds = ((days * 24 + hours) * 60 + minutes) * 60 + seconds;
    Some(UNIX_EPOCH + Duration::from_secs(seconds))
}

/// The days from 1970 to the start of a year.
fn days_before(year: u64) -> u64 {
    let leap_days = |year: u64| year / 4 - year / 100 + year / 400;
    (year - 1970) * 365 + leap_days(year - 1) - leap_days(1969)
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_in_year_before(month: usize, is_leap: bool) -> u64 {
    const DAYS: [u64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    DAYS[month] + u64::from(is_leap && month > 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_read_in_the_one_format_of_http() {
        for (text, expected) in [
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(784_111_777)),
            ("Tue, 29 Feb 2000 23:59:59 GMT", Some(951_868_799)),
            ("Wed, 01 Mar 2000 00:00:00 GMT", Some(951_868_800)),
            ("Thu, 29 Feb 2024 12:00:00 GMT", Some(1_709_208_000)),
            ("Fri, 27 Nov 2026 07:08:16 GMT", Some(1_795_763_296)),
            ("Mon, 01 Mar 2100 00:00:00 GMT", Some(4_107_542_400)),
            ("Fri, 27 Nov 2026 24:08:16 GMT", None),
            ("Fri, 27 Nov 2026 07:08:16 +0000", None),
            ("Fri, 99999999999999999999 Nov 2026 07:08:16 GMT", None),
            ("27 Nov 2026", None),
            ("", None),
        ] {
            let expected = expected.map(|seconds| UNIX_EPOCH + Duration::from_secs(seconds));
            assert_eq!(date(text), expected, "{text}");
        }
    }
}
