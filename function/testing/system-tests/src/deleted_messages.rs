//! Check `deleted-messages`: a user deletes a message and GitLab sends the webhook again. Owns the
//! requirement that a deleted message stays deleted where Rocket.Chat keeps its document.

use fakes::exchange::Response;
use fakes::rocketchat::{FakeRocketChat, Kept, Route};
use serde_json::Value;

use crate::check::{CheckReport, Size, run};
use crate::deliveries::{pipeline, pipeline_in};
use crate::sut::{Settings, Sut, push};

const KEPT: [Kept; 2] = [Kept::Removed, Kept::Hidden];
const FIXED: &str = "rules: [{event: pipeline, status: [failed, fixed], to: '@alice'}]";
const TWO: &str = "rules: [{to: ['@alice', '@bob']}]";

/// Runs the check.
pub(crate) fn check(_: Size) -> CheckReport {
    let mut report = CheckReport::default();
    for kept in KEPT {
        run(resent(kept, &mut report));
        run(resent_to_two(kept, &mut report));
        run(live(kept, &mut report));
        run(fixed(kept, &mut report));
    }
    run(forgotten(&mut report));
    let failures = report.failures();
    report.workload("a resend after a deletion that Rocket.Chat keeps as removed or hidden, or forgets; for one and two recipients, a live pipeline and a failure before its fix");
    report.measurement(format!("{failures} deviations in 9 cases"));
    report
}

/// Starts a chat server and the program, with some settings; an empty value removes one.
async fn start(settings: &[(&str, &str)]) -> (FakeRocketChat, Sut) {
    let chat = FakeRocketChat::start().await;
    let all = settings
        .iter()
        .fold(Settings::with(&chat), |all, (name, value)| {
            all.set(name, value)
        });
    let sut = Sut::start(&all);
    (chat, sut)
}

/// Deletes all messages.
fn delete_all(chat: &FakeRocketChat, kept: Kept) {
    for message in chat.messages() {
        chat.delete_message_keeping(&message.id, kept);
    }
}

fn json(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap_or_default()
}

async fn resent(kept: Kept, report: &mut CheckReport) {
    let (chat, sut) = start(&[]).await;
    let first = sut.post(&push("deleted")).await.expect("a response");
    delete_all(&chat, kept);
    let again = sut.post(&push("deleted")).await.expect("a response");
    let body = json(&again);
    report.expect(again.status == 200 && body["deleted"] == true, || {
        format!("{kept:?}: a resend got {} {}", again.status, again.text())
    });
    report.expect(body["message_id"] == json(&first)["message_id"], || {
        format!("{kept:?}: a resend got another message id: {body}")
    });
    expect_nothing(kept, &chat, report);
}

async fn resent_to_two(kept: Kept, report: &mut CheckReport) {
    let (chat, sut) = start(&[("ROCKETCHAT_RECIPIENT", ""), ("ROUTES", TWO)]).await;
    let _ = sut.post(&push("deleted")).await;
    let messages = chat.messages();
    let to_bob = messages.iter().find(|message| message.recipient == "bob");
    let id = to_bob.map(|message| message.id.clone()).unwrap_or_default();
    chat.delete_message_keeping(&id, kept);
    let again = sut.post(&push("deleted")).await.expect("a response");
    let body = json(&again);
    let deleted: Vec<_> = body["deliveries"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|delivery| delivery["deleted"] == true)
        .map(|delivery| delivery["recipient"].clone())
        .collect();
    report.expect(again.status == 200 && deleted == ["@bob"], || {
        format!(
            "{kept:?}: expected that only the message of bob is deleted, found {} {body}",
            again.status
        )
    });
    report.expect(chat.messages().len() == 1, || {
        format!("{kept:?}: {} messages, expected 1", chat.messages().len())
    });
    chat.mark_all_read();
}

/// The message of a pipeline in progress is deleted before the pipeline ends.
async fn live(kept: Kept, report: &mut CheckReport) {
    let (chat, sut) = start(&[("LIVE_PIPELINES", "true")]).await;
    let _ = sut.post(&pipeline_in(31, "running")).await;
    delete_all(&chat, kept);
    let end = sut.post(&pipeline_in(31, "success")).await;
    let end = end.expect("a response");
    report.expect(end.status == 200 && json(&end)["deleted"] == true, || {
        format!(
            "{kept:?}: the end of a live pipeline got {} {}",
            end.status,
            end.text()
        )
    });
    let edits = chat.calls(Route::UpdateMessage);
    report.expect(edits == 0, || {
        format!("{kept:?}: {edits} edits of a deleted message")
    });
    expect_nothing(kept, &chat, report);
}

/// Whoever deleted the failure does not get its fix.
async fn fixed(kept: Kept, report: &mut CheckReport) {
    let (chat, sut) = start(&[("ROCKETCHAT_RECIPIENT", ""), ("ROUTES", FIXED)]).await;
    let _ = sut.post(&pipeline("failed", 'a', '0')).await;
    delete_all(&chat, kept);
    let fix = sut.post(&pipeline("success", 'b', 'a')).await;
    let fix = fix.expect("a response");
    let reason = fix.header("webhook-app-reason");
    report.expect(fix.status == 204 && reason == Some("not_a_fix"), || {
        format!(
            "{kept:?}: the fix of a deleted failure got {} {reason:?}",
            fix.status
        )
    });
    expect_nothing(kept, &chat, report);
}

/// A server that forgets the deleted message accepts its id again.
async fn forgotten(report: &mut CheckReport) {
    let (chat, sut) = start(&[]).await;
    let _ = sut.post(&push("forgotten")).await;
    for message in chat.messages() {
        chat.delete_message(&message.id);
    }
    let again = sut.post(&push("forgotten")).await.expect("a response");
    report.expect(
        again.status == 200 && json(&again)["deleted"] != true,
        || format!("forgotten: a resend got {} {}", again.status, again.text()),
    );
    report.expect(chat.messages().len() == 1, || {
        format!("forgotten: {} messages, expected 1", chat.messages().len())
    });
    chat.mark_all_read();
}

fn expect_nothing(kept: Kept, chat: &FakeRocketChat, report: &mut CheckReport) {
    let found = chat.messages().len();
    report.expect(found == 0, || {
        format!("{kept:?}: {found} messages after the deletion, expected none")
    });
    chat.mark_all_read();
}
