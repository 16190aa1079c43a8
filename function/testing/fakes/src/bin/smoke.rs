//! One webhook through a function that is already running: stands in for Rocket.Chat and for GitLab, and fails unless the message arrives.
//! For images, emulators and clusters: `roundtrip settings` prints what the function must be started with, `roundtrip [URL]` does the round.

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use fakes::exchange::{Answer, exchange};
use fakes::gitlab::{Delivery, SAMPLE_KEY, SAMPLE_SHA};
use fakes::rocketchat::FakeRocketChat;
use tokio::time;

/// Where the function finds Rocket.Chat: the same loopback.
const CHAT: &str = "127.0.0.1:3000";

/// Where the function listens unless it is told otherwise.
const FUNCTION: &str = "http://127.0.0.1:8080";

/// A container that takes longer than this to start is stuck.
const START_LIMIT: Duration = Duration::from_secs(20);

/// How often we look whether it has started.
const LOOK_EVERY: Duration = Duration::from_millis(20);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let word = std::env::args().nth(1);
    let ended = match word.as_deref() {
        None => round(FUNCTION).await,
        Some("settings") => settings().await,
        Some(url) if url.starts_with("http://") => round(url).await,
        Some(word) => Err(format!(
            "expected nothing, settings or an address that begins with http://, found {word}"
        )),
    };
    match ended {
        Ok(text) => {
            let written = writeln!(io::stdout().lock(), "{text}");
            written.map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS)
        }
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

/// Lines of `NAME=value`, as container engines read them from a file.
async fn settings() -> Result<String, String> {
    let chat = FakeRocketChat::start().await;
    let mut settings = fakes::settings(&chat);
    settings.insert("ROCKETCHAT_URL".to_owned(), format!("http://{CHAT}"));
    let lines = settings
        .iter()
        .map(|(name, value)| format!("{name}={value}"));
    Ok(lines.collect::<Vec<_>>().join("\n"))
}

async fn round(function: &str) -> Result<String, String> {
    let chat = FakeRocketChat::builder().bind(CHAT).start().await;
    let chat = chat.map_err(failed("stand in for Rocket.Chat"))?;
    time::timeout(START_LIMIT, until_ready(function))
        .await
        .map_err(failed("see the function become ready"))?;
    let url = format!("{function}/webhook");
    let push = Delivery::push_sample();
    expect(401, &post(&push, &url).await?)?;
    let signed = push.signed_with(SAMPLE_KEY);
    expect(200, &post(&signed, &url).await?)?;
    expect(200, &post(&signed, &url).await?)?;
    let messages = chat.messages();
    chat.mark_all_read();
    match messages.as_slice() {
        [message] if message.text.contains(SAMPLE_SHA) => Ok(message.text.clone()),
        _ => Err(format!(
            "expected one message about {SAMPLE_SHA}, found {messages:?}"
        )),
    }
}

async fn until_ready(function: &str) {
    let url = format!("{function}/readyz");
    loop {
        let answer = exchange("GET", &url, &[], b"").await;
        if answer.is_ok_and(|answer| answer.status == 200) {
            return;
        }
        time::sleep(LOOK_EVERY).await;
    }
}

async fn post(delivery: &Delivery, url: &str) -> Result<Answer, String> {
    let answer = delivery.try_post_to(url).await;
    answer.map_err(failed("post a delivery"))
}

fn expect(status: u16, answer: &Answer) -> Result<(), String> {
    if answer.status == status {
        return Ok(());
    }
    let (found, text) = (answer.status, answer.text());
    Err(format!(
        "expected the answer {status}, found {found}: {text}"
    ))
}

fn failed<E: Display>(what: &'static str) -> impl Fn(E) -> String {
    move |error| format!("could not {what}: {error}")
}

#[expect(clippy::print_stderr, reason = "the program has no other way to tell")]
fn complain(text: &str) {
    eprintln!("roundtrip: {text}");
}
