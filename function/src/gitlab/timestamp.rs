//! Times in GitLab's JSON. Owns the formats that GitLab writes. A time that only distinguishes two
//! deliveries stays text, in the file of its kind.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Seconds from a time zone to UTC at most; the zones of the world are within 14 hours.
const DAY: i64 = 24 * 3600;

/// 10000-01-01, from which on RFC 3339 has no times.
const YEAR_10000: u64 = 253_402_300_800;

/// The Unix time in whole seconds; `None` for anything but a time from 1970 to 9999.
///
/// GitLab writes `2016-08-12 15:26:29 UTC`, the time zone of the instance in place of `UTC`, such as
/// `+0200`, or RFC 3339. Without a time zone, the time is in UTC.
pub(crate) fn unix_seconds(text: &str) -> Option<u64> {
    let (local, offset) = split_zone(text)?;
    let time = humantime::parse_rfc3339_weak(local).ok()?;
    let seconds = time.duration_since(UNIX_EPOCH).ok()?.as_secs();
    let seconds = seconds.checked_add_signed(-offset)?;
    (seconds < YEAR_10000).then_some(seconds)
}

/// The time in whole seconds, in RFC 3339 only, which names the time zone.
pub(super) fn rfc3339(text: &str) -> Option<SystemTime> {
    let (date, time) = text.split_once('T')?;
    let has_zone = matches!(
        time.as_bytes(),
        [.., b'+' | b'-', _, _, b':', _, _] | [.., b'Z']
    );
    let is_date = date.len() == "2016-08-12".len();
    let seconds = unix_seconds(text).filter(|_| is_date && has_zone)?;
    Some(UNIX_EPOCH + Duration::from_secs(seconds))
}

/// The time without its zone, and how many seconds the zone is ahead of UTC.
fn split_zone(text: &str) -> Option<(&str, i64)> {
    if let Some(local) = text.strip_suffix("UTC").or(text.strip_suffix(['Z', 'z'])) {
        return Some((local.trim_end(), 0));
    }
    // The hyphens of the date are before this.
    let time = "2016-08-12".len();
    let Some(sign) = text.get(time..)?.find(['+', '-']) else {
        return Some((text, 0));
    };
    let (local, zone) = text.split_at_checked(time + sign)?;
    let (sign, zone) = zone.split_at_checked(1)?;
    let seconds = offset(zone)?;
    let ahead = if sign == "+" { seconds } else { -seconds };
    Some((local.trim_end(), ahead))
}

/// The seconds of `hhmm` or `hh:mm`.
fn offset(zone: &str) -> Option<i64> {
    let (hours, minutes) = zone.split_at_checked(2)?;
    let minutes = minutes.strip_prefix(':').unwrap_or(minutes);
    let number = |digits: &str| {
        let is_number = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        digits.parse::<i64>().ok().filter(|_| is_number)
    };
    let seconds = number(hours)? * 3600 + number(minutes).filter(|minutes| *minutes < 60)? * 60;
    (seconds < DAY).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_in_every_format_of_gitlab() {
        for text in [
            "2016-08-12 15:26:29 UTC",
            "2016-08-12 15:26:29",
            "2016-08-12 15:26:29 +0000",
            "2016-08-12 15:26:29 -0000",
            "2016-08-12 17:26:29 +0200",
            "2016-08-12 08:26:29 -0700",
            "2016-08-12 20:56:29 +0530",
            "2016-08-13 05:26:29 +1400",
            "2016-08-12T15:26:29",
            "2016-08-12T15:26:29Z",
            "2016-08-12T15:26:29z",
            "2016-08-12T15:26:29.123Z",
            "2016-08-12T15:26:29.123",
            "2016-08-12T17:26:29+02:00",
            "2016-08-12T11:56:29.999999-03:30",
        ] {
            assert_eq!(unix_seconds(text), Some(1_471_015_589), "{text}");
        }
        assert_eq!(unix_seconds("1970-01-01 02:00:00 +0200"), Some(0));
    }

    #[test]
    fn times_in_different_zones_have_the_order_of_their_instants() {
        let earlier = unix_seconds("2026-03-02 10:02:00 +0200");
        let later = unix_seconds("2026-03-02 09:02:01 +0100");
        assert_eq!(earlier.map(|seconds| seconds + 1), later);
        assert!(later.is_some());
    }

    #[test]
    fn a_time_in_rfc_3339_names_its_zone() {
        for (text, is_read) in [
            ("2016-08-12T15:26:29Z", true),
            ("2016-08-12T15:26:29.123Z", true),
            ("2016-08-12T17:26:29+02:00", true),
            ("2016-08-12T15:26:29", false),
            ("2016-08-12T15:26:29UTC", false),
            ("2016-08-12T17:26:29+0200", false),
            ("2016-08-12 15:26:29Z", false),
            ("12T15:26:29Z", false),
            ("T", false),
            ("", false),
        ] {
            let expected = is_read.then(|| UNIX_EPOCH + Duration::from_secs(1_471_015_589));
            assert_eq!(rfc3339(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "yesterday",
            "UTC",
            "Z",
            "+0200",
            "2016-08-12",
            "2016-08-12 15:26",
            "2016-08-12 15:26:29 CEST",
            "2016-08-12 15:26:29 +",
            "2016-08-12 15:26:29 +2",
            "2016-08-12 15:26:29 +02",
            "2016-08-12 15:26:29 +020",
            "2016-08-12 15:26:29 +02000",
            "2016-08-12 15:26:29 +0260",
            "2016-08-12 15:26:29 +2400",
            "2016-08-12 15:26:29 ++200",
            "2016-08-12 15:26:29 +0é0",
            "2016-08-12 15:26:29 é",
            "2016-13-12 15:26:29 UTC",
            "2016-08-12 25:26:29 UTC",
            "1969-12-31 23:59:59 UTC",
            "1970-01-01 00:00:00 +0200",
            "ééééééééééééééé",
        ] {
            assert_eq!(unix_seconds(text), None, "{text}");
        }
    }
}
