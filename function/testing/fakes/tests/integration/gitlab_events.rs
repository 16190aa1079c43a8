//! The event log of the fake GitLab: what it keeps of an attempt, for how long, how it is listed, and how a record is sent again.

use std::collections::HashSet;
use std::time::Duration;

use fakes::gitlab::{FakeGitLab, PROJECT, SAMPLE_KEY, Trigger};
use serde_json::{Value, json};

use crate::gitlab_client::{Client, Receiver, push};

const DAY: Duration = Duration::from_hours(24);

async fn one_event() -> (FakeGitLab, Receiver, u64) {
    let (gitlab, receiver) = (FakeGitLab::start().await, Receiver::start().await);
    let fields =
        json!({ "url": receiver.url(), "token": "canary-token", "signing_token": SAMPLE_KEY });
    let hook = gitlab.add_hook(PROJECT, &fields);
    gitlab
        .deliver(PROJECT, Trigger::Push, &push('a', 'b'))
        .await;
    (gitlab, receiver, hook)
}

fn events_of(hook: u64) -> String {
    format!("projects/42/hooks/{hook}/events")
}

fn ids(list: &Value) -> Vec<u64> {
    let events = list.as_array().expect("a list").iter();
    events
        .map(|event| event["id"].as_u64().expect("a number"))
        .collect()
}

#[tokio::test]
async fn a_record_has_the_request_and_the_response_without_secrets_and_addresses() {
    let (gitlab, receiver, hook) = one_event().await;

    let listed = Client::of(&gitlab).get(&events_of(hook)).await;

    assert!(!listed.text().contains("canary"), "{}", listed.text());
    let event = listed.json()[0].clone();
    let expected = [
        ("url", json!(receiver.url())),
        ("trigger", json!("push_hooks")),
        ("response_status", json!("200")),
        ("response_body", json!("seen")),
    ];
    for (name, value) in expected {
        assert_eq!(event[name], value, "{name}");
    }
    assert_eq!(event["response_headers"]["X-Receiver"], "test");
    assert!(event["response_headers"]["Date"].is_string());
    assert!(event["execution_duration"].is_f64());
    assert!(event["created_at"].is_string());
    let headers = &event["request_headers"];
    assert_eq!(headers["X-Gitlab-Token"], "[REDACTED]");
    assert!(
        headers["webhook-signature"]
            .as_str()
            .expect("a text")
            .starts_with("v1,")
    );
    assert_eq!(headers["Accept"], Value::Null);
    let webhook = &receiver.webhooks()[0];
    assert_eq!(
        headers["Idempotency-Key"].as_str(),
        webhook.header("idempotency-key")
    );
    let mut redacted = push('a', 'b');
    redacted["user_email"] = "[REDACTED]".into();
    redacted["commits"][0]["author"]["email"] = "[REDACTED]".into();
    assert_eq!(event["request_data"], redacted);
}

#[tokio::test]
async fn older_versions_list_events_without_their_time() {
    let receiver = Receiver::start().await;
    let gitlab = FakeGitLab::builder().without_event_times().start().await;
    let gitlab = gitlab.expect("a port");
    let hook = gitlab.add_hook(PROJECT, &json!({ "url": receiver.url() }));
    gitlab
        .deliver(PROJECT, Trigger::Push, &push('a', 'b'))
        .await;

    let event = Client::of(&gitlab).get(&events_of(hook)).await.json()[0].clone();

    assert_eq!(event["response_status"], "200");
    assert_eq!(event["created_at"], Value::Null);
}

#[tokio::test]
async fn custom_headers_and_credentials_of_the_url_are_not_recorded() {
    let (gitlab, receiver) = (FakeGitLab::start().await, Receiver::start().await);
    let fields = json!({
        "url": receiver.url().replace("http://", "http://user:canary@"),
        "custom_headers": [{ "key": "X-Own", "value": "canary" }],
    });
    let hook = gitlab.add_hook(PROJECT, &fields);

    gitlab
        .deliver(PROJECT, Trigger::Push, &push('a', 'b'))
        .await;

    let event = Client::of(&gitlab).get(&events_of(hook)).await.json()[0].clone();
    assert_eq!(event["url"], receiver.url());
    assert_eq!(event["request_headers"]["X-Own"], "[REDACTED]");
    assert_eq!(event["request_headers"]["Authorization"], Value::Null);
}

