//! `webhook-app reconcile`: finds webhooks that failed in GitLab's event log, has them sent again, and replaces what
//! GitLab dropped while a hook was disabled. It runs beside the function, not in it, and needs no state: a delivery
//! with a success in the log is finished.
//!
//! The core is pure: [`log`] says what each delivery needs, [`plan`] what is done next, [`pace`] how often, and
//! [`backfill`] writes the webhooks of dropped events. [`runner`] and the files beside it make the calls. Declared webhooks are compared and
//! changed by [`hooks`](crate::hooks).

pub(crate) mod log;
mod entry;
pub(crate) mod pace;
pub(crate) mod plan;
mod advice;
pub(crate) mod backfill;
pub(crate) mod cursor;
mod dropped;
mod details;
mod post;
mod clock;
mod runner;
mod pages;
mod records;
mod reading;
mod steps;
mod backfilling;
mod progress;
mod window;
mod words;
mod metrics;

pub use clock::Clock;
pub(crate) use entry::attempt;
pub use metrics::{Totals, exposition};
pub use post::PostError;
pub use progress::{HookReport, Progress, Round};
pub use runner::{Reconciler, Run, RunError};

use std::time::SystemTime;

use serde_json::{Value, json};

/// The object in a body that tells the function when the event occurred, so that its message says that it is late.
pub(crate) fn occurred_at(time: SystemTime) -> Value {
    json!({ "occurred_at": humantime::format_rfc3339_seconds(time).to_string() })
}

/// A recorded body, with the time of its first attempt if that is known. What is no object stays as it is.
pub(crate) fn late_body(recorded: &str, time: Option<SystemTime>) -> Vec<u8> {
    let rest = recorded.trim_ascii_start().strip_prefix('{');
    let (Some(rest), Some(time)) = (rest, time) else {
        return recorded.as_bytes().to_vec();
    };
    let separator = if rest.trim_ascii_start().starts_with('}') {
        ""
    } else {
        ","
    };
    format!(r#"{{"webhook_app":{}{separator}{rest}"#, occurred_at(time)).into_bytes()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn a_record_is_posted_with_the_time_of_its_event() {
        let time = Some(UNIX_EPOCH + Duration::from_hours(500_000));
        let written = |body: &str| String::from_utf8(late_body(body, time)).expect("is text");
        let late = r#"{"webhook_app":{"occurred_at":"2027-01-15T08:00:00Z"}"#;
        assert_eq!(written(r#"{"a":1}"#), format!(r#"{late},"a":1}}"#));
        assert_eq!(written(" { }"), format!("{late} }}"));
        assert_eq!(written("[1]"), "[1]");
        assert_eq!(late_body("{}", None), b"{}");
    }
}
