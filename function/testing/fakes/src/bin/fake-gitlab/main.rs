//! The fake GitLab as a program, for tests in a cluster: posts signed pushes, counts the responses and asks the fake
//! Rocket.Chat which messages it stored. `load` sends the deliveries, `stats` counts, `hold` fills the listener, `args` parses
//! the command line.

mod args;
mod hold;
mod load;
mod stats;

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use args::Args;
use tokio::net::TcpStream;
use tokio::signal::unix::{SignalKind, signal};

/// Enough for a DNS look-up and a connection. A network policy that drops packets never responds.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Args::from_arguments(std::env::args().skip(1))).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            print_error(&problem);
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Result<Args, String>) -> Result<(), String> {
    let result = match args? {
        Args::Help => print(args::USAGE),
        Args::Idle => idle().await,
        Args::Reach(addresses) => reach(&addresses).await,
        Args::Hold {
            address,
            clients,
            seconds,
        } => print(&format!(
            "opened {} connections",
            hold::hold(&address, clients, seconds).await
        )),
        Args::Curl { to, proof } => print(&load::push(proof).0.curl(&to)),
        Args::Send(load) => print(&load.run().await?.to_string()),
    };
    result.map_err(|error| error.to_string())
}

/// Waits for SIGTERM: keeps a pod running in which tests execute this program.
async fn idle() -> io::Result<()> {
    signal(SignalKind::terminate())?.recv().await;
    Ok(())
}

/// Prints one line per address: `open` or `closed`, and the address.
async fn reach(addresses: &[String]) -> io::Result<()> {
    for address in addresses {
        let connected = tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await;
        let state = if matches!(connected, Ok(Ok(_))) {
            "open"
        } else {
            "closed"
        };
        print(&format!("{state} {address}"))?;
    }
    Ok(())
}

fn print(line: &str) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{line}")
}

#[expect(clippy::print_stderr, reason = "a program prints its errors")]
fn print_error(problem: &str) {
    eprintln!("{problem}");
}