#[tokio::test]
async fn a_record_that_is_too_large_holds_nothing_and_a_resend_posts_just_that() {
    let receiver = Receiver::start().await;
    let gitlab = FakeGitLab::builder().record_limit(1000).start().await;
    let gitlab = gitlab.expect("a port");
    let hook = gitlab.add_hook(PROJECT, &json!({ "url": receiver.url() }));
    let mut body = push('a', 'b');
    body["message"] = "x".repeat(1000).into();

    gitlab.deliver(PROJECT, Trigger::Push, &body).await;
    let event = gitlab.events(hook)[0].clone();
    let path = format!("{}/{}/resend", events_of(hook), event["id"]);
    let resent = Client::of(&gitlab).post(&path, &json!({})).await;

    assert_eq!(resent.status, 201);
    assert_eq!(event["request_data"], json!({ "oversize": true }));
    let webhooks = receiver.webhooks();
    assert_eq!(webhooks[0].json(), body);
    assert_eq!(webhooks[1].json(), json!({ "oversize": true }));
    // A test is recorded without the queue, so without its limit.
    gitlab.record_event(PROJECT, Trigger::Push, &push('a', 'b'));
    let mut pipeline = json!({ "object_attributes": { "id": 1 } });
    pipeline["padding"] = "x".repeat(1000).into();
    gitlab.record_event(PROJECT, Trigger::Pipeline, &pipeline);
    let path = format!("projects/42/hooks/{hook}/test/pipeline_events");
    assert_eq!(
        Client::of(&gitlab).post(&path, &json!({})).await.status,
        201
    );
    assert_eq!(gitlab.events(hook)[2]["request_data"], pipeline);
}

#[tokio::test]
async fn a_resend_has_the_same_key_and_the_redacted_body_and_is_a_record_of_its_own() {
    let (gitlab, receiver) = (FakeGitLab::start().await, Receiver::start().await);
    let fields = json!({ "url": receiver.url(), "signing_token": SAMPLE_KEY });
    let hook = gitlab.add_hook(PROJECT, &fields);
    receiver.answers(503);
    gitlab
        .deliver(PROJECT, Trigger::Push, &push('a', 'b'))
        .await;
    let failed = gitlab.events(hook)[0].clone();
    let client = Client::of(&gitlab);
    let path = format!("{}/{}/resend", events_of(hook), failed["id"]);

    // Any response of the receiver is a success for the one who resends.
    let again = client.post(&path, &json!({})).await;
    receiver.answers(200);
    let good = client.post(&path, &json!({})).await;

    assert_eq!(
        (again.status, again.json()),
        (201, json!({ "response_status": 503 }))
    );
    assert_eq!(
        (good.status, good.json()),
        (201, json!({ "response_status": 200 }))
    );
    let events = gitlab.events(hook);
    let statuses: Vec<_> = events
        .iter()
        .map(|event| event["response_status"].clone())
        .collect();
    assert_eq!(
        statuses,
        ["503", "503", "200"],
        "the failed record stays failed"
    );
    let webhooks = receiver.webhooks();
    let distinct = |name: &str| {
        let values = webhooks
            .iter()
            .map(|webhook| webhook.header(name).expect(name));
        values.collect::<HashSet<_>>().len()
    };
    assert_eq!(distinct("idempotency-key"), 1);
    assert_eq!(distinct("webhook-id"), 1);
    assert_eq!(distinct("x-gitlab-webhook-uuid"), 3);
    assert_eq!(webhooks[0].json()["user_email"], "robin@example.org");
    assert_eq!(webhooks[1].json(), failed["request_data"]);
    assert_ne!(
        webhooks[0].header("webhook-signature"),
        webhooks[1].header("webhook-signature")
    );
}

