//! The hooks of the fake GitLab in its API: what is created, shown, changed and refused.

use fakes::gitlab::{FakeGitLab, PROJECT, SAMPLE_KEY};
use serde_json::{Value, json};

use crate::gitlab_client::Client;

const HOOKS: &str = "projects/42/hooks";
const URL: &str = "https://hooks.example.org/webhook";

#[tokio::test]
async fn a_hook_is_created_listed_changed_and_deleted() {
    let gitlab = FakeGitLab::start().await;
    let client = Client::of(&gitlab);

    let fields = json!({ "url": URL, "pipeline_events": true, "token": "secret", "unknown": 1 });
    let created = client.post("projects/acme%2Frocket/hooks", &fields).await;

    assert_eq!(created.status, 201, "{}", created.text());
    let hook = created.json();
    let path = format!("{HOOKS}/{}", hook["id"]);
    let changed = client.put(&path, &json!({ "push_events": false })).await;
    assert_eq!(changed.status, 200);
    assert_eq!(changed.json()["push_events"], false);
    assert_eq!(changed.json()["pipeline_events"], true);
    let listed = client.get(HOOKS).await.json();
    assert_eq!(listed.as_array().map(Vec::len), Some(1));
    assert_eq!(client.delete(&path).await.status, 204);
    let gone = client.get(&path).await;
    assert_eq!(gone.status, 404);
    assert_eq!(gone.json()["message"], "404 Not found");
    let requests = gitlab.requests();
    let methods: Vec<_> = requests
        .iter()
        .map(|request| request.method.as_str())
        .collect();
    assert_eq!(methods, ["POST", "PUT", "GET", "DELETE", "GET"]);
    assert_eq!(requests[0].username.as_deref(), Some("webhook-bot"));
}

#[tokio::test]
async fn a_new_hook_has_the_defaults_of_gitlab() {
    let gitlab = FakeGitLab::start().await;
    let client = Client::of(&gitlab);

    let hook = client.post(HOOKS, &json!({ "url": URL })).await.json();

    let on = hook.as_object().expect("an object").iter();
    let on = on
        .filter(|(_, value)| **value == true)
        .map(|(name, _)| name.as_str());
    assert_eq!(
        on.collect::<Vec<_>>(),
        ["enable_ssl_verification", "push_events"]
    );
    assert_eq!(hook["alert_status"], "executable");
    assert_eq!(hook["disabled_until"], Value::Null);
    assert_eq!(hook["branch_filter_strategy"], "wildcard");
}

#[tokio::test]
async fn a_form_is_read_as_json_is() {
    let gitlab = FakeGitLab::start().await;
    let client = Client::of(&gitlab);
    let headers = [("Content-Type", "application/x-www-form-urlencoded")];
    let body = b"url=https%3A%2F%2Fhooks.example.org%2Fa+b&push_events=0&job_events=true";

    let hook = client.send("POST", HOOKS, &headers, body).await;

    assert_eq!(hook.status, 201);
    let hook = hook.json();
    assert_eq!(hook["url"], "https://hooks.example.org/a b");
    assert_eq!(
        (&hook["push_events"], &hook["job_events"]),
        (&json!(false), &json!(true))
    );
}

/// What is wrong, the fields, and the status and text of the refusal, of a new hook as of a change.
fn refused_fields() -> Vec<(&'static str, Value, u16, &'static str)> {
    let long = "x".repeat(4097);
    vec![
        (
            "a scheme",
            json!({ "url": "ftp://example.org" }),
            422,
            "Invalid url given",
        ),
        (
            "no host",
            json!({ "url": "https://" }),
            422,
            "Invalid url given",
        ),
        (
            "an empty URL",
            json!({ "url": "" }),
            422,
            "Invalid url given",
        ),
        (
            "a variable without value",
            json!({ "url": "https://example.org/{a}" }),
            422,
            "Invalid url given",
        ),
        (
            "a list as URL",
            json!({ "url": [URL] }),
            400,
            "url is invalid",
        ),
        (
            "a trigger",
            json!({ "url": URL, "push_events": "maybe" }),
            400,
            "push_events is invalid",
        ),
        (
            "a strategy",
            json!({ "url": URL, "branch_filter_strategy": "glob" }),
            400,
            "branch_filter_strategy does not have a valid value",
        ),
        (
            "a branch filter",
            json!({ "url": URL, "push_events_branch_filter": "~bad/" }),
            422,
            "Invalid branch filter given",
        ),
        (
            "a token of two lines",
            json!({ "url": URL, "token": "a\nb" }),
            422,
            "is invalid",
        ),
        (
            "a signing token",
            json!({ "url": URL, "signing_token": "whsec_short" }),
            422,
            "32 bytes",
        ),
        (
            "a long template",
            json!({ "url": URL, "custom_webhook_template": long }),
            422,
            "too long",
        ),
        (
            "a header without value",
            json!({ "url": URL, "custom_headers": [{ "key": "X-A" }] }),
            400,
            "[value] is missing",
        ),
    ]
}

