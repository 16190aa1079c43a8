//! The current time, and times in the formats of Rocket.Chat and GitLab. What time it is for the fake GitLab is in
//! [`crate::gitlab`], because tests move its clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Unix milliseconds, `ahead` of now.
pub(crate) fn epoch_milliseconds(ahead: Duration) -> u128 {
    (since_1970() + ahead).as_millis()
}

/// Now as ISO 8601 in UTC with milliseconds.
pub(crate) fn iso_now() -> String {
    iso(since_1970())
}

pub(crate) fn since_1970() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}

/// A time after 1970 as ISO 8601 in UTC with milliseconds.
pub(crate) fn iso(since: Duration) -> String {
    let seconds = since.as_secs();
    let (year, month, day) = civil(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    let milliseconds = since.subsec_millis();
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milliseconds:03}Z")
}

/// A time after 1970 as in the header `Date`.
pub(crate) fn http_date(since: Duration) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let seconds = since.as_secs();
    let days = seconds / 86_400;
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    let weekday = DAYS
        .iter()
        .cycle()
        .nth(usize::try_from(days % 7).unwrap_or_default());
    let month = MONTHS.iter().nth(usize::try_from(month).unwrap_or(1) - 1);
    let (weekday, month) = (weekday.unwrap_or(&"Thu"), month.unwrap_or(&"Jan"));
    format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT")
}

/// Reads ISO 8601: a date, or a date and a time with `Z` or an offset. None if it is something else or before 1970.
pub(crate) fn parse_iso(text: &str) -> Option<Duration> {
    let (date, time) = text.split_at_checked(10)?;
    let number = |part: &str| -> Option<u64> {
        let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| part.parse().ok()).flatten()
    };
    let mut parts = date.split('-').map(number);
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    // The day of the era is found by counting, because only tests read times.
    let around = year.checked_sub(1970)? * 365;
    let days = (around..around + 1000).find(|&days| civil(days) == (year, month, day))?;
    let Some(time) = time.strip_prefix(['T', ' ']) else {
        return time.is_empty().then(|| Duration::from_secs(days * 86_400));
    };
    let end = time.find(['Z', '+', '-']).unwrap_or(time.len());
    let (clock, zone) = time.split_at(end);
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let mut parts = clock.split(':').map(number);
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let milliseconds = number(&format!("{fraction:0<3}")[..3])?;
    let seconds = days * 86_400 + hour * 3600 + minute * 60 + second;
    let seconds = match zone.split_at_checked(1) {
        None | Some(("Z", "")) => seconds,
        Some((sign, offset)) => {
            let offset = offset.replace(':', "");
            let (hours, minutes) = offset.split_at_checked(2)?;
            let offset = number(hours)? * 3600 + number(minutes)? * 60;
            if sign == "+" {
                seconds.checked_sub(offset)?
            } else {
                seconds + offset
            }
        }
    };
    Some(Duration::from_secs(seconds) + Duration::from_millis(milliseconds))
}

/// The date of a day counted from 1970. Years start in March, so that a leap day is the last day of its year.
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    #[test]
    fn iso_8601_is_read() {
        let cases = [
            ("1970-01-01", Some(0)),
            ("2000-02-29T00:00:00Z", Some(951_782_400_000)),
            ("2026-06-11T17:46:40.000Z", Some(1_781_200_000_000)),
            ("2026-06-11T19:46:40.5+02:00", Some(1_781_200_000_500)),
            ("2026-06-11T16:46:40-0100", Some(1_781_200_000_000)),
            ("2026-02-29", None),
            ("2026-06-11T25:00:00Z", None),
            ("2026-06-11Tnoon", None),
            ("yesterday", None),
            ("", None),
        ];

        for (text, expected) in cases {
            let expected = expected.map(Duration::from_millis);
            assert_eq!(super::parse_iso(text), expected, "{text}");
        }
    }

    #[test]
    fn instants_are_formatted_as_in_http() {
        let cases = [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (1_781_200_000, "Thu, 11 Jun 2026 17:46:40 GMT"),
        ];

        for (seconds, expected) in cases {
            assert_eq!(super::http_date(Duration::from_secs(seconds)), expected);
        }
    }

    #[test]
    fn instants_are_formatted_as_iso_8601() {
        let cases = [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_781_200_000_000, "2026-06-11T17:46:40.000Z"),
        ];

        for (milliseconds, expected) in cases {
            assert_eq!(super::iso(Duration::from_millis(milliseconds)), expected);
        }
    }
}
