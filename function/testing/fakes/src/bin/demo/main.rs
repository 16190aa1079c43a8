//! The demo: starts webhook-app with a fake Rocket.Chat, posts a push as GitLab does, and prints the message that the user gets.
//! With `--once` it exits after that, with a non-zero status if something went wrong.
//! `webhook_app` starts and stops the program, `display` formats the output for the width that `terminal` finds.

mod display;
mod terminal;
mod webhook_app;

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use fakes::gitlab::{Delivery, Response, SAMPLE_KEY, SAMPLE_SHA};
use fakes::rocketchat::{FakeRocketChat, Message};
use tokio::signal::unix::{SignalKind, signal};
use webhook_app::{Args, TOKEN, USAGE, WebhookApp};

/// How long to wait for the message, which is stored before webhook-app responds.
const MESSAGE_TIMEOUT: Duration = Duration::from_secs(5);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let args = match Args::from_arguments() {
        Ok(args) => args,
        Err(problem) => return failed(&problem),
    };
    if args.help {
        say(USAGE);
        return ExitCode::SUCCESS;
    }
    let chat = FakeRocketChat::start().await;
    let result = demonstrate(&args, &chat).await;
    let result = result.and_then(|()| check_violations(&chat));
    // Violations have been reported, and unread messages do not matter any more.
    chat.expect_violation();
    chat.mark_all_read();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => failed(&problem),
    }
}

/// Runs the demo; the error says what went wrong.
async fn demonstrate(args: &Args, chat: &FakeRocketChat) -> Result<(), String> {
    let mut app = WebhookApp::start(args, chat)?;
    app.wait_until_ready().await?;
    let url = app.webhook_url();
    say(&format!("webhook-app listens on {url}\n"));
    first_delivery(chat, &url).await?;
    if args.once {
        return Ok(());
    }
    say(&instructions(&url));
    tokio::select! {
        () = show_messages(chat) => Ok(()),
        ended = app.exited() => Err(ended),
        stopped = stopped() => stopped.map_err(|error| format!("cannot wait for Ctrl-C: {error}")),
    }
}

/// A command for another shell that posts a delivery with a secret token and only the required headers.
fn instructions(url: &str) -> String {
    let body = include_str!("push_by_hand.json").trim_end();
    let delivery = Delivery::new("Push Hook", body).token(TOKEN);
    let optional = [
        "webhook-id",
        "webhook-timestamp",
        "X-Gitlab-Webhook-UUID",
        "X-Gitlab-Event-UUID",
        "X-Gitlab-Instance",
    ];
    let delivery = optional.into_iter().fold(delivery, Delivery::without);
    let command = delivery.curl(url);
    format!(
        "Run this command in another shell to send a webhook yourself.\nTo send another message, change the Idempotency-Key.\n\n{command}\n\nWaiting for messages. Press Ctrl-C to stop."
    )
}

/// Posts a push, prints its message, and posts the same push again.
async fn first_delivery(chat: &FakeRocketChat, url: &str) -> Result<(), String> {
    let delivery = Delivery::push_sample().signed_with(SAMPLE_KEY);
    say("GitLab sends a signed push webhook of acme/rocket.");
    let response = accepted(delivery.try_post_to(url).await)?;
    say(&display::response(&response, terminal::width()));
    let message = tokio::time::timeout(MESSAGE_TIMEOUT, chat.next_message()).await;
    let message = message.map_err(|_| "webhook-app sent no direct message".to_owned())?;
    say(&display::message(&message, terminal::width()));
    check_message(&message)?;

    say("GitLab sends the same webhook again, as a manual resend does.");
    let again = accepted(delivery.try_post_to(url).await)?;
    say(&display::response(&again, terminal::width()));
    if chat.messages().len() != 1 {
        return Err("the resend stored a second message".to_owned());
    }
    say("No second message was sent: the user has one message.\n");
    Ok(())
}

/// Waits for SIGINT or SIGTERM. Both must be handled, so that webhook-app is stopped too.
async fn stopped() -> io::Result<()> {
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminated.recv() => Ok(()),
    }
}

fn accepted(response: io::Result<Response>) -> Result<Response, String> {
    let response = response.map_err(|error| format!("webhook-app did not respond: {error}"))?;
    if (200..300).contains(&response.status) {
        return Ok(response);
    }
    Err(format!(
        "webhook-app responded {}: {}",
        response.status,
        response.text()
    ))
}

fn check_message(message: &Message) -> Result<(), String> {
    if message.text.contains(&SAMPLE_SHA[..8]) {
        return Ok(());
    }
    Err(format!("the message does not show the commit {SAMPLE_SHA}"))
}

fn check_violations(chat: &FakeRocketChat) -> Result<(), String> {
    let found = chat.violations();
    if found.is_empty() {
        return Ok(());
    }
    Err(format!(
        "webhook-app violated the API of Rocket.Chat: {found:#?}"
    ))
}

async fn show_messages(chat: &FakeRocketChat) {
    loop {
        say(&display::message(
            &chat.next_message().await,
            terminal::width(),
        ));
    }
}

#[expect(clippy::print_stdout, reason = "the output is for a person")]
fn say(text: &str) {
    println!("{text}");
}

#[expect(clippy::print_stderr, reason = "the output is for a person")]
fn failed(problem: &str) -> ExitCode {
    eprintln!("demo: {problem}");
    ExitCode::FAILURE
}
