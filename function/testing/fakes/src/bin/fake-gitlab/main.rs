//! GitLab's stand-in as a program, for tests inside a cluster: posts signed pushes, counts the answers and asks the chat
//! stand-in what has arrived. How deliveries are sent is in `volley`, what is counted in `tally`, the command line in `orders`.

mod args;
mod load;
mod stats;

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use args::Args;
use tokio::net::TcpStream;
use tokio::signal::unix::{SignalKind, signal};

/// Long enough for a name to be resolved and a connection to be made; a policy that drops packets is silent for ever.
const REACH_LIMIT: Duration = Duration::from_secs(3);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match follow(Args::from_arguments(std::env::args().skip(1))).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            complain(&problem);
            ExitCode::FAILURE
        }
    }
}

async fn follow(orders: Result<Args, String>) -> Result<(), String> {
    let done = match orders? {
        Args::Idle => idle().await,
        Args::Reach(addresses) => reach(&addresses).await,
        Args::Curl { to, proof } => print(&load::push(proof).0.curl(&to)),
        Args::Send(volley) => print(&volley.fire().await?.to_string()),
    };
    done.map_err(|error| error.to_string())
}

/// Until the pod is told to go; the tests run this program in it again and again.
async fn idle() -> io::Result<()> {
    signal(SignalKind::terminate())?.recv().await;
    Ok(())
}

/// One line for each address: `open` or `closed`, and the address.
async fn reach(addresses: &[String]) -> io::Result<()> {
    for address in addresses {
        let connected = tokio::time::timeout(REACH_LIMIT, TcpStream::connect(address)).await;
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

#[expect(clippy::print_stderr, reason = "the program has no other way to tell")]
fn complain(problem: &str) {
    eprintln!("{problem}");
}
