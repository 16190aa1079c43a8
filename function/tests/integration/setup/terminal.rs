//! Setup on a terminal: each answer is checked when it is given, and a wrong one is asked for again.

use std::collections::BTreeMap;
use std::io::{self, Read as _, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use super::{ADMIN, PASSWORD, PROJECT, World};
use crate::skipped::report_skipped;

/// Longer than any step takes; a question that is never asked fails the test.
const PATIENCE: Duration = Duration::from_secs(30);

/// A program on a pseudo-terminal.
struct Terminal {
    child: Child,
    keyboard: ChildStdin,
    screen: Receiver<Vec<u8>>,
    text: String,
    /// How much of the text has been looked at.
    seen: usize,
}

impl Terminal {
    /// `None` without the program `script`.
    fn start(command: &str) -> Option<Self> {
        let mut child = Command::new("script")
            .args(["-qec", command, "/dev/null"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .ok()?;
        let keyboard = child.stdin.take().expect("is piped");
        let mut output = child.stdout.take().expect("is piped");
        let (sender, screen) = channel();
        thread::spawn(move || {
            let mut bytes = [0; 1024];
            while let Ok(length @ 1..) = output.read(&mut bytes) {
                if sender.send(bytes[..length].to_vec()).is_err() {
                    return;
                }
            }
        });
        Some(Self {
            child,
            keyboard,
            screen,
            text: String::new(),
            seen: 0,
        })
    }

    /// Waits until this is shown.
    fn expect(&mut self, expected: &str) {
        loop {
            if let Some(place) = self.text[self.seen..].find(expected) {
                self.seen += place + expected.len();
                return;
            }
            let Ok(bytes) = self.screen.recv_timeout(PATIENCE) else {
                panic!("expected {expected:?}, found: {}", self.text);
            };
            self.text += &String::from_utf8_lossy(&bytes);
        }
    }

    /// Waits for a question and types the answer.
    fn answer(&mut self, question: &str, answer: &str) {
        self.expect(&format!("{question}: "));
        let typed = writeln!(self.keyboard, "{answer}").and_then(|()| self.keyboard.flush());
        typed.expect("is read");
    }

    /// Waits for the end; returns everything that was shown, and the exit code.
    fn end(mut self) -> io::Result<(String, Option<i32>)> {
        while let Ok(bytes) = self.screen.recv_timeout(PATIENCE) {
            self.text += &String::from_utf8_lossy(&bytes);
        }
        let status = self.child.wait()?;
        Ok((self.text, status.code()))
    }
}

fn command(settings: &BTreeMap<String, String>, arguments: &str) -> String {
    let settings = settings.iter();
    let settings = settings.map(|(name, value)| format!("{name}='{value}' "));
    let settings: String = settings.collect();
    let program = env!("CARGO_BIN_EXE_webhook-app");
    format!("env -i {settings}{program} setup {arguments}")
}

/// What a dialogue on a terminal showed, and the exit code; `None` if there is no program for terminals.
async fn hold<Dialogue>(dialogue: Dialogue) -> Option<(String, Option<i32>)>
where
    Dialogue: FnOnce() -> Option<(String, Option<i32>)> + Send + 'static,
{
    let held = tokio::task::spawn_blocking(dialogue);
    let held = held.await.expect("does not panic");
    if held.is_none() {
        report_skipped("script is not installed; Debian has it in the package bsdutils");
    }
    held
}

#[tokio::test]
async fn a_wrong_answer_is_asked_for_again_with_the_reason() {
    let world = World::start().await;
    let (gitlab, chat) = (world.gitlab.url(), world.chat.url());
    let token = world.gitlab.admin_token().to_owned();
    let file = world.file().display().to_string();

    let dialogue = move || {
        let command = command(&BTreeMap::new(), &format!("--file {file}"));
        let mut terminal = Terminal::start(&command)?;
        terminal.answer("Address of GitLab", "gitlab.example.org");
        terminal.expect("GITLAB_URL: expected an address that starts with https:// or http://");
        terminal.answer("Address of GitLab", &gitlab);
        terminal.answer(
            "Access token of GitLab, with the scope api and the role Maintainer",
            "",
        );
        terminal.expect("GITLAB_API_TOKEN: is not set");
        terminal.answer(
            "Access token of GitLab, with the scope api and the role Maintainer",
            "canary token",
        );
        terminal.expect("GITLAB_API_TOKEN: expected");
        terminal.answer(
            "Access token of GitLab, with the scope api and the role Maintainer",
            &token,
        );
        terminal.answer("Address of Rocket.Chat", "chat");
        terminal.expect("ROCKETCHAT_URL: expected");
        terminal.answer("Address of Rocket.Chat", &chat);
        let question = "Address of webhook-app for GitLab, which ends with /webhook";
        terminal.answer(question, "https://hooks.example.org/hook");
        terminal.expect("WEBHOOK_URL: expected an address with the path /webhook");
        terminal.answer(question, "https://hooks.example.org");
        terminal.answer("Username of an administrator of Rocket.Chat", "");
        terminal.expect("ROCKETCHAT_ADMIN_USERNAME: is not set; type it");
        terminal.answer("Username of an administrator of Rocket.Chat", ADMIN);
        terminal.answer("Password", PASSWORD);
        let question = "Code of the second factor, empty if there is none";
        terminal.answer(question, "12 34 56");
        terminal.expect("ROCKETCHAT_ADMIN_CODE: expected the digits");
        terminal.answer(question, "");
        terminal.answer("Project of GitLab, such as group/app", "no such project");
        terminal.expect("expected a path such as group/app, or an ID");
        terminal.answer("Project of GitLab, such as group/app", PROJECT);
        Some(terminal.end().expect("ends"))
    };
    let Some((shown, code)) = hold(dialogue).await else {
        return;
    };

    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("read the test message back"), "{shown}");
    world.assert_no_secret(&shown);
    world.take_message();
    world.finish();
}

#[tokio::test]
async fn the_end_of_the_input_ends_the_questions() {
    let world = World::start().await;
    let file = world.file().display().to_string();
    let dialogue = move || {
        let command = command(&BTreeMap::new(), &format!("--file {file}"));
        let mut terminal = Terminal::start(&command)?;
        terminal.answer("Address of GitLab", "https://gitlab.example.org");
        // What Ctrl-D sends.
        terminal.answer(
            "Access token of GitLab, with the scope api and the role Maintainer",
            "\u{4}",
        );
        Some(terminal.end().expect("ends"))
    };
    let Some((shown, code)) = hold(dialogue).await else {
        return;
    };

    assert_eq!(code, Some(64), "{shown}");
    assert!(shown.contains("ROCKETCHAT_URL: is not set"), "{shown}");
    assert_eq!(world.changes(0), Vec::<String>::new());
    world.finish();
}