#[tokio::test]
async fn what_gitlab_refuses_is_refused_and_changes_nothing() {
    let gitlab = FakeGitLab::start().await;
    let client = Client::of(&gitlab);
    let hook = gitlab.add_hook(PROJECT, &json!({ "url": URL }));
    let before = gitlab.hook(hook);

    for (case, fields, status, error) in refused_fields() {
        for (method, path) in [
            ("POST", HOOKS.to_owned()),
            ("PUT", format!("{HOOKS}/{hook}")),
        ] {
            let response = match method {
                "POST" => client.post(&path, &fields).await,
                _ => client.put(&path, &fields).await,
            };
            assert_eq!(
                response.status,
                status,
                "{method} {case}: {}",
                response.text()
            );
            assert!(
                response.text().contains(error),
                "{method} {case}: {}",
                response.text()
            );
        }
    }
    assert_eq!(gitlab.hook(hook), before);
    assert_eq!(
        client.get(HOOKS).await.json().as_array().map(Vec::len),
        Some(1)
    );
}

#[tokio::test]
async fn a_new_hook_needs_a_url_and_a_change_needs_a_field_and_a_hook() {
    let gitlab = FakeGitLab::start().await;
    let client = Client::of(&gitlab);
    let hook = gitlab.add_hook(PROJECT, &json!({ "url": URL }));
    let cases = [
        (
            "POST",
            HOOKS.to_owned(),
            json!({ "push_events": true }),
            400,
            "url is missing",
        ),
        (
            "PUT",
            format!("{HOOKS}/{hook}"),
            json!({ "unknown": 1 }),
            400,
            "No parameters provided",
        ),
        (
            "PUT",
            format!("{HOOKS}/99"),
            json!({ "url": URL }),
            404,
            "404 Not found",
        ),
        (
            "PUT",
            format!("{HOOKS}/first"),
            json!({ "url": URL }),
            400,
            "hook_id is invalid",
        ),
        (
            "PUT",
            HOOKS.to_owned(),
            json!({ "url": URL }),
            404,
            "404 Not Found",
        ),
    ];
    for (method, path, fields, status, error) in cases {
        let headers = [("Content-Type", "application/json")];
        let response = client
            .send(method, &path, &headers, fields.to_string().as_bytes())
            .await;
        assert_eq!(
            response.status,
            status,
            "{method} {path}: {}",
            response.text()
        );
        assert!(
            response.text().contains(error),
            "{method} {path}: {}",
            response.text()
        );
    }
}

#[tokio::test]
async fn bodies_that_are_no_json_object_are_refused() {
    let gitlab = FakeGitLab::start().await;
    let client = Client::of(&gitlab);
    let deep = "[".repeat(100_000);
    let cases: [(&str, &[u8], u16); 7] = [
        ("application/json", b"{\"url\":", 400),
        ("application/json", b"[1]", 400),
        ("application/json", b"\xff\xfe", 400),
        ("application/json", deep.as_bytes(), 400),
        ("text/plain", b"{}", 415),
        ("application/x-www-form-urlencoded", b"%ZZ=%F", 400),
        ("application/x-www-form-urlencoded", b"url=%FF%FE", 422),
    ];

    for (kind, body, status) in cases {
        let response = client
            .send("POST", HOOKS, &[("Content-Type", kind)], body)
            .await;
        let start = &body[..body.len().min(20)];
        assert_eq!(
            response.status,
            status,
            "{kind} {start:?}: {}",
            response.text()
        );
    }
}

