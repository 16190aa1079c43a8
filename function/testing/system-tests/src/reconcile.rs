//! Check `reconcile`: Rocket.Chat is away for half an hour, GitLab disables the webhook, and the program repairs it. Owns
//! the requirement that `reconcile --once --backfill` stores every message that can be rebuilt, names the rest, and
//! stores nothing when it runs again. The half hour is one of the fake GitLab's clock.

use std::time::Duration;

use fakes::gitlab::{Delivery, FakeGitLab, PROJECT, SAMPLE_KEY, Trigger};
use fakes::rocketchat::{FakeRocketChat, Fault, Route};
use serde_json::{Value, json};

use crate::check::{CheckReport, Size, run};
use crate::sut::{Settings, Sut};

const EVENTS: u64 = 200;
/// Of ten events, six are pushes, two pipelines, one a merge request and one a comment.
const REBUILDABLE: usize = 180;
const COMMENTS: usize = 20;
/// Failures in a row after which GitLab disables a webhook: what it records.
const RECORDED: u64 = 4;
/// From one event to the next.
const PAUSE: Duration = Duration::from_secs(9);
/// What happened later is left to its webhook.
const SETTLED: Duration = Duration::from_secs(200);
/// The account of the token.
const BOT: &str = "webhook-bot";

const PIPELINE: &str =
    include_str!("../../../tests/integration/fixtures/gitlab/pipeline_passed.json");
const MERGE_REQUEST: &str =
    include_str!("../../../tests/integration/fixtures/gitlab/merge_request_opened.json");
const COMMENT: &str =
    include_str!("../../../tests/integration/fixtures/gitlab/note_on_a_commit.json");

/// Runs the check.
pub(crate) fn check(_: Size) -> CheckReport {
    let mut report = CheckReport::default();
    run(outage(&mut report));
    report.workload(format!(
        "{EVENTS} events of GitLab in 30 minutes of its clock without Rocket.Chat, the webhook disabled, then `reconcile --once --backfill` twice"
    ));
    report
}

async fn outage(report: &mut CheckReport) {
    let chat = FakeRocketChat::start().await;
    let elapsed = PAUSE * u32::try_from(EVENTS).expect("is small") + SETTLED;
    let gitlab = FakeGitLab::builder().clock_behind(elapsed).start().await;
    let gitlab = gitlab.expect("a port is free");
    let settings = Settings::with(&chat).set("GITLAB_RECONCILE_USER", BOT);
    let sut = Sut::start(&settings.clone().set("DELIVERY_TIMEOUT_SECONDS", 1));
    let hook = gitlab.add_hook(
        PROJECT,
        &json!({
            "url": sut.url(), "signing_token": SAMPLE_KEY, "push_events": true, "pipeline_events": true,
            "merge_requests_events": true, "note_events": true,
        }),
    );
    let routes = [
        Route::CreateDirectMessage,
        Route::SendMessage,
        Route::GetMessage,
    ];
    for route in routes {
        chat.inject_fault_always(route, Fault::Status(503));
    }
    for number in 0..EVENTS {
        gitlab.advance(PAUSE);
        if number == RECORDED {
            // Further attempts of GitLab between its pauses would be resent at its pace, which takes minutes.
            gitlab.disable_hook(hook);
        }
        let (trigger, body) = event(number);
        gitlab.happen(PROJECT, trigger, &body).await;
    }
    gitlab.advance(SETTLED);
    let recorded = gitlab.events(hook).len();
    report.expect(recorded as u64 == RECORDED, || {
        format!("GitLab recorded {recorded} events, expected {RECORDED}")
    });
    chat.clear_faults();

    let command = settings
        .set("GITLAB_URL", gitlab.url())
        .set("GITLAB_API_TOKEN", gitlab.token())
        .set("HOOKS", format!("[{{project: {PROJECT}}}]"))
        .set("WEBHOOK_URL", sut.url());
    for (sent, replaced, found) in [
        (recorded, REBUILDABLE - recorded, 0),
        (0, 0, REBUILDABLE - recorded),
    ] {
        let (code, output) = reconcile(&command).await;
        let count = |words: &str| output.lines().filter(|line| line.contains(words)).count();
        let counts = (
            count("  sent again: "),
            count("  replaced: "),
            count("  already there: "),
        );
        report.expect(counts == (sent, replaced, found), || {
            format!("expected {sent} sent again, {replaced} replaced and {found} there, found {counts:?}: {output}")
        });
        report.expect(output.contains(&format!("{COMMENTS} comments")), || {
            format!("the comments are not named: {output}")
        });
        report.expect(code == Some(1), || {
            format!("exit code {code:?}, expected 1 because comments are left: {output}")
        });
        let stored = chat.messages().len();
        report.expect(stored == REBUILDABLE, || {
            format!("{stored} messages, expected {REBUILDABLE}")
        });
    }
    report.expect(gitlab.hook(hook)["alert_status"] == "executable", || {
        "the webhook is still disabled".to_owned()
    });
    report.measurement(format!(
        "{recorded} sent again, {} replaced, {} messages, {COMMENTS} comments named",
        REBUILDABLE - recorded,
        chat.messages().len()
    ));
    chat.mark_all_read();
}

/// Runs the program on another thread than the one that serves the fakes.
async fn reconcile(settings: &Settings) -> (Option<i32>, String) {
    let settings = settings.clone();
    let arguments = ["reconcile", "--once", "--backfill", "--since", "2h"];
    let running = tokio::task::spawn_blocking(move || settings.output(&arguments, b""));
    running.await.expect("does not panic")
}

/// Something that happens. The first are pushes.
fn event(number: u64) -> (Trigger, Value) {
    let recorded = |text: &str| -> Value { serde_json::from_str(text).expect("is JSON") };
    let (trigger, mut body) = match number % 10 {
        0..6 => return (Trigger::Push, push(number + 1)),
        6 | 7 => (Trigger::Pipeline, recorded(PIPELINE)),
        8 => (Trigger::MergeRequest, recorded(MERGE_REQUEST)),
        _ => (Trigger::Note, recorded(COMMENT)),
    };
    for id in ["id", "iid"] {
        body["object_attributes"][id] = json!(number);
    }
    (trigger, body)
}

/// A push of a new commit to `main`.
fn push(number: u64) -> Value {
    let sample = Delivery::push_sample();
    let mut body: Value = serde_json::from_slice(sample.body()).expect("is JSON");
    let sha = json!(format!("{number:040x}"));
    for field in ["after", "checkout_sha"] {
        body[field] = sha.clone();
    }
    body["commits"][0]["id"] = sha;
    body["before"] = json!(format!("{:040x}", number - 1));
    body["commits"][0]["title"] = json!(format!("Commit {number}"));
    body["commits"][0]["message"] = json!(format!("Commit {number}\n"));
    body
}
