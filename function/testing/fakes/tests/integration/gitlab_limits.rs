//! The limits of the fake GitLab on requests, and the responses that a test puts in their place.

use std::time::Duration;

use fakes::gitlab::{Access, FakeGitLab, PROJECT, Scope, Trigger};
use serde_json::json;

use crate::gitlab_client::{Client, Receiver, push};

const MINUTE: Duration = Duration::from_mins(1);

/// At the beginning of a minute of the clock, by which requests are counted.
fn at_the_start_of_a_minute(gitlab: &FakeGitLab) {
    let past = gitlab.now().as_secs() % 60;
    gitlab.advance(Duration::from_secs(60 - past));
}

#[tokio::test]
async fn five_resends_and_five_tests_a_minute_are_allowed_for_each_project_and_user() {
    let (gitlab, receiver) = (FakeGitLab::start().await, Receiver::start().await);
    gitlab.add_project("acme/other");
    gitlab.set_access("webhook-bot", "acme/other", Some(Access::Maintainer));
    let mut paths = Vec::new();
    for project in [PROJECT, "acme/other"] {
        let hook = gitlab.add_hook(project, &json!({ "url": receiver.url() }));
        gitlab.happen(project, Trigger::Push, &push('a', 'b')).await;
        let event = gitlab.events(hook)[0]["id"].clone();
        let base = format!("projects/{}/hooks/{hook}", project.replace('/', "%2F"));
        paths.push((
            format!("{base}/events/{event}/resend"),
            format!("{base}/test/push_events"),
        ));
    }
    let bot = Client::of(&gitlab);
    let root = Client::with(&gitlab, gitlab.admin_token());
    let status = async |client: &Client, path: &str| client.post(path, &json!({})).await.status;
    at_the_start_of_a_minute(&gitlab);

    for (resend, test) in &paths {
        for path in [resend, test] {
            for number in 1..=5 {
                assert_eq!(status(&bot, path).await, 201, "{path} {number}");
            }
            let refused = bot.post(path, &json!({})).await;
            assert_eq!(refused.status, 429, "{path}");
            let text = "This endpoint has been requested too many times. Try again later.";
            assert_eq!(refused.json(), json!({ "message": { "error": text } }));
            for header in ["retry-after", "ratelimit-reset", "ratelimit-remaining"] {
                assert_eq!(refused.header(header), None, "{path} {header}");
            }
            assert_eq!(status(&root, path).await, 201, "another user: {path}");
        }
    }
    // Another token of the same user does not help, and the next minute does.
    let second = Client::with(&gitlab, &gitlab.add_token("webhook-bot", Scope::Api));
    assert_eq!(status(&second, &paths[0].0).await, 429);
    gitlab.advance(MINUTE);
    assert_eq!(status(&second, &paths[0].0).await, 201);
}

#[tokio::test]
async fn all_hooks_of_a_project_share_the_limit_and_refused_requests_count() {
    let gitlab = FakeGitLab::start().await;
    let hooks =
        [(); 2].map(|()| gitlab.add_hook(PROJECT, &json!({ "url": "http://127.0.0.1:1/" })));
    let client = Client::of(&gitlab);
    at_the_start_of_a_minute(&gitlab);

    // Records that are not there count, too.
    for _ in 0..5 {
        let path = format!("projects/42/hooks/{}/events/99/resend", hooks[0]);
        assert_eq!(client.post(&path, &json!({})).await.status, 404);
    }
    let path = format!("projects/42/hooks/{}/events/99/resend", hooks[1]);
    assert_eq!(client.post(&path, &json!({})).await.status, 429);
    // A hook that is not there does not.
    let path = "projects/42/hooks/99/events/1/resend";
    assert_eq!(client.post(path, &json!({})).await.status, 404);
}

#[tokio::test]
async fn the_limit_of_all_requests_names_the_time_of_its_end() {
    let gitlab = FakeGitLab::builder().requests_a_minute(3).start().await;
    let gitlab = gitlab.expect("a port");
    let client = Client::of(&gitlab);
    at_the_start_of_a_minute(&gitlab);
    for _ in 0..3 {
        assert_eq!(client.get("projects/42/hooks").await.status, 200);
    }

    let refused = client.get("projects/42/hooks").await;

    assert_eq!(refused.status, 429);
    assert_eq!(refused.text(), "Retry later\n");
    assert_eq!(refused.header("ratelimit-limit"), Some("3"));
    assert_eq!(refused.header("ratelimit-observed"), Some("4"));
    assert_eq!(refused.header("ratelimit-remaining"), Some("0"));
    let wait = refused
        .header("retry-after")
        .and_then(|text| text.parse::<u64>().ok());
    assert!(
        wait.is_some_and(|wait| (1..=60).contains(&wait)),
        "{wait:?}"
    );
    let reset = refused
        .header("ratelimit-reset")
        .and_then(|text| text.parse::<u64>().ok());
    assert!(
        reset.is_some_and(|reset| reset > gitlab.now().as_secs()),
        "{reset:?}"
    );
    assert!(
        refused
            .header("ratelimit-resettime")
            .is_some_and(|time| time.ends_with(" GMT"))
    );
    gitlab.advance(MINUTE);
    assert_eq!(client.get("projects/42/hooks").await.status, 200);
}

#[tokio::test]
async fn a_test_replaces_responses_in_order_and_then_no_longer() {
    let gitlab = FakeGitLab::start().await;
    let client = Client::of(&gitlab);
    gitlab.answer_next(502, &[], "<html>");
    gitlab.answer_next(429, &[("Retry-After", "7")], "");
    let status = async || client.get("version").await.status;

    let page = client.get("version").await;
    assert_eq!((page.status, page.text()), (502, "<html>".to_owned()));
    assert_eq!(client.get("version").await.header("retry-after"), Some("7"));
    assert_eq!(status().await, 200);
    gitlab.answer_always(503, &[], "");
    assert_eq!((status().await, status().await), (503, 503));
    gitlab.answer_normally();
    assert_eq!(status().await, 200);
    let statuses: Vec<_> = gitlab
        .requests()
        .iter()
        .map(|request| request.status)
        .collect();
    assert_eq!(statuses, [502, 429, 200, 503, 503, 200]);
}
