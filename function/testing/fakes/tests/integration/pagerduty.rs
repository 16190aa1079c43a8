//! The fake PagerDuty accepts what the Events API v2 accepts, and refuses the rest.

use fakes::exchange::exchange;
use fakes::pagerduty::{FakePagerDuty, ROUTING_KEY};
use serde_json::{Value, json};

fn event() -> Value {
    json!({
        "routing_key": ROUTING_KEY,
        "event_action": "trigger",
        "dedup_key": "1",
        "payload": {"summary": "it is down", "source": "webhook-app", "severity": "critical"},
    })
}

async fn status(fake: &FakePagerDuty, url: &str, body: &[u8]) -> u16 {
    let headers = [("content-type".to_owned(), b"application/json".to_vec())];
    let response = exchange("POST", url, &headers, body).await;
    let _ = fake;
    response.expect("a response").status
}

#[tokio::test]
async fn a_valid_event_is_accepted() {
    let fake = FakePagerDuty::start_on("127.0.0.1:0")
        .await
        .expect("a port");

    let status = status(&fake, &fake.url(), event().to_string().as_bytes()).await;

    assert_eq!(status, 202);
    assert_eq!(fake.take(), Some(event()));
}

#[tokio::test]
async fn invalid_events_are_refused() {
    let fake = FakePagerDuty::start_on("127.0.0.1:0")
        .await
        .expect("a port");
    let long = "x".repeat(1025);
    let cases = [
        ("/routing_key", json!("another0key0of0the0right0length00")),
        ("/event_action", json!("fire")),
        ("/dedup_key", json!("x".repeat(256))),
        ("/payload/summary", json!(long)),
        ("/payload/summary", json!("")),
        ("/payload/source", json!("")),
        ("/payload/severity", json!("warn")),
        (
            "/payload",
            json!({"summary": "a", "source": "b", "severity": "info", "colour": "red"}),
        ),
        ("/payload", Value::Null),
    ];
    for (place, value) in cases {
        let mut changed = event();
        *changed.pointer_mut(place).expect("is there") = value;

        let status = status(&fake, &fake.url(), changed.to_string().as_bytes()).await;

        assert_eq!(status, 400, "{changed}");
        assert_eq!(fake.take_violations().len(), 1, "{changed}");
    }
    for (name, value) in [
        ("eventAction", json!("trigger")),
        ("links", json!([{"href": "runbook"}])),
    ] {
        let mut changed = event();
        changed[name] = value;

        assert_eq!(
            status(&fake, &fake.url(), changed.to_string().as_bytes()).await,
            400
        );
        assert_eq!(fake.take_violations().len(), 1, "{changed}");
    }
    assert_eq!(fake.take(), None);
}

#[tokio::test]
async fn bodies_that_are_no_event_are_refused() {
    let fake = FakePagerDuty::start_on("127.0.0.1:0")
        .await
        .expect("a port");
    let deep = "[".repeat(100_000);
    let bodies: [&[u8]; 6] = [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b"{\"routing_key\": 1}",
        deep.as_bytes(),
    ];
    for body in bodies {
        assert_eq!(status(&fake, &fake.url(), body).await, 400);
        assert_eq!(status(&fake, &fake.heartbeat_url(), body).await, 400);
    }
    assert!(!fake.take_violations().is_empty());
    assert_eq!(fake.heartbeats(), 0);
}
