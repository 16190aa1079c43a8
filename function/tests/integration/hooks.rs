//! `webhook-app hooks`, and the webhooks in `webhook-app check`, with a fake GitLab that does what the real one
//! does: what is printed, what is written, and that a second run only reads.

use std::collections::BTreeMap;
use std::time::Duration;

use fakes::gitlab::{Access, Delivery, FakeGitLab, PROJECT, SAMPLE_KEY, Scope, Trigger};
use fakes::https::{Certificate, Https};
use fakes::rocketchat::FakeRocketChat;
use serde_json::{Value, json};

use crate::harness::{Setting, TOKEN, program, settings};

const URL: &str = "https://webhooks.example.org/webhook";

/// One project with the triggers that rules for pushes and failed pipelines need.
const SETTINGS: [Setting<'_>; 4] = [
    ("GITLAB_SIGNING_KEYS", SAMPLE_KEY),
    ("HOOKS", "- project: acme/rocket"),
    ("WEBHOOK_URL", URL),
    ("ROUTES", "rules: [{event: [push, pipeline], to: '@alice'}]"),
];

/// What a run printed, and its exit code.
struct Run {
    code: Option<i32>,
    output: String,
    errors: String,
}

/// Runs `hooks` with these words; an empty value removes a setting. Fails if a secret is printed.
async fn hooks(gitlab: &FakeGitLab, words: &str, overrides: &[Setting<'_>]) -> Run {
    let url = gitlab.url();
    let server = [
        ("GITLAB_URL", url.as_str()),
        ("GITLAB_API_TOKEN", gitlab.token()),
    ];
    let all = server.iter().chain(&SETTINGS).chain(overrides);
    let mut settings: BTreeMap<String, String> = all
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    settings.retain(|_, value| !value.is_empty());
    let words: Vec<_> = format!("hooks {words}")
        .split(' ')
        .map(str::to_owned)
        .collect();
    run(settings, words).await
}

async fn run(settings: BTreeMap<String, String>, words: Vec<String>) -> Run {
    let secrets: Vec<_> = [
        "GITLAB_API_TOKEN",
        "GITLAB_SIGNING_KEYS",
        "GITLAB_WEBHOOK_TOKENS",
    ]
    .iter()
    .filter_map(|name| settings.get(*name).cloned())
    .collect();
    let run = move || program(&settings).args(words).output().expect("runs");
    let output = tokio::task::spawn_blocking(run).await.expect("ends");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("is UTF-8");
    let run = Run {
        code: output.status.code(),
        output: text(output.stdout),
        errors: text(output.stderr),
    };
    for secret in secrets {
        assert!(!run.output.contains(&secret) && !run.errors.contains(&secret));
    }
    run
}

/// The requests so far that change something, as method and path.
fn writes(gitlab: &FakeGitLab) -> Vec<String> {
    let requests = gitlab.requests().into_iter();
    let writes = requests.filter(|request| request.method != "GET");
    writes
        .map(|request| {
            let path = request.path.strip_prefix("/api/v4").expect("is the API");
            format!("{} {path}", request.method)
        })
        .collect()
}

/// The ID of the webhook that was created.
async fn created(gitlab: &FakeGitLab) -> u64 {
    let status = hooks(gitlab, "status", &[]).await;
    let row = status.output.lines().nth(1).expect("has a row");
    let id = row.split_whitespace().nth(1).expect("has an ID");
    id.parse().expect("is an ID")
}

/// Whether a webhook has a trigger, as the API shows it.
fn has(gitlab: &FakeGitLab, hook: u64, trigger: &str) -> bool {
    gitlab.hook(hook)[format!("{trigger}_events")] == true
}

#[tokio::test]
async fn plan_writes_nothing_and_apply_writes_it_once() {
    let gitlab = FakeGitLab::start().await;
    let plan = hooks(&gitlab, "plan", &[]).await;
    assert_eq!(plan.code, Some(2), "{}", plan.errors);
    insta::assert_snapshot!(plan.output, @r"
    acme/rocket  create  push, pipeline
    1 to create, 0 to change, 0 as declared
    ");
    assert_eq!(writes(&gitlab), [""; 0]);
    let apply = hooks(&gitlab, "apply", &[]).await;
    assert_eq!(apply.code, Some(0), "{}", apply.errors);
    insta::assert_snapshot!(apply.output, @r"
    acme/rocket  created  push, pipeline
    1 created, 0 changed, 0 as declared
    ");
    assert_eq!(writes(&gitlab), ["POST /projects/42/hooks"]);
    let hook = created(&gitlab).await;
    let (token, signing_token) = gitlab.secrets(hook);
    assert_eq!((token, signing_token.as_deref()), (None, Some(SAMPLE_KEY)));
    assert_eq!(gitlab.hook(hook)["enable_ssl_verification"], true);
    assert!(
        has(&gitlab, hook, "push") && has(&gitlab, hook, "pipeline") && !has(&gitlab, hook, "job")
    );

    gitlab.clear_requests();
    for words in ["apply", "plan"] {
        let again = hooks(&gitlab, words, &[]).await;
        assert_eq!(again.code, Some(0), "{}", again.errors);
        assert!(
            again.output.starts_with("acme/rocket  ok\n"),
            "{}",
            again.output
        );
    }
    assert_eq!(writes(&gitlab), [""; 0]);
}

#[tokio::test]
async fn apply_changes_what_is_declared_and_keeps_everything_else() {
    let gitlab = FakeGitLab::start().await;
    let by_hand = json!({
        "url": URL, "name": "by hand", "token": TOKEN, "push_events": false, "job_events": true,
        "enable_ssl_verification": false, "push_events_branch_filter": "main",
    });
    let hook = gitlab.add_hook(PROJECT, &by_hand);
    let other = gitlab.add_hook(
        PROJECT,
        &json!({ "url": "https://other.example.org", "push_events": false }),
    );
    let before = gitlab.hook(other);
    let plan = hooks(&gitlab, "plan", &[]).await;
    assert_eq!(plan.code, Some(2), "{}", plan.errors);
    insta::assert_snapshot!(plan.output, @r"
    acme/rocket  change  push off → on, pipeline off → on; SSL verification off → on; signing token missing
    0 to create, 1 to change, 0 as declared
    ");
    let apply = hooks(&gitlab, "apply", &[]).await;
    insta::assert_snapshot!(apply.output, @r"
    acme/rocket  changed  push off → on, pipeline off → on; SSL verification off → on; signing token written
    0 created, 1 changed, 0 as declared
    ");
    assert_eq!(writes(&gitlab), [format!("PUT /projects/42/hooks/{hook}")]);
    let after = gitlab.hook(hook);
    assert_eq!(after["name"], "by hand");
    assert_eq!(after["push_events_branch_filter"], "main");
    assert!(has(&gitlab, hook, "job") && has(&gitlab, hook, "push"));
    let (token, signing_token) = gitlab.secrets(hook);
    assert_eq!(
        (token.as_deref(), signing_token.as_deref()),
        (Some(TOKEN), Some(SAMPLE_KEY))
    );
    assert_eq!(gitlab.hook(other), before);
    gitlab.clear_requests();
    assert_eq!(hooks(&gitlab, "apply", &[]).await.code, Some(0));
    assert_eq!(writes(&gitlab), [""; 0]);
}

#[tokio::test]
async fn groups_memberships_and_system_hooks_are_declared_in_one_list() {
    let gitlab = FakeGitLab::start().await;
    for path in [
        "infra/tools",
        "infra/sub/deep",
        "private/other",
        "infra/special",
    ] {
        gitlab.add_project(path);
    }
    for path in ["infra", "private/other"] {
        gitlab.set_access("webhook-bot", path, Some(Access::Maintainer));
    }
    let admin = gitlab.admin_token();
    gitlab.set_access("root", "private/other", Some(Access::Maintainer));
    let declared = "
- group: infra
  triggers: [push]
- project: infra/special
  triggers: [job]
  url: https://special.example.org/webhook
- membership: true
  triggers: [tag_push]
- system: true
";
    let overrides = [("HOOKS", declared), ("GITLAB_API_TOKEN", admin)];
    let apply = hooks(&gitlab, "apply", &overrides).await;
    assert_eq!(apply.code, Some(0), "{}{}", apply.output, apply.errors);
    insta::assert_snapshot!(apply.output, @r"
    infra/special   created  job
    system hook     created  push
    infra/sub/deep  created  push
    infra/tools     created  push
    private/other   created  tag_push
    5 created, 0 changed, 0 as declared
    ");
    gitlab.clear_requests();
    let again = hooks(&gitlab, "apply", &overrides).await;
    assert_eq!(
        (again.code, writes(&gitlab)),
        (Some(0), vec![]),
        "{}",
        again.output
    );
}

#[tokio::test]
async fn more_projects_than_one_page_are_found() {
    let gitlab = FakeGitLab::start().await;
    for number in 0..130 {
        gitlab.add_project(&format!("many/project-{number}"));
    }
    gitlab.set_access("webhook-bot", "many", Some(Access::Maintainer));
    let plan = hooks(&gitlab, "plan", &[("HOOKS", "- group: many")]).await;
    assert_eq!(plan.code, Some(2), "{}", plan.errors);
    assert!(
        plan.output
            .ends_with("130 to create, 0 to change, 0 as declared\n")
    );
}

#[tokio::test]
async fn secrets_are_renewed_only_if_that_is_asked_for() {
    let gitlab = FakeGitLab::start().await;
    let old = json!({ "url": URL, "signing_token": "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "pipeline_events": true });
    let hook = gitlab.add_hook(PROJECT, &old);
    assert_eq!(hooks(&gitlab, "apply", &[]).await.code, Some(0));
    assert_eq!(writes(&gitlab), [""; 0]);
    let plan = hooks(&gitlab, "plan --renew-secrets", &[]).await;
    assert!(
        plan.output
            .starts_with("acme/rocket  change  signing token is renewed\n"),
        "{}",
        plan.output
    );
    let apply = hooks(&gitlab, "apply --renew-secrets", &[]).await;
    assert!(
        apply
            .output
            .starts_with("acme/rocket  changed  signing token renewed\n"),
        "{}",
        apply.output
    );
    assert_eq!(gitlab.secrets(hook).1.as_deref(), Some(SAMPLE_KEY));
}

#[tokio::test]
async fn before_19_the_secret_token_is_written_or_the_key_is_refused() {
    let gitlab = FakeGitLab::builder()
        .version("18.11.0")
        .start()
        .await
        .expect("starts");
    let refused = hooks(&gitlab, "apply", &[]).await;
    assert_eq!(refused.code, Some(1));
    insta::assert_snapshot!(refused.errors, @"webhook-app: GitLab 18.11.0 ignores signing keys, which need 19.0 or later; set GITLAB_WEBHOOK_TOKENS to a secret token in place of GITLAB_SIGNING_KEYS, here and in webhook-app");
    assert_eq!(writes(&gitlab), [""; 0]);
    let token = [("GITLAB_WEBHOOK_TOKENS", TOKEN)];
    let apply = hooks(&gitlab, "apply", &token).await;
    assert_eq!(apply.code, Some(0), "{}{}", apply.output, apply.errors);
    assert_eq!(
        gitlab.secrets(created(&gitlab).await),
        (Some(TOKEN.to_owned()), None)
    );
    gitlab.clear_requests();
    let again = hooks(&gitlab, "apply", &token).await;
    assert_eq!((again.code, writes(&gitlab)), (Some(0), vec![]));
    insta::assert_snapshot!(again.output, @r"
    acme/rocket  ok
    acme/rocket  note  GitLab before 19.0 does not say whether there is a secret token; apply --renew-secrets writes it
    0 created, 0 changed, 1 as declared
    ");
}

#[tokio::test]
async fn a_webhook_of_which_gitlab_ignored_the_key_is_removed_again() {
    let gitlab = FakeGitLab::builder()
        .without_signing_tokens()
        .start()
        .await
        .expect("starts");
    let by_hand = gitlab.add_hook(PROJECT, &json!({ "url": "https://other.example.org" }));
    let apply = hooks(&gitlab, "apply", &[]).await;
    assert_eq!(apply.code, Some(1));
    let expected = "acme/rocket  FAIL  GitLab ignored the signing key: its feature flag webhook_signing_token is off";
    assert!(apply.output.starts_with(expected), "{}", apply.output);
    let writes = writes(&gitlab);
    assert_eq!(writes[0], "POST /projects/42/hooks");
    assert!(
        writes[1].starts_with("DELETE /projects/42/hooks/"),
        "{writes:?}"
    );
    assert_ne!(writes[1], format!("DELETE /projects/42/hooks/{by_hand}"));
    let status = hooks(&gitlab, "status", &[]).await;
    assert!(status.output.contains("missing"), "{}", status.output);
    // One that was there before stays.
    let hook = gitlab.add_hook(PROJECT, &json!({ "url": URL, "pipeline_events": true }));
    assert_eq!(hooks(&gitlab, "apply", &[]).await.code, Some(1));
    assert_eq!(gitlab.hook(hook)["pipeline_events"], true);
}

#[tokio::test]
async fn an_address_that_gitlab_blocks_is_explained() {
    let gitlab = FakeGitLab::builder()
        .local_requests_forbidden()
        .start()
        .await
        .expect("starts");
    let local = [("WEBHOOK_URL", "http://127.0.0.1:8080/webhook")];
    let apply = hooks(&gitlab, "apply", &local).await;
    assert_eq!(apply.code, Some(1));
    let expected = "allow it under Admin, Settings, Network, Outbound requests";
    assert!(apply.output.contains(expected), "{}", apply.output);
}

#[tokio::test]
async fn a_branch_filter_is_written_once() {
    let gitlab = FakeGitLab::start().await;
    let filtered = [("HOOKS", "[{project: 42, branch_filter: release/*}]")];
    let apply = hooks(&gitlab, "apply", &filtered).await;
    assert!(
        apply
            .output
            .starts_with("acme/rocket  created  push, pipeline; branch filter release/*\n"),
        "{}",
        apply.output
    );
    let again = hooks(&gitlab, "plan", &filtered).await;
    assert_eq!(again.code, Some(0), "{}", again.output);
}

#[tokio::test]
async fn gitlab_behind_tls_needs_a_trusted_certificate() {
    let gitlab = FakeGitLab::start().await;
    let https = Https::in_front_of(&gitlab.url(), Certificate::Valid, Duration::ZERO).await;
    let https = https.expect("openssl is installed");
    let url = https.url();
    let untrusted = hooks(&gitlab, "plan", &[("GITLAB_URL", &url)]).await;
    assert_eq!(untrusted.code, Some(1));
    let expected = "the certificate of GitLab is not from a trusted authority; give the certificate of the authority, or a self-signed certificate itself, in GITLAB_CA";
    assert!(untrusted.errors.contains(expected), "{}", untrusted.errors);
    let trusted = [
        ("GITLAB_URL", url.as_str()),
        ("GITLAB_CA", https.authority()),
    ];
    let plan = hooks(&gitlab, "plan", &trusted).await;
    assert_eq!(plan.code, Some(2), "{}", plan.errors);
}

#[tokio::test]
async fn a_response_without_an_end_is_not_read_to_it() {
    let gitlab = FakeGitLab::start().await;
    gitlab.answer_always(200, &[], &"[".repeat(33 * 1024 * 1024));
    let plan = hooks(&gitlab, "plan", &[]).await;
    assert_eq!(plan.code, Some(1));
    assert!(
        plan.errors.contains("GitLab returns more than is read"),
        "{}",
        plan.errors
    );
}

#[tokio::test]
async fn every_error_of_the_api_has_its_advice() {
    let gitlab = FakeGitLab::start().await;
    gitlab.add_project("secret/app");
    let reader = gitlab.add_token("webhook-bot", Scope::ReadApi);
    let developer = {
        gitlab.add_user("robin");
        gitlab.set_access("robin", PROJECT, Some(Access::Developer));
        gitlab.add_token("robin", Scope::Api)
    };
    let expired = gitlab.add_token("webhook-bot", Scope::Api);
    gitlab.expire_token(&expired);
    for (case, overrides, expected) in [
        (
            "a wrong token",
            [("GITLAB_API_TOKEN", "glpat-canary")],
            "GitLab does not accept GITLAB_API_TOKEN: it is wrong, expired or revoked",
        ),
        (
            "an expired token",
            [("GITLAB_API_TOKEN", &expired)],
            "GitLab does not accept GITLAB_API_TOKEN",
        ),
        (
            "a token that reads",
            [("GITLAB_API_TOKEN", &reader)],
            "GITLAB_API_TOKEN lacks a scope; create a token with the scope api",
        ),
        (
            "a developer",
            [("GITLAB_API_TOKEN", &developer)],
            "lacks a role; give it the role Maintainer",
        ),
        (
            "an invisible project",
            [("HOOKS", "- project: secret/app")],
            "GitLab knows no such project or group",
        ),
        (
            "an unknown group",
            [("HOOKS", "- group: unknown")],
            "GitLab knows no such project or group",
        ),
        (
            "no administrator",
            [("HOOKS", "- system: true")],
            "the token of an administrator for system hooks",
        ),
        (
            "nothing listens",
            [("GITLAB_URL", "http://127.0.0.1:1")],
            "no program listens on the host and port in GITLAB_URL",
        ),
    ] {
        let apply = hooks(&gitlab, "apply", &overrides).await;
        assert_eq!(apply.code, Some(1), "{case}: {}", apply.output);
        let said = format!("{}{}", apply.output, apply.errors);
        assert!(said.contains(expected), "{case}: {said}");
    }
    for (case, status, headers, expected) in [
        (
            "an outage",
            502,
            &[][..],
            "GitLab or a proxy in front of it reported an error",
        ),
        (
            "a long rate limit",
            429,
            &[("Retry-After", "600")][..],
            "GitLab limits the rate of calls",
        ),
        (
            "another page",
            404,
            &[][..],
            "found no API of GitLab at GITLAB_URL",
        ),
        (
            "a redirect",
            302,
            &[("Location", "https://gitlab.example.org")][..],
            "GITLAB_URL responds with a redirect",
        ),
        (
            "another program",
            200,
            &[][..],
            "the response is not valid for GitLab",
        ),
    ] {
        gitlab.answer_always(status, headers, "<html></html>");
        let plan = hooks(&gitlab, "plan", &[]).await;
        assert_eq!(plan.code, Some(1), "{case}: {}", plan.output);
        assert!(plan.errors.contains(expected), "{case}: {}", plan.errors);
        gitlab.answer_normally();
    }
    let requests = gitlab.requests().into_iter();
    let mut created = requests.filter(|request| request.method != "GET" && request.status < 300);
    assert!(created.next().is_none());
}

#[tokio::test]
async fn a_short_rate_limit_is_waited_for() {
    let gitlab = FakeGitLab::start().await;
    gitlab.answer_next(429, &[("Retry-After", "0")], "Retry later");
    let plan = hooks(&gitlab, "plan", &[]).await;
    assert_eq!(plan.code, Some(2), "{}", plan.errors);
}

#[tokio::test]
async fn a_failure_in_one_project_does_not_stop_the_others() {
    let gitlab = FakeGitLab::start().await;
    gitlab.add_project("acme/full");
    gitlab.set_access("webhook-bot", "acme/full", Some(Access::Maintainer));
    for number in 0..100 {
        gitlab.add_hook(
            "acme/full",
            &json!({ "url": format!("https://other.example.org/{number}") }),
        );
    }
    let declared = "[{project: acme/gone}, {project: acme/full}, {project: acme/rocket}]";
    let apply = hooks(&gitlab, "apply", &[("HOOKS", declared)]).await;
    assert_eq!(apply.code, Some(1));
    insta::assert_snapshot!(apply.output, @r"
    acme/gone    FAIL     GitLab knows no such project or group, or the account of GITLAB_API_TOKEN cannot see it; check its path in HOOKS, and give the account the role Maintainer
    acme/full    FAIL     the project has as many webhooks as GitLab allows, 100 by default; remove one in GitLab under Settings, Webhooks
    acme/rocket  created  push, pipeline
    1 created, 0 changed, 0 as declared, 2 failed
    ");
}

#[tokio::test]
async fn two_webhooks_with_the_same_address_are_noted() {
    let gitlab = FakeGitLab::start().await;
    let twice = [1, 2].map(|_| {
        gitlab.add_hook(
            PROJECT,
            &json!({ "url": URL, "pipeline_events": true, "signing_token": SAMPLE_KEY }),
        )
    });
    let plan = hooks(&gitlab, "plan", &[]).await;
    assert_eq!(plan.code, Some(0));
    let [first, second] = twice;
    let expected = format!(
        "acme/rocket  ok\nacme/rocket  note  webhooks {first} and {second} have the same address, so that messages are sent twice; remove all but one in GitLab\n"
    );
    assert!(plan.output.starts_with(&expected), "{}", plan.output);
}

#[tokio::test]
async fn two_runs_at_once_leave_one_webhook() {
    let gitlab = FakeGitLab::start().await;
    let other = gitlab.add_hook(PROJECT, &json!({ "url": "https://other.example.org" }));
    gitlab.hold_lists_of_hooks(2, 1);

    let (first, second) = tokio::join!(hooks(&gitlab, "apply", &[]), hooks(&gitlab, "apply", &[]));

    let codes = (first.code, second.code);
    assert_eq!(
        codes,
        (Some(0), Some(0)),
        "{}{}",
        first.output,
        second.output
    );
    let mut writes = writes(&gitlab);
    let left = created(&gitlab).await;
    assert_eq!(writes.len(), 3, "{writes:?}");
    let removed = writes.pop().expect("is there");
    assert_eq!(writes, ["POST /projects/42/hooks"; 2]);
    // The one that was created later, and no other.
    assert_eq!(removed, format!("DELETE /projects/42/hooks/{}", left + 1));
    assert_eq!(gitlab.hook(other)["id"], other);
    let mut outputs = [first.output, second.output];
    outputs.sort_unstable_by_key(String::len);
    let [created, noted] = outputs;
    assert!(
        created.ends_with("1 created, 0 changed, 0 as declared\n"),
        "{created}"
    );
    let expected = format!(
        "acme/rocket  ok\nacme/rocket  note  another run created webhook {left} at the same time; that of this run was removed again\n0 created, 0 changed, 1 as declared\n"
    );
    assert_eq!(noted, expected);
    gitlab.clear_requests();
    let again = hooks(&gitlab, "apply", &[]).await;
    assert!(
        again.output.starts_with("acme/rocket  ok\n0 created"),
        "{}",
        again.output
    );
}

#[tokio::test]
async fn status_shows_what_the_log_says() {
    let gitlab = FakeGitLab::start().await;
    gitlab.add_project("acme/new");
    gitlab.set_access("webhook-bot", "acme/new", Some(Access::Maintainer));
    // Nothing listens there.
    let url = "http://127.0.0.1:1/webhook";
    let hook = gitlab.add_hook(
        PROJECT,
        &json!({ "url": url, "token": TOKEN, "pipeline_events": false }),
    );
    let push: Value = serde_json::from_slice(Delivery::push_sample().body()).expect("is JSON");
    for _ in 0..4 {
        gitlab.deliver(PROJECT, Trigger::Push, &push).await;
    }
    gitlab.advance(Duration::from_secs(1));
    let overrides = [
        ("HOOKS", "[{project: acme/rocket}, {project: acme/new}]"),
        ("WEBHOOK_URL", url),
        ("GITLAB_SIGNING_KEYS", ""),
    ];
    let status = hooks(&gitlab, "status", &overrides).await;
    assert_eq!(status.code, Some(0), "{}", status.errors);
    let rows: Vec<_> = status.output.lines().collect();
    assert_eq!(
        rows[0],
        "PROJECT      HOOK  STATE             TRIGGERS  SECRET  SUCCESS  FAILURE  WAITING"
    );
    assert!(
        rows[1].starts_with(&format!("acme/rocket  {hook}     off to ")),
        "{}",
        rows[1]
    );
    assert!(rows[1].contains(" UTC  1 off     token   –"), "{}", rows[1]);
    assert!(rows[1].ends_with('4'), "{}", rows[1]);
    assert_eq!(
        rows[2],
        "acme/new     –     missing           –         –       –        –        –"
    );
    assert!(
        rows[4].contains("webhook-app reconcile"),
        "{}",
        status.output
    );
    // Pushes by this user are tests, of which nobody waits for the messages.
    let tester = ("GITLAB_RECONCILE_USER", "Robin");
    let tests = hooks(&gitlab, "status", &[&overrides[..], &[tester]].concat()).await;
    let row = tests.output.lines().nth(1).expect("has a row");
    assert!(row.ends_with("  0") && row.contains(" off to "), "{row}");
    assert!(!tests.output.contains("WAITING counts"), "{}", tests.output);
    assert_eq!(writes(&gitlab), [""; 0]);
}

#[tokio::test]
async fn check_has_a_line_for_each_declared_webhook() {
    let gitlab = FakeGitLab::start().await;
    let chat = FakeRocketChat::start().await;
    gitlab.add_project("acme/new");
    gitlab.set_access("webhook-bot", "acme/new", Some(Access::Maintainer));
    let hook = gitlab.add_hook(
        PROJECT,
        &json!({ "url": URL, "pipeline_events": true, "signing_token": SAMPLE_KEY }),
    );
    let url = gitlab.url();
    let check = |more: &[Setting<'_>]| {
        let mut all = settings(&chat);
        let given = [("GITLAB_URL", url.as_str()), ("WEBHOOK_URL", URL)];
        for (name, value) in given.iter().chain(more) {
            all.insert((*name).to_owned(), (*value).to_owned());
        }
        run(all, vec!["check".to_owned()])
    };
    let declared =
        "[{project: acme/rocket, triggers: [push]}, {project: acme/new, triggers: [push]}]";
    let found = check(&[("GITLAB_API_TOKEN", gitlab.token()), ("HOOKS", declared)]).await;
    assert_eq!(found.code, Some(1));
    let lines: Vec<_> = found
        .output
        .lines()
        .filter(|line| line.contains("webhook "))
        .collect();
    let expected = [
        format!("ok    webhook {hook} of acme/rocket is as declared"),
        "FAIL  webhook of acme/new does not exist; run webhook-app hooks apply".to_owned(),
    ];
    assert_eq!(lines, expected);
    let invalid = [
        ("GITLAB_API_TOKEN", gitlab.token()),
        ("HOOKS", "- projct: x"),
    ];
    let invalid = check(&invalid).await;
    assert_eq!(invalid.code, Some(1));
    assert!(
        invalid.output.contains("FAIL  HOOKS: "),
        "{}",
        invalid.output
    );
    let undeclared = check(&[("GITLAB_API_TOKEN", gitlab.token())]).await;
    assert_eq!(undeclared.code, Some(0), "{}", undeclared.output);
    let expected = "note  HOOKS: is not set, so the webhooks in GitLab are not compared";
    assert!(
        undeclared.output.contains(expected),
        "{}",
        undeclared.output
    );
    // In the pods that receive webhooks there is no token.
    let without = check(&[("HOOKS", declared)]).await;
    assert_eq!(without.code, Some(0), "{}", without.output);
    assert!(!without.output.contains("webhook of"), "{}", without.output);
    chat.finish();
}

#[tokio::test]
async fn the_server_warns_about_a_token_of_gitlab() {
    let harness =
        crate::harness::Harness::with(&[("GITLAB_API_TOKEN", "glpat-canary-of-the-api")]).await;
    let output = harness.finish();
    let warned = output
        .iter()
        .any(|line| line.contains("GITLAB_API_TOKEN: is set"));
    assert!(warned, "{output:?}");
    assert!(!output.iter().any(|line| line.contains("glpat-canary")));
}
