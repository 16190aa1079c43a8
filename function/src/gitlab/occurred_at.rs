//! When the event of a webhook occurred, if that was long ago. Owns the fields `webhook_app.occurred_at`, which
//! `webhook-app reconcile` adds to what it sends again, and which of its values are believed. What a message
//! then says is in `notifier::late`.

use std::time::SystemTime;

use serde::Deserialize;

use super::lenient::{Lenient, LenientObject};
use super::timestamp;
use crate::limits::LIMITS;

/// The fields that are ours and not GitLab's.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct OwnFields {
    occurred_at: Lenient,
}

/// The field `webhook_app` of a body.
pub(super) type Own = LenientObject<OwnFields>;

impl Own {
    /// When the event occurred; `None` if the body does not say so.
    pub(super) fn occurred_at(&self) -> Option<OccurredAt> {
        match &self.0.occurred_at {
            Lenient::Missing => None,
            value => Some(OccurredAt(timestamp::rfc3339(value.as_str()))),
        }
    }
}

/// A time as a body says it; `None` if it cannot be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct OccurredAt(Option<SystemTime>);

/// Why the time in a body is ignored.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum OccurredAtError {
    /// It is no time in RFC 3339.
    Unreadable,
    /// It is in the future.
    Future,
    /// No event that GitLab still knows is as old.
    TooOld,
}

impl OccurredAt {
    /// The time, if an event that is sent at `now` can have it.
    pub(crate) fn checked(self, now: SystemTime) -> Result<SystemTime, OccurredAtError> {
        let time = self.0.ok_or(OccurredAtError::Unreadable)?;
        match (now.duration_since(time), time.duration_since(now)) {
            (Ok(age), _) if age > LIMITS.lateness.max_age => Err(OccurredAtError::TooOld),
            (_, Ok(ahead)) if ahead > LIMITS.lateness.clock_difference => {
                Err(OccurredAtError::Future)
            }
            _ => Ok(time),
        }
    }
}

impl OccurredAtError {
    /// The label in logs.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::Future => "future",
            Self::TooOld => "too_old",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    fn read(webhook_app: &str) -> Option<OccurredAt> {
        let own: Own = serde_json::from_str(webhook_app).expect("is JSON");
        own.occurred_at()
    }

    #[test]
    fn a_body_without_a_time_is_not_late() {
        for without in [
            "{}",
            "null",
            "7",
            "[]",
            "\"2026-11-28T14:03:00Z\"",
            r#"{"occurred_at":null}"#,
            r#"{"occurred_at":""}"#,
            r#"{"occurred_at":{}}"#,
            r#"{"occurred_at":["2026-11-28T14:03:00Z"]}"#,
        ] {
            assert_eq!(read(without), None, "{without}");
        }
    }

    #[test]
    fn a_time_is_believed_if_an_event_can_have_it() {
        let now = humantime::parse_rfc3339("2026-11-28T14:03:00Z").expect("is a time");
        let at = |time| Ok(UNIX_EPOCH + Duration::from_secs(time));
        let found = |text: &str| {
            let body = serde_json::json!({ "occurred_at": text }).to_string();
            read(&body).expect("is given").checked(now)
        };
        for (text, expected) in [
            ("2026-11-28T14:03:00Z", at(1_795_874_580)),
            ("2026-11-28T15:03:00.5+01:00", at(1_795_874_580)),
            ("2026-11-14T14:03:00Z", at(1_794_664_980)),
            ("2026-11-14T14:02:59Z", Err(OccurredAtError::TooOld)),
            ("1970-01-01T00:00:00Z", Err(OccurredAtError::TooOld)),
            ("2026-11-28T14:08:00Z", at(1_795_874_880)),
            ("2026-11-28T14:08:01Z", Err(OccurredAtError::Future)),
            ("9999-12-31T23:59:59Z", Err(OccurredAtError::Future)),
            ("2026-11-28 14:03:00 UTC", Err(OccurredAtError::Unreadable)),
            ("2026-11-28T14:03:00", Err(OccurredAtError::Unreadable)),
            ("yesterday", Err(OccurredAtError::Unreadable)),
            (
                "2026-11-28T14:03:0\u{e9}Z",
                Err(OccurredAtError::Unreadable),
            ),
        ] {
            assert_eq!(found(text), expected, "{text}");
        }
        let number = read(r#"{"occurred_at":1795874580}"#).expect("is given");
        assert_eq!(number.checked(now), Err(OccurredAtError::Unreadable));
    }
}
