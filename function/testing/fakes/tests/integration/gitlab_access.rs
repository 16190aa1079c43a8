//! Who may do what in the fake GitLab: tokens, scopes, roles, and projects that one cannot see.

use fakes::gitlab::{Access, FakeGitLab, PROJECT, Scope};
use serde_json::json;

use crate::gitlab_client::Client;

const HOOKS: &str = "projects/42/hooks";

#[tokio::test]
async fn tokens_that_cannot_be_used_are_answered_with_401() {
    let gitlab = FakeGitLab::start().await;
    let expired = gitlab.add_token("webhook-bot", Scope::Api);
    gitlab.expire_token(&expired);
    let revoked = gitlab.add_token("webhook-bot", Scope::Api);
    gitlab.revoke_token(&revoked);
    let cases = [
        ("none", String::new(), "401 Unauthorized"),
        ("unknown", "glpat-unknown".to_owned(), "401 Unauthorized"),
        ("expired", expired, "Token is expired"),
        ("revoked", revoked, "Token was revoked"),
    ];

    for (case, token, error) in cases {
        let response = Client::with(&gitlab, &token).get(HOOKS).await;
        assert_eq!(response.status, 401, "{case}");
        assert!(
            response.text().contains(error),
            "{case}: {}",
            response.text()
        );
    }
}

#[tokio::test]
async fn a_token_is_taken_from_the_places_that_gitlab_knows() {
    let gitlab = FakeGitLab::start().await;
    let anonymous = Client::with(&gitlab, "");
    let token = gitlab.token();
    let bearer = format!("Bearer {token}");
    let cases = [
        ("Private-Token", token, 200),
        ("Authorization", bearer.as_str(), 200),
        ("Authorization", token, 401),
        ("Job-Token", token, 401),
    ];

    for (name, value, status) in cases {
        let response = anonymous.send("GET", HOOKS, &[(name, value)], b"").await;
        assert_eq!(response.status, status, "{name}: {value}");
    }
}

#[tokio::test]
async fn the_scope_of_a_token_limits_it() {
    let gitlab = FakeGitLab::start().await;
    let hook = gitlab.add_hook(PROJECT, &json!({ "url": "https://hooks.example.org/" }));
    let cases = [
        (Scope::Api, 200, 200),
        (Scope::ReadApi, 200, 403),
        (Scope::ReadRepository, 403, 403),
    ];

    for (scope, reads, writes) in cases {
        let client = Client::with(&gitlab, &gitlab.add_token("webhook-bot", scope));
        assert_eq!(client.get(HOOKS).await.status, reads, "{scope:?}");
        let path = format!("{HOOKS}/{hook}");
        let written = client.put(&path, &json!({ "push_events": true })).await;
        assert_eq!(written.status, writes, "{scope:?}");
        if writes == 403 {
            assert_eq!(written.json()["error"], "insufficient_scope", "{scope:?}");
            let resent = client
                .post(&format!("{path}/events/1/resend"), &json!({}))
                .await;
            assert_eq!(resent.status, 403, "{scope:?}");
        }
    }
}

#[tokio::test]
async fn only_maintainers_manage_hooks_and_others_do_not_learn_of_private_projects() {
    let gitlab = FakeGitLab::start().await;
    gitlab.add_project("acme/open");
    gitlab.make_public("acme/open");
    gitlab.add_user("robin");
    let client = Client::with(&gitlab, &gitlab.add_token("robin", Scope::Api));
    let roles = [
        (None, 404, 403),
        (Some(Access::Guest), 403, 403),
        (Some(Access::Reporter), 403, 403),
        (Some(Access::Developer), 403, 403),
        (Some(Access::Maintainer), 200, 200),
        (Some(Access::Owner), 200, 200),
    ];

    for (role, private, public) in roles {
        for (project, status) in [(PROJECT, private), ("acme/open", public)] {
            gitlab.set_access("robin", project, role);
            let path = format!("projects/{}/hooks", project.replace('/', "%2F"));
            let response = client.get(&path).await;
            assert_eq!(response.status, status, "{role:?} {project}");
            // Who may not manage hooks learns nothing about parameters or hooks.
            let written = client.post(&path, &json!({})).await.status;
            assert_eq!(
                written,
                if status == 200 { 400 } else { status },
                "{role:?} {project}"
            );
            let unknown = client.get(&format!("{path}/99")).await.status;
            assert_eq!(
                unknown,
                if status == 200 { 404 } else { status },
                "{role:?} {project}"
            );
        }
    }
    gitlab.set_access("robin", PROJECT, None);
    let hidden = client.get(HOOKS).await.json();
    let unknown = client.get("projects/99/hooks").await.json();
    assert_eq!(hidden, unknown);
    assert_eq!(hidden["message"], "404 Project Not Found");
}

#[tokio::test]
async fn access_to_a_group_is_access_to_its_projects() {
    let gitlab = FakeGitLab::start().await;
    let deep = gitlab.add_project("infra/network/dns");
    gitlab.add_project("infra/tools");
    gitlab.add_project("other/secret");
    gitlab.set_access("webhook-bot", "infra", Some(Access::Maintainer));
    let client = Client::of(&gitlab);
    let paths = async |path: &str| -> Vec<String> {
        let listed = client.get(path).await;
        assert_eq!(listed.status, 200, "{path}: {}", listed.text());
        let listed = listed.json();
        let listed = listed.as_array().expect("a list").iter();
        listed
            .map(|project| {
                project["path_with_namespace"]
                    .as_str()
                    .expect("a text")
                    .to_owned()
            })
            .collect()
    };

    assert_eq!(
        client.get(&format!("projects/{deep}/hooks")).await.status,
        200
    );
    assert_eq!(paths("groups/infra/projects").await, ["infra/tools"]);
    let all = ["infra/tools", "infra/network/dns"];
    assert_eq!(
        paths("groups/infra/projects?include_subgroups=true").await,
        all
    );
    assert_eq!(
        paths("groups/infra%2Fnetwork/projects").await,
        ["infra/network/dns"]
    );
    let all = ["infra/tools", "infra/network/dns", PROJECT];
    assert_eq!(
        paths("projects?membership=true&min_access_level=40").await,
        all
    );
    assert_eq!(
        paths("projects?membership=true&min_access_level=50").await,
        Vec::<String>::new()
    );
    assert_eq!(client.get("groups/other/projects").await.status, 404);
    assert_eq!(client.get("groups/nobody").await.status, 404);
    assert_eq!(client.get("projects?min_access_level=41").await.status, 400);
}

#[tokio::test]
async fn a_path_must_be_encoded_and_unknown_paths_are_404() {
    let gitlab = FakeGitLab::start().await;
    let client = Client::of(&gitlab);
    let cases = [
        ("GET", "projects/acme%2Frocket", 200),
        ("GET", "projects/ACME%2frocket", 200),
        ("GET", "projects/acme/rocket", 404),
        ("GET", "projects/42/hook", 404),
        ("DELETE", "projects/42/hooks", 404),
        ("POST", "projects/42/hooks/1", 404),
        ("GET", "../v4/projects", 404),
        ("GET", "projects/%2F%2F%00", 404),
    ];

    for (method, path, status) in cases {
        let response = client.send(method, path, &[], b"").await;
        assert_eq!(response.status, status, "{method} {path}");
    }
}
