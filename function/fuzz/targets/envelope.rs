//! Any CloudEvent in both content modes. In binary mode the first three lines are the headers and the rest is the
//! body. The data of an accepted one has a key and is parsed as an event.

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
    // The key is deterministic and follows from the envelope alone.
    let again = cloud_event::parse(headers, body).expect("was parsed before");
    assert_eq!(event.key, again.key);
    assert!(event.data.len() <= body.len());
    let _ = Event::parse(None, Verified::by_broker(&event.data, event.key));
}
