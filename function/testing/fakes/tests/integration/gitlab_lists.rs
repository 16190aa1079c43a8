//! What the fake GitLab lists of things that happened: pushes, commits, pipelines, merge requests.

use std::time::Duration;

use fakes::gitlab::{Access, FakeGitLab, PROJECT, Scope, Trigger};
use serde_json::{Value, json};

use crate::gitlab_client::{Client, push};

const DAY: Duration = Duration::from_hours(24);

fn sha(letter: char) -> String {
    letter.to_string().repeat(40)
}

fn of(list: &Value, path: &str) -> Vec<Value> {
    let items = list
        .as_array()
        .unwrap_or_else(|| panic!("expected a list, found {list}"));
    items
        .iter()
        .map(|item| item.pointer(path).cloned().unwrap_or_default())
        .collect()
}

#[tokio::test]
async fn pushes_are_listed_with_what_changed() {
    let gitlab = FakeGitLab::start().await;
    let mut created = push('0', 'a');
    created["ref"] = "refs/heads/feature".into();
    let mut deleted = push('a', '0');
    deleted["ref"] = "refs/heads/feature".into();
    deleted["commits"] = json!([]);
    let mut tag = push('0', 'b');
    tag["ref"] = "refs/tags/v1".into();
    gitlab.record_event(PROJECT, Trigger::Push, &created);
    gitlab.record_event(PROJECT, Trigger::Push, &push('a', 'b'));
    gitlab.record_event(PROJECT, Trigger::Push, &deleted);
    gitlab.record_event(PROJECT, Trigger::TagPush, &tag);
    gitlab.record_event(PROJECT, Trigger::Pipeline, &json!({}));

    let listed = Client::of(&gitlab)
        .get("projects/42/events?action=pushed&sort=asc")
        .await
        .json();

    assert_eq!(
        of(&listed, "/action_name"),
        ["pushed new", "pushed to", "deleted", "pushed new"]
    );
    assert_eq!(
        of(&listed, "/push_data/action"),
        ["created", "pushed", "removed", "created"]
    );
    assert_eq!(
        of(&listed, "/push_data/ref_type"),
        ["branch", "branch", "branch", "tag"]
    );
    assert_eq!(
        of(&listed, "/push_data/ref"),
        ["feature", "main", "feature", "v1"]
    );
    assert_eq!(listed[0]["push_data"]["commit_from"], Value::Null);
    assert_eq!(listed[1]["push_data"]["commit_from"], sha('a'));
    assert_eq!(listed[1]["push_data"]["commit_to"], sha('b'));
    assert_eq!(listed[1]["push_data"]["commit_title"], "Change b");
    assert_eq!(listed[2]["push_data"]["commit_to"], Value::Null);
    assert_eq!(listed[1]["author"]["username"], "robin");
    assert!(!listed.to_string().contains('@'), "{listed}");
}

#[tokio::test]
async fn events_are_selected_by_whole_days() {
    let gitlab = FakeGitLab::start().await;
    let client = Client::of(&gitlab);
    let today = async || {
        let listed = client.get("projects/42/events").await.json();
        listed[0]["created_at"].as_str().expect("a time")[..10].to_owned()
    };
    gitlab.record_event(PROJECT, Trigger::Push, &push('a', 'b'));
    let first = today().await;
    gitlab.advance(DAY);
    gitlab.record_event(PROJECT, Trigger::Push, &push('b', 'c'));
    let second = today().await;
    let titles = async |query: String| {
        let listed = client
            .get(&format!("projects/42/events?{query}"))
            .await
            .json();
        of(&listed, "/push_data/commit_title")
    };

    assert_eq!(titles(String::new()).await, ["Change c", "Change b"]);
    assert_eq!(titles(format!("after={first}")).await, ["Change c"]);
    assert_eq!(
        titles(format!("after={first}T00:00:00Z")).await,
        ["Change c"]
    );
    assert_eq!(titles(format!("before={second}")).await, ["Change b"]);
    assert_eq!(titles(format!("after={second}")).await, Vec::<Value>::new());
    assert_eq!(
        titles("action=merged".to_owned()).await,
        Vec::<Value>::new()
    );
    for query in ["action=push", "after=yesterday", "sort=up", "per_page=0"] {
        let refused = client.get(&format!("projects/42/events?{query}")).await;
        assert_eq!(refused.status, 400, "{query}");
    }
}