#[tokio::test]
async fn a_resend_is_refused_if_the_hook_is_disabled_or_has_another_url() {
    let (gitlab, receiver, hook) = one_event().await;
    let client = Client::of(&gitlab);
    let event = gitlab.events(hook)[0]["id"].clone();
    let path = format!("{}/{event}/resend", events_of(hook));
    receiver.answers(500);
    for _ in 0..4 {
        gitlab
            .deliver(PROJECT, Trigger::Push, &push('a', 'b'))
            .await;
    }

    let disabled = client.post(&path, &json!({})).await;
    gitlab.advance(Duration::from_mins(2));
    gitlab.change_hook(hook, &json!({ "url": format!("{}/other", receiver.url()) }));
    let other = client.post(&path, &json!({})).await;

    assert_eq!(
        (disabled.status, disabled.json()),
        (422, json!({ "message": "Hook disabled" }))
    );
    let text = "The hook URL has changed, and this log entry cannot be retried";
    assert_eq!(
        (other.status, other.json()),
        (422, json!({ "message": text }))
    );
    assert_eq!(
        gitlab.events(hook).len(),
        5,
        "a refused resend is not recorded"
    );
    assert_eq!(receiver.webhooks().len(), 5);
}

#[tokio::test]
async fn records_of_other_hooks_cannot_be_resent() {
    let (gitlab, _receiver, hook) = one_event().await;
    let other = gitlab.add_hook(PROJECT, &json!({ "url": "http://127.0.0.1:1/" }));
    let event = gitlab.events(hook)[0]["id"].clone();
    let client = Client::of(&gitlab);
    let cases = [
        format!("{}/{event}/resend", events_of(other)),
        format!("{}/{event}/resend", events_of(99)),
        format!("{}/99999/resend", events_of(hook)),
    ];

    for path in cases {
        assert_eq!(client.post(&path, &json!({})).await.status, 404, "{path}");
    }
    let path = format!("{}/first/resend", events_of(hook));
    assert_eq!(client.post(&path, &json!({})).await.status, 400);
}

#[tokio::test]
async fn records_are_listed_for_seven_days_and_resent_for_fourteen() {
    let (gitlab, _receiver, hook) = one_event().await;
    let client = Client::of(&gitlab);
    let event = gitlab.events(hook)[0]["id"].clone();
    let path = format!("{}/{event}/resend", events_of(hook));
    let listed = async || ids(&client.get(&events_of(hook)).await.json()).len();
    let resend = async || client.post(&path, &json!({})).await.status;

    gitlab.advance(DAY * 7);
    assert_eq!(listed().await, 1, "whole days are counted");
    gitlab.advance(DAY);
    assert_eq!(listed().await, 0);
    assert_eq!(resend().await, 201);
    gitlab.advance(DAY * 6);
    assert_eq!(resend().await, 404);
}

#[tokio::test]
async fn the_list_is_filtered_by_status() {
    let (gitlab, receiver) = (FakeGitLab::start().await, Receiver::start().await);
    let hook = gitlab.add_hook(PROJECT, &json!({ "url": receiver.url() }));
    for status in [200, 400, 404, 201, 500, 502, 200, 0, 302] {
        receiver.answers(status);
        gitlab
            .deliver(PROJECT, Trigger::Push, &push('a', 'b'))
            .await;
    }
    let client = Client::of(&gitlab);
    let cases: [(&str, &[&str]); 8] = [
        (
            "",
            &[
                "302",
                "internal error",
                "200",
                "502",
                "500",
                "201",
                "404",
                "400",
                "200",
            ],
        ),
        ("successful", &["200", "201", "200"]),
        ("client_failure", &["404", "400"]),
        ("server_failure", &["internal error", "502", "500"]),
        ("400", &["400"]),
        (
            "200,server_failure",
            &["internal error", "200", "502", "500", "200"],
        ),
        ("418", &[]),
        ("302", &["302"]),
    ];

    for (filter, expected) in cases {
        let listed = client
            .get(&format!("{}?status={filter}", events_of(hook)))
            .await
            .json();
        let statuses = listed.as_array().expect("a list").iter();
        let statuses: Vec<_> = statuses
            .map(|event| event["response_status"].clone())
            .collect();
        assert_eq!(statuses, expected, "{filter}");
    }
    for filter in ["failed", "200,failed", "999", "internal%20error"] {
        let refused = client
            .get(&format!("{}?status={filter}", events_of(hook)))
            .await;
        assert_eq!(refused.status, 400, "{filter}");
        assert_eq!(
            refused.json()["error"],
            "status does not have a valid value"
        );
    }
}

