//! Bodies for the tests of this folder. Owns how they are read; the files are beside the integration
//! tests, which check their messages.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::event::Event;
use super::verification::Verified;

/// The body in the file with this name.
#[track_caller]
pub(super) fn body(name: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/integration/fixtures/gitlab");
    let text = fs::read(folder.join(format!("{name}.json"))).expect("is a fixture");
    serde_json::from_slice(&text).expect("is JSON")
}

/// The event of a body.
#[track_caller]
pub(super) fn event(body: &Value) -> Event {
    let text = body.to_string();
    Event::parse(None, Verified::by_operator(text.as_bytes())).expect("is an event")
}
