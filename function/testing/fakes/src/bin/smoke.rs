//! Smoke test of a webhook-app that already runs: serves a fake Rocket.Chat, posts a push as GitLab does, and fails unless the message arrives.
//! Used for images and emulators: `smoke settings` prints the settings to start webhook-app with, `smoke [URL]` runs the test.

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use fakes::exchange::{Response, exchange};
use fakes::gitlab::{Delivery, SAMPLE_KEY, SAMPLE_SHA};
use fakes::rocketchat::FakeRocketChat;
use tokio::time;

/// The address of the fake Rocket.Chat; webhook-app must share this loopback interface.
const CHAT: &str = "127.0.0.1:3000";

/// The default URL of webhook-app.
const WEBHOOK_APP: &str = "http://127.0.0.1:8080";

/// How long webhook-app may take to become ready.
const START_LIMIT: Duration = Duration::from_secs(20);

/// How long to wait between two readiness probes.
const PROBE_INTERVAL: Duration = Duration::from_millis(20);

const USAGE: &str = "\
Tests a webhook-app that already runs, with a fake Rocket.Chat at
127.0.0.1:3000.

usage: smoke [URL | settings]

  URL       the address of webhook-app, http://127.0.0.1:8080 by default
  settings  print the settings to start webhook-app with";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let word = std::env::args().nth(1);
    let ended = match word.as_deref() {
        None => smoke_test(WEBHOOK_APP).await,
        Some("--help" | "-h") => Ok(USAGE.to_owned()),
        Some("settings") => settings().await,
        Some(url) if url.starts_with("http://") => smoke_test(url).await,
        Some(word) => Err(format!(
            "expected no argument, settings or a URL that starts with http://, found {word}"
        )),
    };
    match ended {
        Ok(text) => {
            let written = writeln!(io::stdout().lock(), "{text}");
            written.map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS)
        }
        Err(error) => {
            print_error(&error);
            ExitCode::FAILURE
        }
    }
}

/// Lines of `NAME=value`, the format of `--env-file`.
async fn settings() -> Result<String, String> {
    let chat = FakeRocketChat::start().await;
    let mut settings = fakes::settings(&chat);
    settings.insert("ROCKETCHAT_URL".to_owned(), format!("http://{CHAT}"));
    let lines = settings
        .iter()
        .map(|(name, value)| format!("{name}={value}"));
    Ok(lines.collect::<Vec<_>>().join("\n"))
}

async fn smoke_test(base_url: &str) -> Result<String, String> {
    let chat = FakeRocketChat::builder().bind(CHAT).start().await;
    let chat = chat.map_err(failed("start the fake Rocket.Chat"))?;
    time::timeout(START_LIMIT, until_ready(base_url))
        .await
        .map_err(failed("wait until webhook-app is ready"))?;
    let url = format!("{base_url}/webhook");
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

async fn until_ready(base_url: &str) {
    let url = format!("{base_url}/readyz");
    loop {
        let response = exchange("GET", &url, &[], b"").await;
        if response.is_ok_and(|response| response.status == 200) {
            return;
        }
        time::sleep(PROBE_INTERVAL).await;
    }
}

async fn post(delivery: &Delivery, url: &str) -> Result<Response, String> {
    let response = delivery.try_post_to(url).await;
    response.map_err(failed("post a delivery"))
}

fn expect(status: u16, response: &Response) -> Result<(), String> {
    if response.status == status {
        return Ok(());
    }
    let (found, text) = (response.status, response.text());
    Err(format!(
        "expected the status {status}, found {found}: {text}"
    ))
}

fn failed<E: Display>(what: &'static str) -> impl Fn(E) -> String {
    move |error| format!("could not {what}: {error}")
}

#[expect(clippy::print_stderr, reason = "a program prints its errors")]
fn print_error(text: &str) {
    eprintln!("smoke: {text}");
}
