//! The demonstration: starts the product against the chat stand-in, lets GitLab's stand-in push, and shows what the user gets to see.
//! Ends by itself with `--once`, and then says by its exit code whether everything was as it should be.
//! Starting and stopping the product is in `product`, the looks are in `picture`.

mod picture;
mod product;

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use fakes::gitlab::{Answer, Delivery, SAMPLE_KEY, SAMPLE_SHA};
use fakes::rocketchat::{FakeRocketChat, Message};
use product::{Product, TOKEN, Usage};
use tokio::signal::unix::{SignalKind, signal};

/// How long a message may take from the answer of the product to our screen; it is there before the answer.
const PATIENCE: Duration = Duration::from_secs(5);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let usage = match Usage::from_arguments() {
        Ok(usage) => usage,
        Err(problem) => return failed(&problem),
    };
    let chat = FakeRocketChat::start().await;
    let outcome = show(&usage, &chat).await;
    let outcome = outcome.and_then(|()| breaches(&chat));
    // What is left over has been reported or is of no interest once the visitor has gone.
    chat.expect_violation();
    chat.mark_all_read();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => failed(&problem),
    }
}

/// The whole performance; the problem otherwise.
async fn show(usage: &Usage, chat: &FakeRocketChat) -> Result<(), String> {
    let mut product = Product::start(usage, chat)?;
    product.wait_until_ready().await?;
    let url = product.webhook_url();
    say(&format!("webhook-app listens on {url}\n"));
    first_delivery(chat, &url).await?;
    if usage.once {
        return Ok(());
    }
    say(&invitation(&url));
    tokio::select! {
        () = show_messages(chat) => Ok(()),
        ended = product.ended() => Err(ended),
        stopped = stopped() => stopped.map_err(|error| format!("cannot wait for Ctrl-C: {error}")),
    }
}

/// A command for another shell, as short as a delivery with a plain secret can be.
fn invitation(url: &str) -> String {
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
        "Your turn. Paste this into another shell; for a further message change the Idempotency-Key.\n\n{command}\n\nWaiting for messages; stop with Ctrl-C."
    )
}

/// A push, the message it becomes, and the same push again.
async fn first_delivery(chat: &FakeRocketChat, url: &str) -> Result<(), String> {
    let delivery = Delivery::push_sample().signed_with(SAMPLE_KEY);
    say("GitLab delivers a signed push of acme/rocket.");
    let answer = answered(delivery.try_post_to(url).await)?;
    say(&picture::answer(&answer));
    let message = tokio::time::timeout(PATIENCE, chat.next_message()).await;
    let message = message.map_err(|_| "no direct message was sent".to_owned())?;
    say(&picture::framed(&message));
    check_message(&message)?;

    say("GitLab delivers the very same push again, as a resend does.");
    let again = answered(delivery.try_post_to(url).await)?;
    say(&picture::answer(&again));
    if chat.messages().len() != 1 {
        return Err("the resend was sent a second time".to_owned());
    }
    say("Nothing new was sent: the user has one message.\n");
    Ok(())
}

/// Until a person or the system asks us to stop; the product must not outlive us.
async fn stopped() -> io::Result<()> {
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminated.recv() => Ok(()),
    }
}

fn answered(answer: io::Result<Answer>) -> Result<Answer, String> {
    let answer = answer.map_err(|error| format!("no answer to the delivery: {error}"))?;
    if (200..300).contains(&answer.status) {
        return Ok(answer);
    }
    let text = answer.text();
    Err(format!(
        "the delivery was answered {}: {text}",
        answer.status
    ))
}

fn check_message(message: &Message) -> Result<(), String> {
    if message.text.contains(&SAMPLE_SHA[..8]) {
        return Ok(());
    }
    Err(format!("the message does not show the commit {SAMPLE_SHA}"))
}

fn breaches(chat: &FakeRocketChat) -> Result<(), String> {
    let found = chat.violations();
    if found.is_empty() {
        return Ok(());
    }
    Err(format!("Rocket.Chat's interface was broken: {found:#?}"))
}

async fn show_messages(chat: &FakeRocketChat) {
    loop {
        say(&picture::framed(&chat.next_message().await));
    }
}

#[expect(clippy::print_stdout, reason = "the demonstration speaks to a person")]
fn say(text: &str) {
    println!("{text}");
}

#[expect(clippy::print_stderr, reason = "the demonstration speaks to a person")]
fn failed(problem: &str) -> ExitCode {
    eprintln!("The demonstration failed: {problem}");
    ExitCode::FAILURE
}
