//! Any envelope of a CloudEvent in both forms. In the binary form the first three lines are the
//! headers; the rest is the body. What is taken out has a name, and is read as an event.

#![no_main]

use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;
use webhook_app::gitlab::cloud_event;
use webhook_app::gitlab::event::Event;
use webhook_app::gitlab::verification::Verified;

const NAMES: [&str; 3] = ["ce-specversion", "ce-id", "ce-source"];

fuzz_target!(|bytes: &[u8]| {
    let mut structured = HeaderMap::new();
    structured.insert("content-type", HeaderValue::from_static(cloud_event::STRUCTURED));
    open(&structured, bytes);

    let mut binary = HeaderMap::new();
    let mut parts = bytes.splitn(4, |&byte| byte == b'\n');
    for name in NAMES {
        let value = parts.next().and_then(|value| HeaderValue::from_bytes(value).ok());
        if let Some(value) = value {
            binary.insert(name, value);
        }
    }
    open(&binary, parts.next().unwrap_or_default());
});

fn open(headers: &HeaderMap, body: &[u8]) {
    let Ok(event) = cloud_event::parse(headers, body) else { return };
    // The name is the same however often it is asked for, and comes from the envelope alone.
    let again = cloud_event::parse(headers, body).expect("was opened before");
    assert_eq!(event.key, again.key);
    assert!(event.data.len() <= body.len());
    let _ = Event::parse(None, Verified::by_broker(&event.data, event.key));
}
