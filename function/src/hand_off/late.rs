//! The note on a message that is delivered late. Owns when a message is late, and the words.

use std::time::SystemTime;

use crate::limits::LIMITS;

/// The text, with the time of the webhook if that was more than a minute ago.
///
/// A text that would become longer than Rocket.Chat allows stays as it is.
pub(super) fn noted(text: String, received_at: SystemTime, now: SystemTime) -> String {
    let age = now.duration_since(received_at).unwrap_or_default();
    if age < LIMITS.hand_off.late_after {
        return text;
    }
    let noted = format!("{text}\n_late, from {}_", time(received_at, now));
    if noted.encode_utf16().count() > LIMITS.texts.message {
        return text;
    }
    noted
}

/// The time of day in UTC, and the date unless it is that of `now`.
fn time(time: SystemTime, now: SystemTime) -> String {
    let [time, now] = [time, now].map(|time| humantime::format_rfc3339_seconds(time).to_string());
    // As in 2026-11-27T14:03:00Z.
    let (date, clock) = time.split_once('T').unwrap_or(("", &time));
    let clock = clock.get(..5).unwrap_or(clock);
    if now.starts_with(date) {
        format!("{clock} UTC")
    } else {
        format!("{date} {clock} UTC")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(text: &str) -> SystemTime {
        humantime::parse_rfc3339(text).expect("is a time")
    }

    #[test]
    fn a_late_message_says_since_when() {
        let received = at("2026-11-27T14:03:59Z");
        for (now, expected) in [
            ("2026-11-27T14:04:58Z", "text"),
            ("2026-11-27T14:04:59Z", "text\n_late, from 14:03 UTC_"),
            (
                "2026-11-28T00:00:00Z",
                "text\n_late, from 2026-11-27 14:03 UTC_",
            ),
            // The clocks of two nodes differ.
            ("2026-11-27T14:00:00Z", "text"),
        ] {
            assert_eq!(noted("text".to_owned(), received, at(now)), expected);
        }
    }

    #[test]
    fn the_note_makes_no_message_too_long() {
        let received = at("2026-11-27T14:03:59Z");
        let now = received + Duration::from_hours(1);
        let note = "\n_late, from 14:03 UTC_".len();
        let longest = "x".repeat(LIMITS.texts.message - note);
        assert_eq!(
            noted(longest.clone(), received, now).len(),
            LIMITS.texts.message
        );
        let longer = format!("{longest}x");
        assert_eq!(noted(longer.clone(), received, now), longer);
    }
}
