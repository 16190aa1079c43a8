//! The fake Rocket.Chat as a program, for test clusters: prints each stored message as one line of JSON.
//! Listens on 0.0.0.0:3000 or on the address given as the only argument. The inspection API is under `/inspect/`.
//! Of its users, an administrator has deactivated `former`; the bot and alice are members of the room `#alerts`.

use std::io::{self, Write};
use std::process::ExitCode;

use fakes::rocketchat::{FakeRocketChat, Message};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

const ADDRESS: &str = "0.0.0.0:3000";

const USAGE: &str = "\
A fake Rocket.Chat. Prints its address and credentials, then each message that
it stores, as lines of JSON. The inspection API is under /inspect/.

usage: fake-rocketchat [ADDRESS:PORT]

  ADDRESS:PORT  where to listen, 0.0.0.0:3000 by default; port 0 is any port
";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let address = std::env::args().nth(1);
    let address = address.as_deref().unwrap_or(ADDRESS);
    if matches!(address, "--help" | "-h") {
        let printed = io::stdout().lock().write_all(USAGE.as_bytes());
        return printed.map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS);
    }
    if address.starts_with('-') {
        print_error(&format!(
            "expected ADDRESS:PORT, found {address}; see --help"
        ));
        return ExitCode::FAILURE;
    }
    match serve(address).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            print_error(&format!("cannot serve on {address}: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn serve(address: &str) -> io::Result<()> {
    let mut terminated = signal(SignalKind::terminate())?;
    let chat = FakeRocketChat::builder()
        .bind(address)
        .deactivated(&["former"])
        .inspectable()
        .start()
        .await?;
    // For Alertmanager.
    chat.add_private_room("alerts", &[chat.username(), "alice"]);
    print_line(&json!({
        "listening": chat.url(),
        "user_id": chat.user_id(),
        "auth_token": chat.auth_token(),
    }))?;
    let ended = tokio::select! {
        ended = print_messages(&chat) => ended,
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminated.recv() => Ok(()),
    };
    // The final checks are for tests; users of the program read the inspection API.
    chat.expect_violation();
    chat.mark_all_read();
    ended
}

async fn print_messages(chat: &FakeRocketChat) -> io::Result<()> {
    loop {
        let message: Message = chat.next_message().await;
        print_line(&serde_json::to_value(message)?)?;
    }
}

fn print_line(line: &serde_json::Value) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{line}")
}

#[expect(clippy::print_stderr, reason = "a program prints its errors")]
fn print_error(problem: &str) {
    eprintln!("{problem}");
}