#[tokio::test]
async fn compare_lists_the_commits_between_oldest_first() {
    let gitlab = FakeGitLab::start().await;
    for (before, after) in [('a', 'b'), ('b', 'c'), ('c', 'd')] {
        gitlab.record_event(PROJECT, Trigger::Push, &push(before, after));
    }
    let client = Client::of(&gitlab);
    let compare = async |from: &str, to: &str| {
        client
            .get(&format!(
                "projects/42/repository/compare?from={from}&to={to}"
            ))
            .await
    };

    let two = compare(&sha('b'), &sha('d')).await.json();
    assert_eq!(of(&two["commits"], "/title"), ["Change c", "Change d"]);
    assert_eq!(two["commit"]["title"], "Change d");
    assert_eq!(two["commits"][0]["author_email"], "robin@example.org");
    assert_eq!(two["commits"][0]["parent_ids"], json!([sha('b')]));
    assert_eq!(of(&two["diffs"], "/new_path"), ["new.rs", "new.rs"]);
    assert_eq!(two["diffs"][0]["new_file"], true);
    // The commit before the first push is known by its ID.
    let all = compare(&sha('a'), "main").await.json();
    assert_eq!(
        of(&all["commits"], "/title"),
        ["Change b", "Change c", "Change d"]
    );
    let same = compare(&sha('c'), &sha('c')).await.json();
    assert_eq!(
        (&same["commits"], &same["compare_same_ref"]),
        (&json!([]), &json!(true))
    );
    assert_eq!(same["commit"], Value::Null);
    for (from, to) in [
        (sha('0'), sha('d')),
        (sha('9'), sha('d')),
        (sha('a'), "gone".to_owned()),
    ] {
        let unknown = compare(&from, &to).await;
        assert_eq!(
            (unknown.status, unknown.text()),
            (404, "{\"message\":\"404 Ref Not Found\"}".to_owned())
        );
    }
    let missing = client.get("projects/42/repository/compare").await;
    assert_eq!(missing.json()["error"], "from is missing, to is missing");
}

#[tokio::test]
async fn commits_are_listed_newest_first_without_a_total() {
    let gitlab = FakeGitLab::start().await;
    for (before, after) in [('a', 'b'), ('b', 'c')] {
        gitlab.record_event(PROJECT, Trigger::Push, &push(before, after));
    }
    let client = Client::of(&gitlab);

    let listed = client
        .get("projects/42/repository/commits?ref_name=main")
        .await;

    assert_eq!(of(&listed.json(), "/title"), ["Change c", "Change b"]);
    assert_eq!(listed.header("x-total"), None);
    assert_eq!(listed.header("x-page"), Some("1"));
    let one = client
        .get(&format!("projects/42/repository/commits/{}", sha('b')))
        .await;
    assert_eq!(one.json()["short_id"], "bbbbbbbb");
    assert_eq!(
        client
            .get("projects/42/repository/commits/ffffffff")
            .await
            .status,
        404
    );
    assert_eq!(
        client
            .get("projects/42/repository/commits?ref_name=gone")
            .await
            .status,
        404
    );
}

/// The end of the second of a time, because milliseconds are shown and microseconds compared.
fn after_second(time: &Value) -> String {
    let time = time.as_str().expect("a time");
    format!("{}.999Z", &time[..19])
}

fn pipeline(id: u64, status: &str) -> Value {
    json!({
        "object_kind": "pipeline",
        "object_attributes": { "id": id, "iid": id, "ref": "main", "sha": sha('b'), "status": status, "source": "push" },
        "user": { "id": 7, "username": "robin", "name": "Robin", "email": "robin@example.org" },
        "builds": [{ "id": 1, "name": "test", "stage": "test", "status": status, "user": { "username": "robin", "email": "robin@example.org" } }],
    })
}

#[tokio::test]
async fn a_pipeline_has_its_last_status_and_is_selected_by_time() {
    let gitlab = FakeGitLab::start().await;
    let client = Client::of(&gitlab);
    gitlab.record_event(PROJECT, Trigger::Pipeline, &pipeline(1, "running"));
    gitlab.record_event(PROJECT, Trigger::Pipeline, &pipeline(2, "running"));
    gitlab.advance(DAY);
    gitlab.record_event(PROJECT, Trigger::Pipeline, &pipeline(1, "failed"));
    let mut merge = pipeline(3, "success");
    merge["merge_request"] = json!({ "iid": 5 });
    gitlab.record_event(PROJECT, Trigger::Pipeline, &merge);

    let listed = client.get("projects/42/pipelines").await.json();

    assert_eq!(of(&listed, "/id"), [3, 2, 1]);
    assert_eq!(of(&listed, "/status"), ["success", "running", "failed"]);
    assert_eq!(
        of(&listed, "/ref"),
        ["refs/merge-requests/5/head", "main", "main"]
    );
    let created = after_second(&listed[1]["updated_at"]);
    let select = async |query: String| {
        let listed = client
            .get(&format!("projects/42/pipelines?{query}"))
            .await
            .json();
        of(&listed, "/id")
    };
    assert_eq!(select(format!("updated_after={created}")).await, [3, 1]);
    assert_eq!(
        select(format!("updated_after={created}&sort=asc")).await,
        [1, 3]
    );
    assert_eq!(select("order_by=updated_at".to_owned()).await, [3, 1, 2]);
    assert_eq!(select("status=failed".to_owned()).await, [1]);
    assert_eq!(select("ref=other".to_owned()).await, Vec::<Value>::new());
    for query in [
        "updated_after=now",
        "status=broken",
        "order_by=name",
        "sort=up",
    ] {
        let refused = client.get(&format!("projects/42/pipelines?{query}")).await;
        assert_eq!(refused.status, 400, "{query}");
    }
    let one = client.get("projects/42/pipelines/1").await;
    assert_eq!(one.json()["user"]["username"], "robin");
    let jobs = client.get("projects/42/pipelines/1/jobs").await;
    assert_eq!(of(&jobs.json(), "/name"), ["test"]);
    assert!(
        !(one.text() + &jobs.text()).contains('@'),
        "the API shows no addresses of users"
    );
    assert_eq!(client.get("projects/42/pipelines/9").await.status, 404);
}

