//! The hooks of the fake GitLab in its API: listing, creating, changing, deleting.

use serde_json::json;

use crate::gitlab_client::Client;
use fakes::gitlab::{FakeGitLab, PROJECT};

#[tokio::test]
async fn a_hook_is_created_listed_changed_and_deleted() {
    let gitlab = FakeGitLab::start().await;
    let client = Client::of(&gitlab);

    let fields = json!({
        "url": "https://hooks.example.org/webhook", "pipeline_events": true, "token": "secret", "unknown": 1,
    });
    let created = client.post("projects/acme%2Frocket/hooks", &fields).await;

    assert_eq!(created.status, 201, "{}", created.text());
    let hook = created.json();
    assert_eq!(hook["push_events"], true, "the default");
    assert_eq!(hook["pipeline_events"], true);
    assert_eq!(hook["token_present"], true);
    assert_eq!(hook["signing_token_present"], false);
    assert!(!created.text().contains("secret"));
    let path = format!("projects/42/hooks/{}", hook["id"]);
    let changed = client.put(&path, &json!({ "push_events": false })).await;
    assert_eq!(changed.status, 200);
    assert_eq!(changed.json()["push_events"], false);
    let listed = client.get("projects/42/hooks").await.json();
    assert_eq!(listed.as_array().map(Vec::len), Some(1));
    assert_eq!(client.delete(&path).await.status, 204);
    assert_eq!(client.get(&path).await.status, 404);
    let methods: Vec<_> = gitlab
        .requests()
        .into_iter()
        .map(|request| request.method)
        .collect();
    assert_eq!(methods, ["POST", "PUT", "GET", "DELETE", "GET"]);
    assert_eq!(PROJECT, "acme/rocket");
}
