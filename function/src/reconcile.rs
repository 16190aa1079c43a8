//! `webhook-app reconcile`: finds webhooks that failed in GitLab's event log, has them sent again, and fills in what
//! GitLab dropped while a hook was disabled. Runs beside the function, not in it.
//!
//! The core is pure: [`log`] says what each delivery needs, [`plan`] what is done next, [`pace`] how often, and
//! [`backfill`] writes the webhooks of dropped events. `runner` makes the calls.

pub(crate) mod log;
pub(crate) mod pace;
pub(crate) mod plan;
pub(crate) mod backfill;
pub(crate) mod cursor;

use std::time::SystemTime;

use serde_json::{Value, json};

/// The object in a body that tells the function when the event occurred, so that its message says that it is late.
pub(crate) fn occurred_at(time: SystemTime) -> Value {
    json!({ "occurred_at": humantime::format_rfc3339_seconds(time).to_string() })
}