#[tokio::test]
async fn an_address_of_the_local_network_is_refused_where_it_is_not_allowed() {
    let builder = FakeGitLab::builder().local_requests_forbidden();
    let gitlab = builder.start().await.expect("a port");
    let client = Client::of(&gitlab);
    let cases = [
        ("http://127.0.0.1:8080/", 422),
        ("http://localhost/", 422),
        ("http://10.1.2.3/", 422),
        ("http://192.168.1.1/", 422),
        ("http://169.254.169.254/", 422),
        ("http://[::1]/", 422),
        ("http://0.0.0.0/", 422),
        ("https://hooks.example.org/", 201),
        ("http://user:pass@hooks.example.org:8080/a?b#c", 201),
    ];

    for (url, status) in cases {
        let response = client.post(HOOKS, &json!({ "url": url })).await;
        assert_eq!(response.status, status, "{url}: {}", response.text());
    }
}

#[tokio::test]
async fn secrets_are_never_shown() {
    let gitlab = FakeGitLab::start().await;
    let client = Client::of(&gitlab);
    let fields = json!({
        "url": "https://hooks.example.org/{part}", "token": "canary-1", "signing_token": SAMPLE_KEY,
        "custom_headers": [{ "key": "X-Key", "value": "canary-2" }],
        "url_variables": [{ "key": "part", "value": "canary-3" }],
    });

    let created = client.post(HOOKS, &fields).await;

    assert_eq!(created.status, 201, "{}", created.text());
    let hook = created.json();
    assert_eq!(hook["token_present"], true);
    assert_eq!(hook["signing_token_present"], true);
    assert_eq!(hook["custom_headers"], json!([{ "key": "X-Key" }]));
    assert_eq!(hook["url_variables"], json!([{ "key": "part" }]));
    let shown = client.get(&format!("{HOOKS}/{}", hook["id"])).await.text();
    let listed = client.get(HOOKS).await;
    for text in [&created.text(), &shown, &listed.text()] {
        assert!(
            !text.contains("canary") && !text.contains(SAMPLE_KEY),
            "{text}"
        );
    }
    // The list of a project leaves out both.
    assert!(listed.json()[0]["custom_headers"].is_null());
    assert!(listed.json()[0]["url_variables"].is_null());
}

#[tokio::test]
async fn another_url_clears_the_secrets_that_are_not_sent_again() {
    let gitlab = FakeGitLab::start().await;
    let client = Client::of(&gitlab);
    let fields = json!({
        "url": URL, "token": "one", "signing_token": SAMPLE_KEY,
        "custom_headers": [{ "key": "X-Key", "value": "two" }],
    });
    let other = "https://hooks.example.org/other";
    let kept = (Some("one".to_owned()), Some(SAMPLE_KEY.to_owned()));
    let cases = [
        ("the same URL", json!({ "url": URL }), kept.clone(), 1),
        ("a trigger", json!({ "job_events": true }), kept, 1),
        ("another URL", json!({ "url": other }), (None, None), 0),
        (
            "with the token",
            json!({ "url": other, "token": "new" }),
            (Some("new".to_owned()), None),
            0,
        ),
        (
            "with the key",
            json!({ "url": other, "signing_token": SAMPLE_KEY }),
            (None, Some(SAMPLE_KEY.to_owned())),
            0,
        ),
    ];

    for (case, change, secrets, headers) in cases {
        let hook = gitlab.add_hook(PROJECT, &fields);
        let changed = client.put(&format!("{HOOKS}/{hook}"), &change).await;
        assert_eq!(changed.status, 200, "{case}");
        assert_eq!(gitlab.secrets(hook), secrets, "{case}");
        let shown = gitlab.hook(hook);
        assert_eq!(
            shown["custom_headers"].as_array().map(Vec::len),
            Some(headers),
            "{case}"
        );
        assert_eq!(shown["token_present"], secrets.0.is_some(), "{case}");
    }
}