#[tokio::test]
async fn the_list_has_pages_of_at_most_20_newest_first() {
    let (gitlab, receiver) = (FakeGitLab::start().await, Receiver::start().await);
    let hook = gitlab.add_hook(PROJECT, &json!({ "url": receiver.url() }));
    for _ in 0..45 {
        gitlab
            .deliver(PROJECT, Trigger::Push, &push('a', 'b'))
            .await;
    }
    let client = Client::of(&gitlab);

    let mut found = Vec::new();
    let mut page = "1".to_owned();
    while !page.is_empty() {
        let listed = client
            .get(&format!("{}?page={page}", events_of(hook)))
            .await;
        assert_eq!(listed.header("x-total"), Some("45"));
        assert_eq!(listed.header("x-total-pages"), Some("3"));
        found.push(ids(&listed.json()));
        page = listed.header("x-next-page").expect("the header").to_owned();
    }

    let sizes: Vec<_> = found.iter().map(Vec::len).collect();
    assert_eq!(sizes, [20, 20, 5]);
    let found = found.concat();
    assert!(found.is_sorted_by(|one, next| one > next), "{found:?}");
    let refused = [
        ("per_page=21", "per_page does not have a valid value"),
        ("per_page=100", "per_page does not have a valid value"),
        ("per_page=0", "per_page does not have a valid value"),
        ("per_page=-1", "per_page does not have a valid value"),
        ("per_page=a", "per_page is invalid"),
        ("page=0", "page does not have a valid value"),
        ("page=a", "page is invalid"),
    ];
    for (query, error) in refused {
        let response = client.get(&format!("{}?{query}", events_of(hook))).await;
        assert_eq!(response.status, 400, "{query}");
        assert_eq!(response.json()["error"], error, "{query}");
    }
    let beyond = client.get(&format!("{}?page=9", events_of(hook))).await;
    assert_eq!((beyond.status, beyond.json()), (200, json!([])));
}

#[tokio::test]
async fn other_lists_have_pages_of_at_most_100_and_links_between_them() {
    let gitlab = FakeGitLab::start().await;
    for number in 0..100 {
        gitlab.add_hook(
            PROJECT,
            &json!({ "url": format!("https://hooks.example.org/{number}") }),
        );
    }
    let client = Client::of(&gitlab);

    let all = client.get("projects/42/hooks?per_page=1000").await;
    assert_eq!(all.json().as_array().map(Vec::len), Some(100));
    assert_eq!(all.header("x-per-page"), Some("100"));
    assert_eq!(all.header("x-next-page"), Some(""));
    let first = client.get("projects/acme%2Frocket/hooks?per_page=30").await;

    let link = first.header("link").expect("links");
    let next = link.split(", ").find(|part| part.ends_with("rel=\"next\""));
    let next = next
        .and_then(|part| part.split(['<', '>']).nth(1))
        .expect("a link");
    let path = next.strip_prefix(&format!("{}/api/v4/", gitlab.url()));
    let second = client.get(path.expect("the same server")).await;
    assert_eq!(second.header("x-page"), Some("2"));
    assert_eq!(second.header("x-prev-page"), Some("1"));
    assert_eq!(second.json()[0]["url"], "https://hooks.example.org/30");
}

#[tokio::test]
async fn deleting_a_hook_deletes_its_log() {
    let (gitlab, _receiver, hook) = one_event().await;
    let client = Client::of(&gitlab);

    assert_eq!(
        client
            .delete(&format!("projects/42/hooks/{hook}"))
            .await
            .status,
        204
    );

    assert_eq!(client.get(&events_of(hook)).await.status, 404);
    assert!(gitlab.events(hook).is_empty());
}
