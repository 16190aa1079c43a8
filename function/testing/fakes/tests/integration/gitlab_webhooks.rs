//! What the fake GitLab sends to hooks, and when it stops: headers, signatures, filters, pauses, tests.

use std::time::Duration;

use fakes::gitlab::{FakeGitLab, PROJECT, SAMPLE_KEY, Trigger, sign};
use serde_json::{Value, json};

use crate::gitlab_client::{Client, Receiver, push};

const MINUTE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn a_webhook_has_the_headers_and_the_body_of_gitlab() {
    let (gitlab, receiver) = (FakeGitLab::start().await, Receiver::start().await);
    let url = receiver.url().replace("http://", "http://user:p%40ss@");
    let fields = json!({
        "url": url, "token": "secret", "signing_token": SAMPLE_KEY,
        "custom_headers": [{ "key": "X-Own", "value": "own" }, { "key": "x-gitlab-event", "value": "own" }],
    });
    gitlab.add_hook(PROJECT, &fields);

    let attempts = gitlab.happen(PROJECT, Trigger::Push, &push('a', 'b')).await;

    assert_eq!(attempts.len(), 1);
    assert_eq!(attempts[0].status, Some(200));
    let webhook = &receiver.webhooks()[0];
    let cases = [
        ("content-type", "application/json"),
        ("user-agent", "GitLab/19.3.0"),
        ("idempotency-key", &attempts[0].idempotency_key),
        ("webhook-id", &attempts[0].idempotency_key),
        ("x-gitlab-event", "Push Hook"),
        ("x-gitlab-token", "secret"),
        ("x-gitlab-instance", "https://gitlab.example.org"),
        ("x-own", "own"),
        ("authorization", "Basic dXNlcjpwJTQwc3M="),
    ];
    for (name, expected) in cases {
        assert_eq!(webhook.header(name), Some(expected), "{name}");
    }
    let timestamp = webhook.header("webhook-timestamp").expect("a time");
    let signature = sign(
        SAMPLE_KEY,
        &attempts[0].idempotency_key,
        timestamp,
        &webhook.body,
    );
    assert_eq!(
        webhook.header("webhook-signature"),
        Some(signature.as_str())
    );
    // Only the record is redacted.
    assert_eq!(webhook.json(), push('a', 'b'));
}

#[tokio::test]
async fn without_a_signing_token_nothing_is_signed() {
    for (version, fields) in [
        ("19.3.0", json!({})),
        ("18.11.0", json!({ "signing_token": SAMPLE_KEY })),
    ] {
        let receiver = Receiver::start().await;
        let gitlab = FakeGitLab::builder().version(version).start().await;
        let gitlab = gitlab.expect("a port");
        let mut fields = fields;
        fields["url"] = receiver.url().into();
        gitlab.add_hook(PROJECT, &fields);

        gitlab
            .deliver(PROJECT, Trigger::Push, &push('a', 'b'))
            .await;

        let webhook = &receiver.webhooks()[0];
        for name in [
            "webhook-id",
            "webhook-timestamp",
            "webhook-signature",
            "x-gitlab-token",
        ] {
            assert_eq!(webhook.header(name), None, "{version} {name}");
        }
    }
}

#[tokio::test]
async fn a_hook_receives_only_its_triggers() {
    let (gitlab, receiver) = (FakeGitLab::start().await, Receiver::start().await);
    gitlab.add_project("acme/other");
    let fields = json!({ "url": receiver.url(), "push_events": false, "pipeline_events": true });
    let hook = gitlab.add_hook(PROJECT, &fields);

    for trigger in Trigger::ALL {
        gitlab.deliver(PROJECT, trigger, &json!({})).await;
    }
    gitlab
        .deliver("acme/other", Trigger::Pipeline, &json!({}))
        .await;

    let webhooks = receiver.webhooks();
    assert_eq!(webhooks.len(), 1);
    assert_eq!(webhooks[0].header("x-gitlab-event"), Some("Pipeline Hook"));
    assert_eq!(gitlab.events(hook).len(), 1);
    assert_eq!(gitlab.events(hook)[0]["trigger"], "pipeline_hooks");
}

#[tokio::test]
async fn the_branch_filter_drops_pushes_to_other_branches_only() {
    let cases = [
        ("wildcard", "", "refs/heads/main", true),
        ("wildcard", "main", "refs/heads/main", true),
        ("wildcard", "main", "refs/heads/maintenance", false),
        ("wildcard", "release/*", "refs/heads/release/1/fix", true),
        ("wildcard", "release/*", "refs/heads/release", false),
        ("wildcard", "*-stable", "refs/heads/1-stable", true),
        ("wildcard", "*a*b", "refs/heads/xaybzb", true),
        ("all_branches", "main", "refs/heads/other", true),
    ];
    for (strategy, filter, ref_name, sent) in cases {
        let (gitlab, receiver) = (FakeGitLab::start().await, Receiver::start().await);
        let fields = json!({
            "url": receiver.url(), "push_events_branch_filter": filter, "branch_filter_strategy": strategy,
            "tag_push_events": true,
        });
        gitlab.add_hook(PROJECT, &fields);
        let mut body = push('a', 'b');
        body["ref"] = ref_name.into();

        gitlab.deliver(PROJECT, Trigger::Push, &body).await;
        gitlab.deliver(PROJECT, Trigger::TagPush, &body).await;

        let expected = usize::from(sent) + 1;
        assert_eq!(
            receiver.webhooks().len(),
            expected,
            "{strategy} {filter} {ref_name}"
        );
    }
}

