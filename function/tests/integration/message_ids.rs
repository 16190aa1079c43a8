//! Pinned message ids. Rocket.Chat stores one message per id, so a changed id turns a redelivery into a second
//! message and hides the failures that a fix looks up. Messages about deliveries have ids of scheme v1. Those about
//! content have keyed ids of scheme v2 and are also looked up under scheme v1; a release that changes a row must
//! document how messages of both are found.

use std::fmt::Write as _;

use http::HeaderMap;
use webhook_app::gitlab::cloud_event;
use webhook_app::gitlab::idempotency_key::IdempotencyKey;
use webhook_app::notifier::message::{self, MessageStyle, Visibility};
use webhook_app::notifier::{fixed_pipeline, live_pipeline};
use webhook_app::rocketchat::{MessageIds, MessageKey, RoomId};

use crate::messages::{fixtures, parse};

const KEY: &[u8] = b"f5e5f430-f57b-4e6e-9fac-d9128cd7232f";

#[test]
fn message_ids_of_scheme_v1() {
    let room = RoomId::parse("room-of-alice").expect("is a room");
    let mut table = String::new();
    for (name, payload) in fixtures() {
        let event = parse(None, payload.to_string().as_bytes()).expect("is an event");
        let all = Visibility {
            confidential: true,
            in_progress: true,
            minor_updates: true,
        };
        let _ = writeln!(table, "## {name}");
        if message::render(&event, all, MessageStyle::Signs).is_err() {
            let _ = writeln!(table, "no message\n");
            continue;
        }
        let origin = &event.meta.instance;
        let ids = MessageIds::new(&"secret".into(), None);
        let id = |key: &MessageKey| match key {
            MessageKey::Delivery(_) => ids.id(origin, key, &room, 0),
            MessageKey::Content(_) => {
                let former = ids.former(origin, key, &room);
                former.last().cloned().expect("is looked up")
            }
        };
        let key = IdempotencyKey::parse(KEY).expect("is a key");
        let content_key = &event.meta.content_key;
        let _ = writeln!(table, "instance {origin}");
        let _ = writeln!(table, "content {}", content_key.as_str());
        let _ = writeln!(table, "by key {}", id(&MessageKey::Delivery(key)));
        let _ = writeln!(
            table,
            "by content {}",
            id(&MessageKey::Content(content_key.clone()))
        );
        if let Some(state) = &event.attributes.pipeline_state {
            let _ = writeln!(table, "live {}", id(&live_pipeline::key(state)));
        }
        if let Some(revision) = &event.attributes.pipeline_revision {
            let _ = writeln!(table, "failure {}", id(&fixed_pipeline::failure(revision)));
            let _ = writeln!(table, "fix {}", id(&fixed_pipeline::fix(revision)));
            for failure in fixed_pipeline::failures_fixed_by(revision) {
                let _ = writeln!(table, "fixes {}", id(&failure));
            }
        }
        table.push('\n');
    }
    insta::assert_snapshot!("message_ids_of_scheme_v1", table);
}

#[test]
fn the_key_of_a_cloud_event_follows_from_its_source_and_id() {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("ce-specversion", "1.0"),
        ("ce-id", "42"),
        ("ce-source", "https://gitlab.example.org/acme/rocket"),
    ] {
        headers.insert(name, value.parse().expect("is a value"));
    }
    let event = cloud_event::parse(&headers, b"{}").expect("is an event");
    insta::assert_snapshot!(event.key.as_str(), @"content-2c4c7759f9ae64a9f0167f8b754459c797dd5cd99c22815bfa69cb3c25ebca9a");
}