#[tokio::test]
async fn signing_tokens_are_silently_ignored_before_gitlab_19() {
    for (version, signs) in [("18.11.4", false), ("19.0.0", true), ("19.3.0-ee", true)] {
        let gitlab = FakeGitLab::builder().version(version).start().await;
        let gitlab = gitlab.expect("a port");
        let client = Client::of(&gitlab);

        let hook = client
            .post(HOOKS, &json!({ "url": URL, "signing_token": SAMPLE_KEY }))
            .await;

        assert_eq!(hook.status, 201, "{version}");
        let expected = if signs { json!(true) } else { Value::Null };
        assert_eq!(hook.json()["signing_token_present"], expected, "{version}");
        let id = hook.json()["id"].as_u64().expect("a number");
        assert_eq!(gitlab.secrets(id).1.is_some(), signs, "{version}");
        assert_eq!(client.get("version").await.json()["version"], version);
    }
}

#[tokio::test]
async fn a_project_has_at_most_100_hooks() {
    let gitlab = FakeGitLab::start().await;
    for _ in 0..100 {
        gitlab.add_hook(PROJECT, &json!({ "url": URL }));
    }

    let refused = Client::of(&gitlab)
        .post(HOOKS, &json!({ "url": URL }))
        .await;

    assert_eq!(refused.status, 422);
    assert!(
        refused.text().contains("Maximum number"),
        "{}",
        refused.text()
    );
}

#[tokio::test]
async fn system_hooks_are_managed_by_administrators_and_have_no_event_log() {
    let gitlab = FakeGitLab::start().await;
    let (bot, root) = (
        Client::of(&gitlab),
        Client::with(&gitlab, gitlab.admin_token()),
    );

    assert_eq!(bot.get("hooks").await.status, 403);
    assert_eq!(bot.post("hooks", &json!({ "url": URL })).await.status, 403);
    let fields = json!({ "url": URL, "pipeline_events": true, "push_events": true });
    let created = root.post("hooks", &fields).await;

    assert_eq!(created.status, 201, "{}", created.text());
    let hook = created.json();
    assert_eq!(hook["push_events"], true);
    assert_eq!(hook["repository_update_events"], true, "the default");
    assert_eq!(
        hook["pipeline_events"],
        Value::Null,
        "system hooks have no such trigger"
    );
    let path = format!("hooks/{}", hook["id"]);
    assert_eq!(
        root.put(&path, &json!({ "push_events": false }))
            .await
            .status,
        200
    );
    assert_eq!(
        root.get("hooks").await.json().as_array().map(Vec::len),
        Some(1)
    );
    assert_eq!(root.get(&format!("{path}/events")).await.status, 404);
    assert_eq!(
        root.get(&format!("{HOOKS}/{}", hook["id"])).await.status,
        404
    );
    assert_eq!(bot.delete(&path).await.status, 403);
    assert_eq!(root.delete(&path).await.status, 204);
}

#[tokio::test]
async fn only_administrators_read_and_change_the_list_of_local_hosts() {
    let gitlab = FakeGitLab::builder().local_requests_forbidden().start();
    let gitlab = gitlab.await.expect("a free port");
    let maintainer = Client::of(&gitlab);
    let administrator = Client::with(&gitlab, gitlab.admin_token());
    let settings = "application/settings";
    let list = json!({ "outbound_local_requests_whitelist": ["127.0.0.1", "other"] });
    let hook = json!({ "url": "http://127.0.0.1:8080/webhook" });

    let forbidden = maintainer.get(settings).await;
    let blocked = maintainer.post(HOOKS, &hook).await;
    let wrong = json!({ "outbound_local_requests_whitelist": "127.0.0.1" });
    let wrong = administrator.put(settings, &wrong).await;
    let empty = administrator.put(settings, &json!({})).await;
    let changed = administrator.put(settings, &list).await;
    let shown = administrator.get(settings).await;
    let allowed = maintainer.post(HOOKS, &hook).await;

    assert_eq!((forbidden.status, blocked.status), (403, 422));
    assert_eq!((wrong.status, empty.status), (400, 400));
    assert_eq!((changed.status, allowed.status), (200, 201));
    let hosts = shown.json()["outbound_local_requests_whitelist"].clone();
    assert_eq!(hosts, list["outbound_local_requests_whitelist"]);
}