#[tokio::test]
async fn the_fourth_failure_in_a_row_pauses_a_hook_and_events_are_then_dropped_in_silence() {
    for status in [400, 401, 404, 429, 500, 503, 0] {
        let (gitlab, receiver) = (FakeGitLab::start().await, Receiver::start().await);
        let hook = gitlab.add_hook(PROJECT, &json!({ "url": receiver.url() }));
        receiver.answers(status);

        for failures in 1..=4 {
            assert_eq!(
                gitlab.hook(hook)["alert_status"],
                "executable",
                "{status} {failures}"
            );
            let attempts = gitlab
                .deliver(PROJECT, Trigger::Push, &push('a', 'b'))
                .await;
            assert_eq!(attempts.len(), 1, "{status} {failures}");
        }
        let dropped = gitlab
            .deliver(PROJECT, Trigger::Push, &push('b', 'c'))
            .await;

        assert_eq!(
            gitlab.hook(hook)["alert_status"],
            "temporarily_disabled",
            "{status}"
        );
        assert!(gitlab.hook(hook)["disabled_until"].is_string(), "{status}");
        assert_eq!(dropped, [], "{status}");
        assert_eq!(receiver.webhooks().len(), 4, "{status}");
        assert_eq!(gitlab.events(hook).len(), 4, "{status}");
    }
}

#[tokio::test]
async fn successes_and_redirects_reset_the_failures() {
    for status in [200, 204, 301, 302] {
        let (gitlab, receiver) = (FakeGitLab::start().await, Receiver::start().await);
        let hook = gitlab.add_hook(PROJECT, &json!({ "url": receiver.url() }));
        for _ in 0..2 {
            receiver.answers(500);
            for _ in 0..3 {
                gitlab
                    .deliver(PROJECT, Trigger::Push, &push('a', 'b'))
                    .await;
            }
            receiver.answers(status);
            gitlab
                .deliver(PROJECT, Trigger::Push, &push('a', 'b'))
                .await;
        }
        assert_eq!(gitlab.hook(hook)["alert_status"], "executable", "{status}");
    }
}

#[tokio::test]
async fn pauses_double_up_to_a_day_and_after_40_failures_the_hook_stays_disabled() {
    let (gitlab, receiver) = (FakeGitLab::start().await, Receiver::start().await);
    let hook = gitlab.add_hook(PROJECT, &json!({ "url": receiver.url() }));
    receiver.answers(500);
    let fail = async || {
        gitlab
            .deliver(PROJECT, Trigger::Push, &push('a', 'b'))
            .await
            .len()
    };
    for _ in 0..3 {
        assert_eq!(fail().await, 1);
    }

    for failures in 4..=39 {
        assert_eq!(fail().await, 1, "{failures}");
        let seconds: u64 = (60 << (failures - 4).min(20)).min(86_400);
        gitlab.advance(Duration::from_secs(seconds - 10));
        assert_eq!(fail().await, 0, "{failures}: the pause is not over");
        assert_eq!(gitlab.hook(hook)["alert_status"], "temporarily_disabled");
        gitlab.advance(Duration::from_secs(11));
        assert_eq!(
            gitlab.hook(hook)["alert_status"],
            "executable",
            "{failures}"
        );
    }
    assert_eq!(fail().await, 1);
    assert_eq!(gitlab.hook(hook)["alert_status"], "disabled");
    gitlab.advance(MINUTE * 60 * 24 * 30);
    assert_eq!(fail().await, 0);

    // A test that succeeds enables it again.
    receiver.answers(200);
    gitlab.record_event(PROJECT, Trigger::Push, &push('a', 'b'));
    let path = format!("projects/42/hooks/{hook}/test/push_events");
    assert_eq!(
        Client::of(&gitlab).post(&path, &json!({})).await.status,
        201
    );
    assert_eq!(gitlab.hook(hook)["alert_status"], "executable");
}

