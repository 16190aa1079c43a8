//! The note on a message that is sent long after its event. Owns when a message is late, and the words.
//! Used for what [`hand_off`](crate::hand_off) takes back from a broker and for webhooks that name the time of
//! their event.

use std::time::SystemTime;

use super::notification::Notification;
use crate::limits::LIMITS;

impl Notification {
    /// The same notification, whose text has the time of its event if that was more than a minute ago.
    ///
    /// A text that has the note already, or would become longer than Rocket.Chat allows, stays as it is.
    #[must_use]
    pub(crate) fn noted_if_late(self, occurred_at: SystemTime, now: SystemTime) -> Self {
        if self.says_late {
            return self;
        }
        match noted(&self.text, occurred_at, now) {
            Some(text) => Self {
                text,
                says_late: true,
                ..self
            },
            None => self,
        }
    }
}

/// The text with a note; `None` if it is not late, or would become too long.
fn noted(text: &str, occurred_at: SystemTime, now: SystemTime) -> Option<String> {
    let age = now.duration_since(occurred_at).unwrap_or_default();
    if age < LIMITS.lateness.late_after {
        return None;
    }
    let noted = format!("{text}\n_late, from {}_", time(occurred_at, now));
    (noted.encode_utf16().count() <= LIMITS.texts.message).then_some(noted)
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
    use crate::rocketchat::{Destination, MessageKey, Username};

    fn at(text: &str) -> SystemTime {
        humantime::parse_rfc3339(text).expect("is a time")
    }

    fn notification(text: &str) -> Notification {
        let alice = Destination::User(Username::parse("alice").expect("is a name"));
        let key = MessageKey::derive(&["a"]);
        Notification::new(key, alice, text.to_owned(), String::new())
    }

    fn noted(text: &str, occurred_at: SystemTime, now: SystemTime) -> String {
        notification(text).noted_if_late(occurred_at, now).text
    }

    #[test]
    fn a_late_message_says_since_when() {
        let occurred = at("2026-11-27T14:03:59Z");
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
            assert_eq!(noted("text", occurred, at(now)), expected);
        }
    }

    #[test]
    fn a_message_that_is_late_twice_has_one_note_with_the_earlier_time() {
        let occurred = at("2026-11-27T14:03:00Z");
        let received = at("2026-11-27T15:00:00Z");
        let now = at("2026-11-27T16:00:00Z");
        let sent = notification("text").noted_if_late(occurred, received);
        let kept = serde_json::to_vec(&sent).expect("can be written");
        let back: Notification = serde_json::from_slice(&kept).expect("can be read");
        let again = back.noted_if_late(received, now);
        assert_eq!(again.text, "text\n_late, from 14:03 UTC_");
    }

    #[test]
    fn the_note_makes_no_message_too_long() {
        let occurred = at("2026-11-27T14:03:59Z");
        let now = occurred + Duration::from_hours(1);
        let note = "\n_late, from 14:03 UTC_".len();
        let longest = "x".repeat(LIMITS.texts.message - note);
        assert_eq!(noted(&longest, occurred, now).len(), LIMITS.texts.message);
        let longer = format!("{longest}x");
        assert_eq!(noted(&longer, occurred, now), longer);
    }
}