fn merge_request(iid: u64, action: &str, state: &str, username: &str) -> Value {
    json!({
        "object_kind": "merge_request",
        "user": { "id": 7, "username": username, "name": username, "email": "[REDACTED]" },
        "object_attributes": {
            "id": 100 + iid, "iid": iid, "title": format!("Request {iid}"), "action": action, "state": state,
            "source_branch": "feature", "target_branch": "main", "last_commit": { "id": sha('c') }, "draft": false,
        },
        "labels": [{ "title": "bug" }],
        "assignees": [{ "id": 8, "username": "sam", "name": "Sam", "email": "sam@example.org" }],
    })
}

#[tokio::test]
async fn a_merge_request_has_its_last_state_and_the_people_who_did_it() {
    let gitlab = FakeGitLab::start().await;
    let client = Client::of(&gitlab);
    gitlab.record_event(
        PROJECT,
        Trigger::MergeRequest,
        &merge_request(1, "open", "opened", "robin"),
    );
    gitlab.record_event(
        PROJECT,
        Trigger::MergeRequest,
        &merge_request(2, "open", "opened", "alex"),
    );
    gitlab.advance(DAY);
    gitlab.record_event(
        PROJECT,
        Trigger::MergeRequest,
        &merge_request(1, "merge", "merged", "kim"),
    );

    let listed = client.get("projects/42/merge_requests?sort=asc").await;

    let requests = listed.json();
    assert_eq!(of(&requests, "/iid"), [1, 2]);
    assert_eq!(of(&requests, "/state"), ["merged", "opened"]);
    assert_eq!(of(&requests, "/author/username"), ["robin", "alex"]);
    assert_eq!(requests[0]["merged_by"]["username"], "kim");
    assert!(requests[0]["merged_at"].is_string());
    assert_eq!(requests[1]["merged_by"], Value::Null);
    assert_eq!(requests[0]["labels"], json!(["bug"]));
    assert_eq!(requests[0]["assignees"][0]["username"], "sam");
    assert!(
        !listed.text().contains('@'),
        "the API shows no addresses of users"
    );
    let opened = after_second(&requests[1]["updated_at"]);
    let cases = [
        ("state=opened".to_owned(), vec![2]),
        ("state=all".to_owned(), vec![2, 1]),
        (format!("updated_after={opened}"), vec![1]),
        (format!("updated_before={opened}"), vec![2]),
        ("order_by=updated_at".to_owned(), vec![1, 2]),
    ];
    for (query, expected) in cases {
        let listed = client
            .get(&format!("projects/42/merge_requests?{query}"))
            .await
            .json();
        assert_eq!(of(&listed, "/iid"), expected, "{query}");
    }
    for query in ["state=open", "updated_after=now", "order_by=iid"] {
        let refused = client
            .get(&format!("projects/42/merge_requests?{query}"))
            .await;
        assert_eq!(refused.status, 400, "{query}");
    }
    assert_eq!(
        client.get("projects/42/merge_requests/1").await.json()["iid"],
        1
    );
    assert_eq!(client.get("projects/42/merge_requests/9").await.status, 404);
}

#[tokio::test]
async fn who_may_not_read_the_code_is_not_shown_it() {
    let gitlab = FakeGitLab::start().await;
    gitlab.add_user("guest");
    gitlab.set_access("guest", PROJECT, Some(Access::Guest));
    gitlab.record_event(PROJECT, Trigger::Push, &push('a', 'b'));
    let guest = Client::with(&gitlab, &gitlab.add_token("guest", Scope::Api));
    let compare = format!("repository/compare?from={}&to={}", sha('a'), sha('b'));

    let events = guest.get("projects/42/events").await;

    assert_eq!((events.status, events.json()), (200, json!([])));
    for path in [
        compare.as_str(),
        "repository/commits",
        "pipelines",
        "merge_requests",
    ] {
        assert_eq!(
            guest.get(&format!("projects/42/{path}")).await.status,
            403,
            "{path}"
        );
    }
}