#[tokio::test]
async fn a_test_is_a_push_by_the_user_of_the_token_and_reaches_a_disabled_hook() {
    let (gitlab, receiver) = (FakeGitLab::start().await, Receiver::start().await);
    let hook = gitlab.add_hook(PROJECT, &json!({ "url": receiver.url() }));
    for (before, after) in [('a', 'b'), ('b', 'c'), ('c', 'd'), ('d', 'e')] {
        gitlab.record_event(PROJECT, Trigger::Push, &push(before, after));
    }
    receiver.answers(503);
    for _ in 0..4 {
        gitlab
            .deliver(PROJECT, Trigger::Push, &push('d', 'e'))
            .await;
    }
    let until = gitlab.hook(hook)["disabled_until"].clone();
    let client = Client::of(&gitlab);
    let path = format!("projects/42/hooks/{hook}/test/push_events");

    // Its failure is answered with what the receiver said, is recorded, and does not lengthen the pause.
    let failed = client.post(&path, &json!({})).await;
    assert_eq!(
        (failed.status, failed.json()),
        (422, json!({ "message": "seen" }))
    );
    assert_eq!(gitlab.hook(hook)["disabled_until"], until);
    assert_eq!(gitlab.events(hook).len(), 5);
    receiver.answers(200);
    let passed = client.post(&path, &json!({})).await;

    assert_eq!(
        (passed.status, passed.json()),
        (201, json!({ "message": "201 Created" }))
    );
    assert_eq!(gitlab.hook(hook)["alert_status"], "executable");
    let webhooks = receiver.webhooks();
    let body = webhooks.last().expect("a webhook").json();
    assert_eq!(body["user_username"], "webhook-bot");
    assert_eq!(body["object_kind"], "push");
    assert_eq!(body["project"]["path_with_namespace"], PROJECT);
    let titles = body["commits"].as_array().expect("a list").iter();
    let titles: Vec<_> = titles.map(|commit| commit["title"].clone()).collect();
    assert_eq!(titles, ["Change c", "Change d", "Change e"]);
}

#[tokio::test]
async fn a_test_needs_something_to_send() {
    let (gitlab, receiver) = (FakeGitLab::start().await, Receiver::start().await);
    let hook = gitlab.add_hook(PROJECT, &json!({ "url": receiver.url() }));
    let cases = [
        (
            "push_events",
            422,
            "Ensure the project has at least one commit.",
        ),
        (
            "pipeline_events",
            422,
            "Ensure the project has CI pipelines.",
        ),
        (
            "merge_requests_events",
            422,
            "Ensure the project has merge requests.",
        ),
        (
            "confidential_note_events",
            422,
            "Testing not available for this hook",
        ),
        (
            "deployment_events",
            422,
            "Testing not available for this hook",
        ),
        (
            "repository_update_events",
            400,
            "trigger does not have a valid value",
        ),
        ("xyz", 400, "trigger does not have a valid value"),
    ];

    for (trigger, status, error) in cases {
        // Each in a separate minute, because of the limit.
        gitlab.advance(MINUTE);
        let path = format!("projects/42/hooks/{hook}/test/{trigger}");
        let response = Client::of(&gitlab).post(&path, &json!({})).await;
        assert_eq!(response.status, status, "{trigger}");
        assert!(
            response.text().contains(error),
            "{trigger}: {}",
            response.text()
        );
    }
    assert_eq!(receiver.webhooks().len(), 0);
}

#[tokio::test]
async fn a_receiver_that_does_not_answer_in_time_is_an_internal_error() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let address = silent.local_addr().expect("an address");
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let refused = closed.local_addr().expect("an address");
    drop(closed);
    let builder = FakeGitLab::builder().webhook_timeout(Duration::from_millis(20));
    let gitlab = builder.start().await.expect("a port");

    for url in [format!("http://{address}/"), format!("http://{refused}/")] {
        let hook = gitlab.add_hook(PROJECT, &json!({ "url": url }));
        let attempts = gitlab
            .deliver(PROJECT, Trigger::Push, &push('a', 'b'))
            .await;
        assert_eq!(
            attempts.last().map(|attempt| attempt.status),
            Some(None),
            "{url}"
        );
        let event = gitlab.events(hook)[0].clone();
        assert_eq!(event["response_status"], "internal error", "{url}");
        assert_eq!(event["response_headers"], json!({}), "{url}");
        assert_eq!(event["response_body"], "", "{url}");
        // A resend has no status to answer with.
        let path = format!("projects/42/hooks/{hook}/events/{}/resend", event["id"]);
        let resent = Client::of(&gitlab).post(&path, &json!({})).await;
        assert_eq!(resent.status, 422, "{url}");
        assert!(resent.json()["message"].is_string(), "{url}");
        gitlab.delete_hook(hook);
    }
}

#[tokio::test]
async fn system_hooks_receive_events_of_all_projects_and_are_never_disabled() {
    let (gitlab, receiver) = (FakeGitLab::start().await, Receiver::start().await);
    gitlab.add_project("infra/tools");
    let hook = gitlab.add_system_hook(&json!({ "url": receiver.url(), "push_events": true }));
    receiver.answers(500);

    for _ in 0..50 {
        gitlab
            .deliver("infra/tools", Trigger::Push, &push('a', 'b'))
            .await;
    }

    assert_eq!(receiver.webhooks().len(), 50);
    assert_eq!(
        receiver.webhooks()[0].header("x-gitlab-event"),
        Some("System Hook")
    );
    assert_eq!(gitlab.hook(hook)["alert_status"], "executable");
    let tested = Client::with(&gitlab, gitlab.admin_token());
    let tested = tested.post(&format!("hooks/{hook}"), &json!({})).await;
    assert_eq!(tested.status, 201, "whatever the receiver answers");
    assert_eq!(tested.json()["event_name"], Value::from("project_create"));
}
