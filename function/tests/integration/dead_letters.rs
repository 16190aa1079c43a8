//! Messages that the broker gives up: they are stored, the operators are notified, and a command sends them again.

use std::fs;
use std::path::PathBuf;
use std::process::Output;

use fakes::broker::{Event, FakeBroker};
use fakes::exchange::Response;
use fakes::rocketchat::{Fault, Route};

use crate::harness::{Harness, MESSAGE_ID_SECRET, assert_problem, command, push, settings};

/// A function that stores dead letters, and its broker.
struct Setup {
    harness: Harness,
    broker: FakeBroker,
    folder: PathBuf,
}

impl Setup {
    async fn start(name: &str) -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("can be created");
        let broker = FakeBroker::start().await;
        let harness = Harness::with(&[
            ("SINK_URL", &broker.url()),
            MESSAGE_ID_SECRET,
            ("DEAD_LETTERS_FOLDER", &folder.display().to_string()),
            ("DEAD_LETTERS_TO", "@carol"),
        ])
        .await;
        Self {
            harness,
            broker,
            folder,
        }
    }

    /// An event that was handed off.
    async fn event(&self) -> Event {
        let chat = &self.harness.chat;
        chat.inject_fault_always(Route::CreateDirectMessage, Fault::Status(403));
        let answer = self.harness.post(&push()).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        chat.clear_faults();
        self.broker.take()
    }

    /// Posts an event as a broker that gave it up.
    async fn give_up(&self, event: &Event) -> Response {
        let mut event = event.clone();
        for (name, value) in [
            ("knativeerrorcode", "422"),
            ("knativeerrordest", "http://function/deliver"),
        ] {
            event.attributes.push((name.to_owned(), value.to_owned()));
        }
        let url = self.harness.function.url("/dead-letters");
        FakeBroker::deliver(&event, &url)
            .await
            .expect("is answered")
    }

    /// Runs the command in the same environment.
    async fn command(&self, words: &[&str]) -> Output {
        let mut all = settings(&self.harness.chat);
        let own = [
            ("SINK_URL", self.broker.url()),
            (MESSAGE_ID_SECRET.0, MESSAGE_ID_SECRET.1.to_owned()),
            ("DEAD_LETTERS_FOLDER", self.folder.display().to_string()),
        ];
        all.extend(own.map(|(name, value)| (name.to_owned(), value)));
        let program = env!("CARGO_BIN_EXE_webhook-app");
        let mut command = command(program, &all);
        command.arg("dead-letters").args(words);
        // The fakes answer in this thread meanwhile.
        let output = tokio::task::spawn_blocking(move || command.output());
        output.await.expect("ends").expect("runs")
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[tokio::test]
async fn a_dead_letter_is_stored_reported_listed_and_sent_again() {
    let setup = Setup::start("dead-letters").await;
    let event = setup.event().await;
    let answer = setup.give_up(&event).await;
    assert_eq!((answer.status, answer.body.as_slice()), (202, &b""[..]));
    let id = &event.attribute("id").expect("has an ID")[..12];
    let notice = setup.harness.chat.take_message();
    assert_eq!(notice.recipient, "carol");
    insta::assert_snapshot!(notice.text.replace(id, "ID"), @"⚠️ A message to `@alice` could not be delivered (status 422) and waits as dead letter `ID`; `webhook-app dead-letters` lists all of them");
    let page = setup.harness.function.request("GET", "/metrics").await;
    assert!(page.text().contains("webhook_dead_letters_total 1\n"));

    let list = text(&setup.command(&[]).await.stdout);
    let lines: Vec<_> = list.lines().collect();
    assert_eq!(lines.len(), 2, "{list}");
    assert!(
        lines[1].starts_with(id) && lines[1].ends_with("422     @alice"),
        "{list}"
    );

    // The broker is away: the dead letter stays.
    setup.broker.refuse_always(Some(503));
    let output = setup.command(&["resend", "--all"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("the broker has not stored "));
    setup.broker.refuse_always(None);
    let output = setup.command(&["resend", "00000000"]).await;
    assert_eq!(
        (output.status.code(), text(&output.stdout).as_str()),
        (Some(1), "0 of 0 sent again\n")
    );
    let output = setup.command(&["resend", id]).await;
    assert_eq!(
        (output.status.code(), text(&output.stdout).as_str()),
        (Some(0), "1 of 1 sent again\n"),
        "{}",
        text(&output.stderr)
    );
    assert_eq!(
        text(&setup.command(&["list"]).await.stdout),
        "no dead letters\n"
    );
    let again = setup.broker.take();
    assert_eq!(again.attribute("knativeerrorcode"), None);
    assert_eq!(again.data, event.data);
    let answer = FakeBroker::deliver(&again, &setup.harness.function.url("/deliver")).await;
    assert_eq!(answer.expect("is answered").status, 200);
    assert_eq!(setup.harness.chat.take_message().recipient, "alice");
    let output = setup.harness.finish().join("\n");
    assert!(output.contains("the broker gave up a message"), "{output}");
}

#[tokio::test]
async fn only_signed_events_are_stored_and_none_is_lost_if_the_disk_is_full() {
    let setup = Setup::start("dead-letters-unsigned").await;
    let event = setup.event().await;
    let mut forged = event.clone();
    forged.data.push(b' ');
    assert_problem(&setup.give_up(&forged).await, 401, "unsigned_event");
    fs::remove_dir_all(&setup.folder).expect("can be removed");
    assert_problem(&setup.give_up(&event).await, 503, "not_stored");
    setup.harness.finish();
}

#[tokio::test]
async fn a_function_stores_its_dead_letter_in_the_pod_of_dead_letters() {
    let setup = Setup::start("dead-letters-posted").await;
    let event = setup.event().await;
    let sink = setup.harness.function.url("/dead-letters");
    let function = Harness::with(&[
        ("SINK_URL", &setup.broker.url()),
        ("DEAD_LETTER_SINK", &sink),
        MESSAGE_ID_SECRET,
    ])
    .await;
    function.chat.rename_user("alice", "alicia");
    let answer = FakeBroker::deliver(&event, &function.function.url("/deliver")).await;
    assert_eq!(answer.expect("is answered").status, 200);
    assert_eq!(setup.harness.chat.take_message().recipient, "carol");
    let list = text(&setup.command(&[]).await.stdout);
    assert!(list.ends_with("422     @alice\n"), "{list}");
    function.finish();
    setup.harness.finish();
}

#[tokio::test]
async fn a_file_that_cannot_be_read_does_not_hide_the_others() {
    let setup = Setup::start("dead-letters-broken").await;
    let event = setup.event().await;
    assert_eq!(setup.give_up(&event).await.status, 202);
    setup.harness.chat.take_message();
    fs::write(setup.folder.join("broken.json"), "{").expect("can be written");
    let output = setup.command(&[]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("@alice"));
    assert!(text(&output.stderr).contains("broken.json"));
    setup.harness.finish();
}

#[tokio::test]
async fn the_start_says_where_dead_letters_are_stored_and_if_they_cannot_be() {
    let setup = Setup::start("dead-letters-logged").await;
    let folder = setup.folder.display().to_string();
    let output = setup.harness.finish().join("\n");
    assert!(
        output.contains(&format!(r#""dead_letters":"{folder}""#)),
        "{output}"
    );
    assert!(!output.contains("no dead letter can be stored"), "{output}");
    let harness = Harness::with(&[("DEAD_LETTERS_FOLDER", &format!("{folder}/missing"))]).await;
    let output = harness.finish().join("\n");
    assert!(
        output.contains("; no dead letter can be stored"),
        "{output}"
    );
}

#[tokio::test]
async fn there_are_no_dead_letters_without_a_folder() {
    let harness = Harness::start().await;
    let answer = harness.function.request("POST", "/dead-letters").await;
    assert_problem(&answer, 404, "unknown_path");
    harness.finish();
}
