//! The fake Rocket.Chat as a program, for test clusters: prints each stored message as one line of JSON.
//! Listens on 0.0.0.0:3000 or on the given address. The inspection API is under `/inspect/`.
//! Of its users, an administrator has deactivated `former`.

use std::io::{self, Write};
use std::process::ExitCode;

use fakes::rocketchat::{FakeRocketChat, Message};
use tokio::signal::unix::{SignalKind, signal};

const ADDRESS: &str = "0.0.0.0:3000";

const USAGE: &str = "\
A fake Rocket.Chat. Prints its address and credentials, then each message that
it stores, as lines of JSON. The inspection API is under /inspect/.

usage: fake-rocketchat [ADDRESS:PORT] [--administrator NAME]

  ADDRESS:PORT          where to listen, 0.0.0.0:3000 by default; port 0 is any
                        port
  --administrator NAME  also have an administrator of this name, and print its
                        user ID, personal access token and password; the name
                        must not be that of another account, such as alice
";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments
        .iter()
        .any(|argument| argument == "--help" || argument == "-h")
    {
        let printed = io::stdout().lock().write_all(USAGE.as_bytes());
        return printed.map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS);
    }
    let (address, administrator) = match parse(&arguments) {
        Ok(parsed) => parsed,
        Err(problem) => {
            print_error(&problem);
            return ExitCode::FAILURE;
        }
    };
    match serve(address, administrator).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            print_error(&format!("cannot serve on {address}: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// The address, and the administrator if there is one.
fn parse(arguments: &[String]) -> Result<(&str, Option<&str>), String> {
    let (mut address, mut administrator) = (ADDRESS, None);
    let mut arguments = arguments.iter().map(String::as_str);
    while let Some(argument) = arguments.next() {
        match argument {
            "--administrator" => {
                let name = arguments.next().filter(|name| is_name(name));
                let expected =
                    "expected a username after --administrator, such as root; see --help";
                administrator = Some(name.ok_or(expected)?);
            }
            unknown if unknown.starts_with('-') => {
                return Err(format!(
                    "expected ADDRESS:PORT or --administrator, found {unknown}; see --help"
                ));
            }
            other => address = other,
        }
    }
    Ok((address, administrator))
}

/// Whether an account can be created with this name.
fn is_name(name: &str) -> bool {
    let is_usual = |char: char| char.is_ascii_alphanumeric() || "._-".contains(char);
    !name.is_empty() && !name.starts_with('-') && name.chars().all(is_usual)
}

async fn serve(address: &str, administrator: Option<&str>) -> io::Result<()> {
    let mut terminated = signal(SignalKind::terminate())?;
    let chat = FakeRocketChat::builder()
        .bind(address)
        .deactivated(&["former"])
        .inspectable()
        .start()
        .await?;
    if administrator.is_some_and(|name| chat.roles_of(name).is_some()) {
        return Err(io::Error::other(
            "--administrator is the name of another account; choose another one, such as root",
        ));
    }
    print_line(&chat.announce(administrator))?;
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
