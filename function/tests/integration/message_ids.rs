//! The ids of messages, pinned. Rocket.Chat stores one message per id, so an id that changes makes a
//! second message of a redelivery, and hides every failure that a fix looks for. The snapshot is scheme
//! v1; a release that changes a row must say how messages of both schemes are found.

use std::fmt::Write as _;

use http::HeaderMap;
use webhook_app::gitlab::attributes::EventAttributes;
use webhook_app::gitlab::cloud_event;
use webhook_app::gitlab::event::Event;
use webhook_app::gitlab::idempotency_key::IdempotencyKey;
use webhook_app::notifier::message::{self, Visibility};
use webhook_app::notifier::{fixed_pipeline, live_pipeline};
use webhook_app::rocketchat::{MessageId, RoomId};

use crate::messages::fixtures;

const KEY: &[u8] = b"f5e5f430-f57b-4e6e-9fac-d9128cd7232f";

#[test]
fn message_ids_of_scheme_v1() {
    let room = RoomId::parse("room-of-alice").expect("is a room");
    let mut table = String::new();
    for (name, payload) in fixtures() {
        let body = payload.to_string();
        let event = Event::parse(None, body.as_bytes()).expect("is an event");
        let facts = EventAttributes::read(&event, body.as_bytes()).expect("is readable");
        let all = Visibility {
            confidential: true,
            in_progress: true,
        };
        let _ = writeln!(table, "## {name}");
        let Ok(notice) = message::build_for(&event, all) else {
            let _ = writeln!(table, "no message\n");
            continue;
        };
        let id = |key: &IdempotencyKey| MessageId::derive(&notice.instance, key, &room);
        let key = IdempotencyKey::parse(KEY).expect("is a key");
        let _ = writeln!(table, "instance {}", notice.instance);
        let _ = writeln!(table, "content {}", notice.content_id.as_str());
        let _ = writeln!(table, "by key {}", id(&key));
        let _ = writeln!(table, "by content {}", id(&notice.content_id));
        if let Some(progress) = &facts.pipeline_state {
            let _ = writeln!(table, "live {}", id(&live_pipeline::key(progress)));
        }
        if let Some(lineage) = &facts.pipeline_revision {
            let _ = writeln!(table, "failure {}", id(&fixed_pipeline::failure(lineage)));
            let _ = writeln!(table, "fix {}", id(&fixed_pipeline::fix(lineage)));
            for failure in fixed_pipeline::failures_fixed_by(lineage) {
                let _ = writeln!(table, "fixes {}", id(&failure));
            }
        }
        table.push('\n');
    }
    insta::assert_snapshot!("message_ids_of_scheme_v1", table);
}

#[test]
fn a_cloud_event_is_named_by_its_source_and_id() {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("ce-specversion", "1.0"),
        ("ce-id", "42"),
        ("ce-source", "https://gitlab.example.org/acme/rocket"),
    ] {
        headers.insert(name, value.parse().expect("is a value"));
    }
    let event = cloud_event::open(&headers, b"{}").expect("is an event");
    insta::assert_snapshot!(event.delivery_id.as_str(), @"content-2c4c7759f9ae64a9f0167f8b754459c797dd5cd99c22815bfa69cb3c25ebca9a");
}
