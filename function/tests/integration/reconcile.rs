//! `webhook-app reconcile` with a strict fake of GitLab, the real function and a fake Rocket.Chat: what failed is sent
//! again, what GitLab dropped is replaced, and every message is stored once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use fakes::gitlab::{Access, Delivery, FakeGitLab, PROJECT, SAMPLE_KEY, Scope, Trigger};
use fakes::rocketchat::{Fault, Route};
use serde_json::{Value, json};
use webhook_app::config::reconcile::ReconcileConfig;
use webhook_app::reconcile::{Clock, Progress, Reconciler, Round, Run};

use crate::harness::{Harness, Setting, program};

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
        let harness = Harness::with(settings).await;
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

    fn break_chat(&self) {
        for route in [
            Route::CreateDirectMessage,
            Route::SendMessage,
            Route::GetMessage,
        ] {
            self.harness
                .chat
                .inject_fault_always(route, Fault::Status(503));
        }
    }

    /// Ends the faults, and waits until the next call may probe the server.
    async fn fix_chat(&self) {
        self.harness.chat.clear_faults();
        tokio::time::sleep(webhook_app::limits::LIMITS.sending.max_retry_pause).await;
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
        let variables = self.variables(overrides);
        let posts = run.direct || run.backfill.is_some();
        let read_file = |path: &str| std::fs::read_to_string(path);
        let (config, _) =
            ReconcileConfig::load(&variables, &read_file, run.direct, posts).expect("is valid");
        let lines = Mutex::new(Vec::new());
        let observe =
            |progress: &Progress<'_>| lines.lock().expect("no panic").extend(progress.line());
        let mut reconciler =
            Reconciler::new(&config, run, self.clock(), observe).expect("can be set up");
        let round = reconciler.round().await.map_err(|error| error.to_string());
        drop(reconciler);
        (lines.into_inner().expect("no panic"), round)
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

/// A push to `main` with a commit of its own.
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

#[tokio::test]
async fn what_failed_is_sent_again_oldest_first_and_stored_once() {
    let setup = Setup::start().await;
    setup.break_chat();
    for number in 1..=3 {
        setup
            .gitlab
            .happen(PROJECT, Trigger::Push, &push(number))
            .await;
    }
    setup.fix_chat().await;
    let output = setup.run(ONCE, &[]).await;
    assert!(output.round.is_complete(), "{}", output.summary());
    assert_eq!(output.count("sent again"), 3, "{:?}", output.lines);
    assert_eq!(
        output.summary(),
        "1 hook: 3 sent again, 0 waiting, 0 lost\n"
    );
    for number in 1..=3 {
        let message = setup.harness.chat.take_message();
        assert!(
            message.text.contains(&format!("Commit {number}")),
            "{}",
            message.text
        );
    }
    setup.gitlab.clear_requests();
    let again = setup.run(ONCE, &[]).await;
    assert!(again.round.is_complete() && again.lines.is_empty());
    assert_eq!(setup.calls_that_change(), [""; 0]);
    setup.finish();
}
