//! The fake PagerDuty as a program, for test clusters: prints each event as one line of JSON. Listens on 0.0.0.0:8080 or on
//! the address given as the only argument. It is also the receiver of the dead man's switch, at `/heartbeat`.

use std::io::{self, Write};
use std::process::ExitCode;

use fakes::pagerduty::{FakePagerDuty, ROUTING_KEY};
use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};

const ADDRESS: &str = "0.0.0.0:8080";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let address = std::env::args().nth(1);
    let address = address.as_deref().unwrap_or(ADDRESS);
    match serve(address).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            print_error(&format!(
                "cannot serve on {address}: {error}; usage: fake-pagerduty [ADDRESS:PORT]"
            ));
            ExitCode::FAILURE
        }
    }
}

async fn serve(address: &str) -> io::Result<()> {
    let mut terminated = signal(SignalKind::terminate())?;
    let pagerduty = FakePagerDuty::start_on(address).await?;
    print_line(&json!({
        "listening": pagerduty.url(),
        "heartbeat": pagerduty.heartbeat_url(),
        "routing_key": ROUTING_KEY,
    }))?;
    let ended = tokio::select! {
        ended = print_events(&pagerduty) => ended,
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminated.recv() => Ok(()),
    };
    for violation in pagerduty.take_violations() {
        print_error(&violation);
    }
    ended
}

async fn print_events(pagerduty: &FakePagerDuty) -> io::Result<()> {
    loop {
        print_line(&pagerduty.next().await)?;
    }
}

fn print_line(line: &Value) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{line}")
}

#[expect(clippy::print_stderr, reason = "a program prints its errors")]
fn print_error(problem: &str) {
    eprintln!("{problem}");
}
