//! The fake GitLab with its REST API as a program, for clients in other languages and for test clusters: prints its address and
//! tokens as one line of JSON. Listens on 0.0.0.0:8929 or on the given address. The inspection API is under `/inspect/`.

use std::io::{self, Write};
use std::process::ExitCode;

use fakes::gitlab::{Builder, FakeGitLab};
use tokio::signal::unix::{SignalKind, signal};

const ADDRESS: &str = "0.0.0.0:8929";

const USAGE: &str = "\
A fake GitLab: projects, webhooks and their event logs, by the REST API. Prints
its address and tokens as a line of JSON.

usage: fake-gitlab-api [ADDRESS:PORT] [OPTION]…

  ADDRESS:PORT   where to listen, 0.0.0.0:8929 by default; port 0 is any port
  --version V    the version of GitLab, 19.3.0 by default; signing tokens are
                 ignored before 19
  --requests N   how many requests a user may make in a minute; no limit by
                 default

inspection API, for tests:

  GET    /inspect/requests   all requests so far; DELETE forgets them
  POST   /inspect/clock      {\"advance_seconds\": 60} moves the clock
  POST   /inspect/happen     {\"project\": \"acme/rocket\", \"body\": {…},
                             \"trigger\": \"push_events\"} lets something happen,
                             lists it and sends it to the hooks
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
    let served = match builder(&arguments) {
        Ok(builder) => serve(builder).await.map_err(|error| error.to_string()),
        Err(problem) => Err(problem),
    };
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            print_error(&problem);
            ExitCode::FAILURE
        }
    }
}

fn builder(arguments: &[String]) -> Result<Builder, String> {
    let mut builder = FakeGitLab::builder().inspectable().bind(ADDRESS);
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let mut value = || {
            let value = arguments.next();
            value.ok_or_else(|| format!("expected a value after {argument}; see --help"))
        };
        builder = match argument.as_str() {
            "--version" => builder.version(value()?),
            "--requests" => {
                let text = value()?;
                let number = text.parse().map_err(|_| {
                    format!("--requests: expected a number, such as 60, found {text}")
                })?;
                builder.requests_a_minute(number)
            }
            unknown if unknown.starts_with('-') => {
                return Err(format!(
                    "expected ADDRESS:PORT or an option, found {unknown}; see --help"
                ));
            }
            address => builder.bind(address),
        };
    }
    Ok(builder)
}

async fn serve(builder: Builder) -> io::Result<()> {
    let mut terminated = signal(SignalKind::terminate())?;
    let gitlab = builder.start().await?;
    writeln!(io::stdout().lock(), "{}", gitlab.announce())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminated.recv() => Ok(()),
    }
}

#[expect(clippy::print_stderr, reason = "a program prints its errors")]
fn print_error(problem: &str) {
    eprintln!("{problem}");
}
