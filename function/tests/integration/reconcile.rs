//! `webhook-app reconcile` with a strict fake of GitLab, the real function and a fake Rocket.Chat: what failed is sent
//! again, what GitLab dropped is replaced, and every message is stored once.

mod left;
mod logs;

use std::collections::BTreeMap;
use std::io::BufRead as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use fakes::gitlab::{Access, Delivery, FakeGitLab, PROJECT, SAMPLE_KEY, Scope, Trigger};
use serde_json::{Value, json};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::time;
use url::Url;
use webhook_app::config::gitlab::reconcile::ReconcileConfig;
use webhook_app::reconcile::{Clock, Progress, Reconciler, Round, Run};

use crate::harness::{Harness, Setting, assert_delivered, program, recorded};

/// The ID of the project.
const PROJECT_ID: u64 = 42;

/// The account of the token, and the user whose pushes the function skips.
const BOT: &str = "webhook-bot";

/// GitLab, the function, Rocket.Chat, and a hook from one to the other.
struct Setup {
    gitlab: Arc<FakeGitLab>,
    harness: Harness,
    hook: u64,
}

/// What a run said.
struct Output {
    round: Round,
    lines: Vec<String>,
}

impl Output {
    fn summary(&self) -> String {
        self.round.summary()
    }

    /// How many lines contain this.
    fn count(&self, words: &str) -> usize {
        self.lines
            .iter()
            .filter(|line| line.contains(words))
            .count()
    }
}

impl Setup {
    async fn start() -> Self {
        Self::with(FakeGitLab::start().await, &[("GITLAB_RECONCILE_USER", BOT)]).await
    }

    async fn with(gitlab: FakeGitLab, settings: &[Setting<'_>]) -> Self {
        let harness =
            Harness::with(&[&[("DELIVERY_TIMEOUT_SECONDS", "1")], settings].concat()).await;
        let fields = json!({
            "url": harness.function.url("/webhook"), "signing_token": SAMPLE_KEY,
            "push_events": true, "tag_push_events": true, "pipeline_events": true,
            "merge_requests_events": true, "note_events": true,
        });
        let hook = gitlab.add_hook(PROJECT, &fields);
        let gitlab = Arc::new(gitlab);
        Self {
            gitlab,
            harness,
            hook,
        }
    }

    /// Settings of the command.
    fn variables(&self, overrides: &[Setting<'_>]) -> BTreeMap<String, String> {
        let hooks = format!("[{{project: {PROJECT}}}]");
        let own = [
            ("GITLAB_URL", self.gitlab.url()),
            ("GITLAB_API_TOKEN", self.gitlab.token().to_owned()),
            ("HOOKS", hooks),
            ("WEBHOOK_URL", self.harness.function.url("/webhook")),
            ("GITLAB_SIGNING_KEYS", SAMPLE_KEY.to_owned()),
            ("GITLAB_RECONCILE_USER", BOT.to_owned()),
            ("ROCKETCHAT_RECIPIENT", "alice".to_owned()),
        ];
        let mut variables: BTreeMap<String, String> = own
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        for (name, value) in overrides {
            if value.is_empty() {
                variables.remove(*name);
            } else {
                variables.insert((*name).to_owned(), (*value).to_owned());
            }
        }
        variables
    }

    /// One run in this process, whose pauses move the clock of GitLab.
    async fn run(&self, run: Run, overrides: &[Setting<'_>]) -> Output {
        let (lines, round) = self.try_run(run, overrides).await;
        Output {
            round: round.expect("GitLab responds"),
            lines,
        }
    }

    async fn try_run(
        &self,
        run: Run,
        overrides: &[Setting<'_>],
    ) -> (Vec<String>, Result<Round, String>) {
        let config = self.config(run, overrides);
        let lines = Mutex::new(Vec::new());
        let observe =
            |progress: &Progress<'_>| lines.lock().expect("no panic").extend(progress.line());
        let mut reconciler =
            Reconciler::new(&config, run, self.clock(), observe).expect("can be set up");
        let round = reconciler.round().await.map_err(|error| error.to_string());
        drop(reconciler);
        (lines.into_inner().expect("no panic"), round)
    }

    fn config(&self, run: Run, overrides: &[Setting<'_>]) -> ReconcileConfig {
        let variables = self.variables(overrides);
        let posts = run.direct || run.backfill.is_some();
        let read_file = |path: &str| std::fs::read_to_string(path);
        let loaded = ReconcileConfig::load(&variables, &read_file, run.direct, posts);
        loaded.expect("is valid").0
    }

    fn clock(&self) -> Clock {
        let (now, moved) = (Arc::clone(&self.gitlab), Arc::clone(&self.gitlab));
        Clock {
            now: Box::new(move || UNIX_EPOCH + now.now()),
            pause: Box::new(move |time| {
                moved.advance(time);
                Box::pin(std::future::ready(()))
            }),
        }
    }

    fn calls_that_change(&self) -> Vec<String> {
        let requests = self.gitlab.requests().into_iter();
        let changes = requests.filter(|request| request.method != "GET");
        changes
            .map(|request| format!("{} {}", request.method, request.path))
            .collect()
    }

    fn finish(self) -> Vec<String> {
        self.harness.finish()
    }
}

const ONCE: Run = Run {
    once: true,
    direct: false,
    backfill: None,
};

const DIRECT: Run = Run {
    direct: true,
    ..ONCE
};

const BACKFILL: Run = Run {
    backfill: Some(Duration::from_hours(2)),
    ..ONCE
};

/// A push of a new commit to `main`.
fn push(number: u64) -> Value {
    let sample = Delivery::push_sample();
    let mut body: Value = serde_json::from_slice(sample.body()).expect("is JSON");
    let sha = format!("{number:040x}");
    body["after"] = json!(sha);
    body["checkout_sha"] = json!(sha);
    body["before"] = json!(format!("{:040x}", number - 1));
    body["commits"][0]["id"] = json!(sha);
    body["commits"][0]["title"] = json!(format!("Commit {number}"));
    body["commits"][0]["message"] = json!(format!("Commit {number}\n"));
    body
}

/// A push that the function skips with a success.
fn skipped(number: u64) -> Value {
    let mut body = push(number);
    body["user_username"] = json!(BOT);
    body
}

impl Setup {
    async fn pushes(&self, numbers: impl IntoIterator<Item = u64>) {
        for number in numbers {
            self.gitlab
                .happen(PROJECT, Trigger::Push, &push(number))
                .await;
        }
    }

    /// Every push fails, at once.
    fn break_recipient(&self) {
        self.harness.chat.rename_user("alice", "away");
    }

    fn fix_recipient(&self) {
        self.harness.chat.rename_user("away", "alice");
    }

    fn is_enabled(&self) -> bool {
        self.gitlab.hook(self.hook)["alert_status"] == "executable"
    }

    /// Reads the messages of pushes with these numbers, in this order.
    fn take_pushes(&self, numbers: impl IntoIterator<Item = u64>) {
        for number in numbers {
            let text = self.harness.chat.take_message().text;
            assert!(
                text.contains(&format!("Commit {number}")),
                "{number}: {text}"
            );
        }
    }
}

#[tokio::test]
async fn what_failed_is_sent_again_oldest_first_and_stored_once() {
    let setup = Setup::start().await;
    setup.break_recipient();
    setup.pushes(1..=3).await;
    setup.fix_recipient();
    let output = setup.run(ONCE, &[]).await;
    assert!(output.round.is_complete(), "{}", output.summary());
    assert_eq!(output.count("sent again"), 3, "{:?}", output.lines);
    assert_eq!(
        output.summary(),
        "1 hook: 3 sent again, 0 waiting, 0 lost\n"
    );
    setup.take_pushes(1..=3);
    setup.gitlab.clear_requests();
    let again = setup.run(ONCE, &[]).await;
    assert!(again.round.is_complete() && again.lines.is_empty());
    assert_eq!(setup.calls_that_change(), [""; 0]);
    setup.finish();
}

#[tokio::test]
async fn a_message_that_somebody_deleted_does_not_come_back() {
    let setup = Setup::start().await;
    setup.break_recipient();
    setup.pushes(1..=2).await;
    setup.fix_recipient();
    setup.run(ONCE, &[]).await;
    setup.take_pushes(1..=1);
    let message = setup.harness.chat.take_message();
    setup.harness.chat.delete_message(&message.id);
    let again = setup.run(ONCE, &[]).await;
    assert!(again.round.is_complete() && again.lines.is_empty());
    setup.finish();
}

#[tokio::test]
async fn a_disabled_hook_is_tested_without_a_message_and_then_sent_to() {
    let setup = Setup::start().await;
    setup.break_recipient();
    setup.pushes(1..=5).await;
    assert!(!setup.is_enabled());
    setup.fix_recipient();
    let output = setup.run(ONCE, &[]).await;
    assert!(output.round.is_complete(), "{}", output.summary());
    assert_eq!(output.count("tested: GitLab sends to the hook again"), 1);
    assert!(setup.is_enabled());
    // The fifth was dropped, and the test causes no message.
    setup.take_pushes(1..=4);
    setup.finish();
}

#[tokio::test]
async fn a_hook_is_not_tested_if_that_would_send_a_message() {
    let setup = Setup::start().await;
    setup.break_recipient();
    setup.pushes(1..=4).await;
    setup.fix_recipient();
    for (user, advice) in [
        ("", "set GITLAB_RECONCILE_USER"),
        ("kim", "is not the user of"),
    ] {
        setup.gitlab.clear_requests();
        let output = setup.run(ONCE, &[("GITLAB_RECONCILE_USER", user)]).await;
        let summary = output.summary();
        assert!(
            summary.contains(advice) && summary.contains("4 waiting"),
            "{summary}"
        );
        assert_eq!(setup.calls_that_change(), [""; 0]);
        assert!(!output.round.is_complete());
    }
    setup.finish();
}

#[tokio::test]
async fn no_more_than_five_resends_are_made_in_a_minute() {
    let setup = Setup::start().await;
    setup.break_recipient();
    for number in 1..=4_u64 {
        setup
            .pushes([number * 10, number * 10 + 1, number * 10 + 2])
            .await;
        setup
            .gitlab
            .deliver(PROJECT, Trigger::Push, &skipped(number))
            .await;
    }
    setup.fix_recipient();
    let before = setup.gitlab.now();
    let output = setup.run(ONCE, &[]).await;
    assert_eq!(output.count("sent again"), 12, "{:?}", output.lines);
    let took = setup.gitlab.now().saturating_sub(before);
    assert!(
        took >= Duration::from_mins(2) && took < Duration::from_mins(4),
        "{took:?}"
    );
    assert!(
        setup
            .gitlab
            .requests()
            .iter()
            .all(|request| request.status != 429)
    );
    setup.harness.chat.mark_all_read();
    setup.finish();
}

#[tokio::test]
async fn a_rate_limit_that_others_use_up_is_waited_for() {
    let setup = Setup::start().await;
    setup.break_recipient();
    setup.pushes(1..=3).await;
    setup.fix_recipient();
    let hook = setup.hook;
    let newest = setup.gitlab.events(hook)[0]["id"]
        .as_u64()
        .expect("has an ID");
    // A person resends the same event in GitLab's page.
    let url = format!(
        "{}/api/v4/projects/{PROJECT_ID}/hooks/{hook}/events/{newest}/resend",
        setup.gitlab.url()
    );
    for _ in 0..5 {
        let token = setup.gitlab.token().as_bytes().to_vec();
        let headers = [("PRIVATE-TOKEN".to_owned(), token)];
        let answer = fakes::exchange::exchange("POST", &url, &headers, b"").await;
        assert_eq!(answer.expect("is answered").status, 201);
    }
    let output = setup.run(ONCE, &[]).await;
    assert!(output.round.is_complete(), "{}", output.summary());
    assert!(
        setup
            .gitlab
            .requests()
            .iter()
            .any(|request| request.status == 429)
    );
    setup.take_pushes(1..=3);
    setup.finish();
}

#[tokio::test]
async fn two_reconcilers_at_once_store_each_message_once() {
    let setup = Setup::start().await;
    setup.break_recipient();
    setup.pushes(1..=4).await;
    setup.fix_recipient();
    let (one, other) = tokio::join!(setup.run(ONCE, &[]), setup.run(ONCE, &[]));
    assert!(one.count("sent again") + other.count("sent again") >= 4);
    assert!(setup.run(ONCE, &[]).await.round.is_complete());
    let mut numbers: Vec<_> = (0..4)
        .map(|_| setup.harness.chat.take_message().text)
        .collect();
    numbers.sort();
    numbers.dedup();
    assert_eq!(numbers.len(), 4);
    setup.finish();
}

#[tokio::test]
async fn a_run_ends_while_the_function_still_fails_and_leaves_the_hook_enabled() {
    let setup = Setup::start().await;
    setup.break_recipient();
    setup.pushes(1..=4).await;
    let output = setup.run(ONCE, &[]).await;
    let summary = output.summary();
    assert!(
        summary.contains("webhook-app still fails (503)"),
        "{summary}"
    );
    assert!(
        summary.ends_with("0 sent again, 4 waiting, 0 lost\n"),
        "{summary}"
    );
    assert!(setup.is_enabled() && !output.round.is_complete());
    // Later, the same deliveries are sent.
    setup.fix_recipient();
    setup.gitlab.advance(Duration::from_mins(10));
    let output = setup.run(ONCE, &[]).await;
    assert!(output.round.is_complete(), "{}", output.summary());
    setup.harness.chat.mark_all_read();
    setup.finish();
}

#[tokio::test]
async fn missing_rights_are_named() {
    let setup = Setup::start().await;
    let reading = setup.gitlab.add_token(BOT, Scope::ReadApi);
    setup.break_recipient();
    setup.pushes(1..=1).await;
    let (_, round) = setup.try_run(ONCE, &[("GITLAB_API_TOKEN", &reading)]).await;
    let error = round.expect_err("the token only reads");
    assert!(error.contains("lacks a scope"), "{error}");
    setup
        .gitlab
        .set_access(BOT, PROJECT, Some(Access::Developer));
    let output = setup.run(ONCE, &[]).await;
    assert!(
        output.summary().contains("Maintainer"),
        "{}",
        output.summary()
    );
    assert!(!output.round.is_complete());
    let (_, round) = setup
        .try_run(ONCE, &[("GITLAB_API_TOKEN", "glpat-wrong")])
        .await;
    assert!(round.is_err_and(|error| error.contains("expired or revoked")));
    setup.finish();
}

/// The address of a port that refuses connections, and half a second later forwards them to the port of this URL: the network
/// policies of a pod that has just started.
#[expect(
    clippy::disallowed_methods,
    reason = "the forwarding runs beside the test, whose runtime ends it"
)]
fn open_later(url: &str) -> SocketAddr {
    let target = Url::parse(url).expect("is a URL");
    let target = target.socket_addrs(|| None).expect("is an address")[0];
    let reserved = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = reserved.local_addr().expect("has an address");
    drop(reserved);
    tokio::spawn(async move {
        time::sleep(Duration::from_millis(500)).await;
        let listener = TcpListener::bind(address).await.expect("is still free");
        while let Ok((mut client, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut server = TcpStream::connect(target).await?;
                copy_bidirectional(&mut client, &mut server).await
            });
        }
    });
    address
}

#[tokio::test]
async fn connections_that_a_new_pod_may_not_make_yet_are_tried_again() {
    let setup = Setup::start().await;
    setup.gitlab.record_event(PROJECT, Trigger::Push, &push(1));
    setup.gitlab.advance(Duration::from_mins(5));
    let webhooks = format!(
        "http://{}/webhook",
        open_later(&setup.harness.function.url("/webhook"))
    );
    let fields = json!({ "url": webhooks, "signing_token": SAMPLE_KEY, "push_events": true });
    setup.gitlab.add_hook(PROJECT, &fields);
    let gitlab = format!("http://{}", open_later(&setup.gitlab.url()));
    let output = setup
        .run(
            BACKFILL,
            &[("GITLAB_URL", &gitlab), ("WEBHOOK_URL", &webhooks)],
        )
        .await;
    assert_eq!(output.count("replaced: push main"), 1, "{:?}", output.lines);
    setup.take_pushes(1..=1);
    setup.finish();
}

#[tokio::test]
async fn a_record_that_is_too_large_is_lost_unless_backfill_finds_its_object() {
    let gitlab = FakeGitLab::builder()
        .record_limit(100)
        .start()
        .await
        .expect("starts");
    let setup = Setup::with(gitlab, &[("GITLAB_RECONCILE_USER", BOT)]).await;
    setup.pushes(1..=1).await;
    setup.take_pushes(1..=1);
    // The function knows her room by now.
    setup.harness.chat.deactivate_user("alice");
    setup.pushes(2..=2).await;
    setup.harness.chat.activate_user("alice");
    setup.gitlab.advance(Duration::from_mins(5));
    let output = setup.run(ONCE, &[]).await;
    let summary = output.summary();
    assert!(
        summary.contains("too large for GitLab's log") && summary.contains("1 lost"),
        "{summary}"
    );
    for sent in [1, 0] {
        let output = setup.run(BACKFILL, &[]).await;
        assert!(output.round.is_complete(), "{}", output.summary());
        // The push that was delivered with an equally large body is not sent again.
        assert_eq!(
            output.count("replaced: push main"),
            sent,
            "{:?}",
            output.lines
        );
    }
    setup.take_pushes(2..=2);
    setup.finish();
}

#[tokio::test]
async fn recipients_with_a_redacted_address_are_named() {
    let rules = "users: {kim@example.org: alice}\nrules: [{to: author}]";
    let routes = [("ROCKETCHAT_RECIPIENT", ""), ("ROUTES", rules)];
    let setup = Setup::with(FakeGitLab::start().await, &routes).await;
    let mut body = push(1);
    body["commits"][0]["author"] = json!({ "name": "Kim", "email": "kim@example.org" });
    // An unknown event first: the chat server is away.
    setup.harness.break_chat();
    setup.gitlab.happen(PROJECT, Trigger::Push, &body).await;
    setup.harness.fix_chat().await;
    let output = setup.run(ONCE, &[]).await;
    let summary = output.summary();
    assert!(
        summary.contains("which GitLab redacts in its log"),
        "{summary}"
    );
    assert!(!output.round.is_complete());
    setup.finish();
}

#[tokio::test]
async fn with_direct_records_are_posted_without_gitlab_and_remembered() {
    let setup = Setup::start().await;
    let folder = std::env::temp_dir().join(format!("reconcile-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("can be created");
    let file = folder.join("cursor.json");
    let cursor = [("RECONCILE_CURSOR_FILE", file.to_str().expect("is text"))];
    setup.break_recipient();
    setup.pushes(1..=4).await;
    setup.fix_recipient();
    setup.gitlab.clear_requests();
    let output = setup.run(DIRECT, &cursor).await;
    assert_eq!(output.count("sent again"), 4, "{:?}", output.lines);
    assert_eq!(setup.calls_that_change(), [""; 0]);
    setup.take_pushes(1..=4);
    let again = setup.run(DIRECT, &cursor).await;
    assert_eq!(again.lines, [""; 0]);
    std::fs::remove_dir_all(folder).expect("can be removed");
    setup.finish();
}

fn fixture(name: &str) -> Value {
    let path = format!(
        "{}/tests/integration/fixtures/gitlab/{name}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    let text = std::fs::read_to_string(path).expect("exists");
    serde_json::from_str(&text).expect("is JSON")
}

impl Setup {
    /// Something of each kind, with 40 seconds of the clock of GitLab between them. Returns how many pushes there were.
    async fn forty_events(&self) -> u64 {
        let mut pushes = 0;
        for number in 0..40_u64 {
            self.gitlab.advance(Duration::from_secs(40));
            let now = UNIX_EPOCH + self.gitlab.now();
            let now = humantime::format_rfc3339_seconds(now).to_string();
            let (trigger, body) = match number % 10 {
                0..6 => {
                    pushes += 1;
                    (Trigger::Push, push(pushes))
                }
                6 | 7 => {
                    let mut body = fixture("pipeline_passed");
                    body["object_attributes"]["id"] = json!(1000 + number);
                    (Trigger::Pipeline, body)
                }
                8 => {
                    let mut body = fixture("merge_request_opened");
                    let attributes = &mut body["object_attributes"];
                    for id in ["id", "iid"] {
                        attributes[id] = json!(number);
                    }
                    for time in ["created_at", "updated_at"] {
                        attributes[time] = json!(now);
                    }
                    (Trigger::MergeRequest, body)
                }
                _ => (Trigger::Note, fixture("note_on_a_commit")),
            };
            self.gitlab.happen(PROJECT, trigger, &body).await;
        }
        pushes
    }
}

#[tokio::test]
async fn half_an_hour_without_rocket_chat_loses_nothing_that_can_be_rebuilt() {
    let setup = Setup::start().await;
    setup.harness.break_chat();
    let pushes = setup.forty_events().await;
    setup.gitlab.advance(Duration::from_secs(200));
    assert!(!setup.is_enabled());
    let events = setup.gitlab.events(setup.hook);
    let is_note = |event: &&Value| {
        event["trigger"]
            .as_str()
            .is_some_and(|name| name.starts_with("note"))
    };
    let notes = events.iter().filter(is_note).count();
    assert!(
        events.len() < 20,
        "GitLab dropped most of them: {}",
        events.len()
    );
    setup.harness.fix_chat().await;

    let output = setup.run(BACKFILL, &[]).await;

    assert_eq!(
        output.count("sent again"),
        events.len(),
        "{:?}",
        output.lines
    );
    assert_eq!(
        output.count("replaced:"),
        36 + notes - events.len(),
        "{}",
        output.summary()
    );
    let summary = output.summary();
    assert!(
        summary.contains(&format!("{} comments", 4 - notes)),
        "{summary}"
    );
    let mut texts: Vec<_> = (0..36 + notes)
        .map(|_| setup.harness.chat.take_message().text)
        .collect();
    let is_push = |text: &&String| text.contains(" pushed ");
    texts.sort();
    let sent = texts.iter().filter(is_push).count();
    texts.dedup();
    assert_eq!(sent as u64, pushes);
    assert_eq!(texts.iter().filter(is_push).count(), sent);
    setup.gitlab.clear_requests();
    let again = setup.run(BACKFILL, &[]).await;
    assert_eq!(
        again.count("sent again") + again.count("replaced:"),
        0,
        "{:?}",
        again.lines
    );
    assert_eq!(again.count("already there"), 36 + notes - events.len());
    assert_eq!(setup.calls_that_change(), [""; 0]);
    setup.finish();
}

#[tokio::test]
async fn a_branch_that_moves_twice_between_two_commits_has_a_message_for_each_push() {
    let setup = Setup::start().await;
    setup.break_recipient();
    setup.pushes(1..=3).await;
    let there = push(4);
    let mut back = push(3);
    (back["before"], back["commits"]) = (there["after"].clone(), json!([]));
    // The first is recorded, and with it GitLab disables the hook.
    for body in [&there, &back, &there] {
        setup.gitlab.advance(Duration::from_secs(8));
        setup.gitlab.happen(PROJECT, Trigger::Push, body).await;
    }
    assert_eq!(setup.gitlab.events(setup.hook).len(), 4);
    setup.gitlab.advance(Duration::from_mins(5));
    setup.fix_recipient();
    for (sent, replaced, found) in [(4, 2, 0), (0, 0, 2)] {
        let output = setup.run(BACKFILL, &[]).await;
        assert_eq!(output.count("sent again"), sent, "{:?}", output.lines);
        assert_eq!(output.count("replaced:"), replaced, "{:?}", output.lines);
        assert_eq!(output.count("already there"), found, "{:?}", output.lines);
    }
    setup.take_pushes(1..=4);
    assert!(setup.harness.chat.take_message().text.contains("pushed"));
    setup.take_pushes([4]);
    setup.finish();
}

#[tokio::test]
async fn a_replacement_has_the_message_of_the_webhook() {
    let mut setup = Setup::start().await;
    for (name, trigger, hook) in [
        ("push_of_a_new_branch", Trigger::Push, "Push Hook"),
        ("push_that_may_be_forced", Trigger::Push, "Push Hook"),
        ("push_that_deletes_a_branch", Trigger::Push, "Push Hook"),
        (
            "tag_push_of_a_lightweight_tag",
            Trigger::TagPush,
            "Tag Push Hook",
        ),
        (
            "tag_push_of_an_annotated_tag",
            Trigger::TagPush,
            "Tag Push Hook",
        ),
        (
            "tag_push_that_deletes_a_tag",
            Trigger::TagPush,
            "Tag Push Hook",
        ),
        ("pipeline_failed", Trigger::Pipeline, "Pipeline Hook"),
        ("pipeline_passed", Trigger::Pipeline, "Pipeline Hook"),
        (
            "pipeline_passed_with_warnings",
            Trigger::Pipeline,
            "Pipeline Hook",
        ),
        (
            "pipeline_of_a_merge_request",
            Trigger::Pipeline,
            "Pipeline Hook",
        ),
        (
            "merge_request_opened",
            Trigger::MergeRequest,
            "Merge Request Hook",
        ),
        (
            "merge_request_closed",
            Trigger::MergeRequest,
            "Merge Request Hook",
        ),
        (
            "merge_request_merged",
            Trigger::MergeRequest,
            "Merge Request Hook",
        ),
    ] {
        let body = fixture(name);
        let gitlab = FakeGitLab::start().await;
        let fields = json!({
            "url": setup.harness.function.url("/webhook"), "push_events": true, "tag_push_events": true,
            "pipeline_events": true, "merge_requests_events": true,
        });
        setup.hook = gitlab.add_hook(PROJECT, &fields);
        if trigger == Trigger::Pipeline || trigger == Trigger::MergeRequest {
            // The commit is one of a push, and the merge request was opened long ago.
            let mut pushed = push(1);
            pushed["commits"][0] = match trigger {
                Trigger::Pipeline => body["commit"].clone(),
                _ => body["object_attributes"]["last_commit"].clone(),
            };
            let sha = pushed["commits"][0]["id"].clone();
            (pushed["after"], pushed["checkout_sha"]) = (sha.clone(), sha);
            gitlab.record_event(PROJECT, Trigger::Push, &pushed);
            if body["object_attributes"]["action"] != "open" && trigger == Trigger::MergeRequest {
                gitlab.record_event(PROJECT, trigger, &fixture("merge_request_opened"));
            }
            if trigger == Trigger::Pipeline && body["merge_request"].is_object() {
                let mut request = fixture("merge_request_opened");
                for field in ["iid", "title", "source_branch"] {
                    request["object_attributes"][field] = body["merge_request"][field].clone();
                }
                gitlab.record_event(PROJECT, Trigger::MergeRequest, &request);
            }
            gitlab.advance(Duration::from_hours(3));
        }
        gitlab.record_event(PROJECT, trigger, &body);
        gitlab.advance(Duration::from_mins(5));
        setup.gitlab = Arc::new(gitlab);

        let output = setup.run(BACKFILL, &[]).await;

        assert_eq!(
            output.count("replaced:"),
            1,
            "{name}: {:?}\n{}",
            output.lines,
            output.summary()
        );
        let replaced = setup.harness.chat.take_message().text;
        let real = recorded(hook, &body.to_string());
        assert_delivered(&setup.harness.post(&real).await);
        assert_eq!(replaced, setup.harness.chat.take_message().text, "{name}");
    }
    setup.finish();
}

/// Runs the program on another thread than the one that serves the fakes.
async fn command(setup: &Setup, arguments: &'static [&'static str]) -> (Option<i32>, String) {
    let variables = setup.variables(&[]);
    let run = move || {
        program(&variables)
            .arg("reconcile")
            .args(arguments)
            .output()
            .expect("runs")
    };
    let output = tokio::task::spawn_blocking(run)
        .await
        .expect("does not panic");
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    assert!(!text.contains(setup.gitlab.token()) && !text.contains(SAMPLE_KEY));
    (output.status.code(), text)
}

#[tokio::test]
async fn the_command_says_what_it_did_and_exits_with_1_if_something_is_left() {
    let setup = Setup::start().await;
    setup.break_recipient();
    setup.pushes(1..=2).await;
    let (code, text) = command(&setup, &["--once"]).await;
    assert_eq!(code, Some(1), "{text}");
    assert!(
        text.contains("2 webhooks not delivered") && text.contains("failed again: 503"),
        "{text}"
    );
    setup.fix_recipient();
    setup.gitlab.advance(Duration::from_mins(10));
    let (code, text) = command(&setup, &["--once"]).await;
    // The clock of the program is not that of GitLab, so what failed twice still waits.
    assert!(matches!(code, Some(0 | 1)), "{text}");
    for (arguments, expected) in [
        (&["--one"][..], "did you mean --once?"),
        (&["--once", "--backfill"], "--since"),
        (
            &["--backfill", "--since", "2h"],
            "expected --once with --backfill",
        ),
        (&["--once", "--backfill", "--since", "8d"], "2m to 7d"),
        (&["--once", "--backfill", "--since"], "2m to 7d"),
        (&["--once", "--direct"], "RECONCILE_CURSOR_FILE"),
    ] {
        let (code, text) = command(&setup, arguments).await;
        assert_eq!(code, Some(64), "{arguments:?} {text}");
        assert!(text.contains(expected), "{arguments:?} {text}");
    }
    setup.harness.chat.mark_all_read();
    setup.finish();
}

#[tokio::test]
async fn the_loop_serves_metrics_and_ends_with_sigterm() {
    let setup = Setup::start().await;
    setup.break_recipient();
    setup.pushes(1..=2).await;
    setup.fix_recipient();
    let variables = setup.variables(&[("METRICS_PORT", "0"), ("LOG_FORMAT", "json")]);
    let mut child = program(&variables)
        .arg("reconcile")
        .spawn()
        .expect("starts");
    let output = child.stdout.take().expect("is piped");
    let mut lines = std::io::BufReader::new(output).lines();
    let (sender, port) = tokio::sync::oneshot::channel();
    let reader = std::thread::spawn(move || {
        let first = lines.next().expect("is logged").expect("is text");
        let _ = sender.send(first);
        lines.map_while(Result::ok).collect::<Vec<_>>()
    });
    let first: Value = serde_json::from_str(&port.await.expect("is logged")).expect("is JSON");
    let port = first["metrics_port"].as_u64().expect("has a port");
    let get = async |path: &str| {
        let url = format!("http://127.0.0.1:{port}{path}");
        fakes::exchange::exchange("GET", &url, &[], b"")
            .await
            .expect("is answered")
    };
    while get("/readyz").await.status != 200 {
        tokio::task::yield_now().await;
    }
    assert_eq!(get("/healthz").await.status, 200);
    let metrics = get("/metrics").await.text();
    let hook = format!("project=\"{PROJECT_ID}\",hook=\"{}\"", setup.hook);
    for line in [
        "webhook_gitlab_hook_resends_total{result=\"success\"} 2".to_owned(),
        format!("webhook_gitlab_hook_enabled{{{hook}}} 1"),
        format!("webhook_gitlab_hook_failed_keys_waiting{{{hook}}} 0"),
        "webhook_gitlab_hooks_missing 0".to_owned(),
    ] {
        assert!(
            metrics.lines().any(|found| found == line),
            "{line}\n{metrics}"
        );
    }
    let killed = std::process::Command::new("kill")
        .arg(child.id().to_string())
        .status();
    assert!(killed.expect("kill runs").success());
    let ended = tokio::task::spawn_blocking(move || child.wait().expect("ends")).await;
    assert_eq!(ended.expect("does not panic").code(), Some(0));
    let logged = reader.join().expect("does not panic").join("\n");
    assert!(
        logged.contains("sent again: push") && logged.contains("2 sent again"),
        "{logged}"
    );
    setup.take_pushes(1..=2);
    setup.finish();
}
