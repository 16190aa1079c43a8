//! The fake broker as a program, for test clusters: prints its address, then the attributes of each event that it stores, as
//! lines of JSON. Listens on 0.0.0.0:8080 or on the address given as the only argument. It is the receiver of dead letters.

use std::io::{self, Write};
use std::process::ExitCode;

use fakes::broker::{Event, FakeBroker};
use serde_json::{Map, Value, json};
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
                "cannot serve on {address}: {error}; usage: fake-broker [ADDRESS:PORT]"
            ));
            ExitCode::FAILURE
        }
    }
}

async fn serve(address: &str) -> io::Result<()> {
    let mut terminated = signal(SignalKind::terminate())?;
    let broker = FakeBroker::start_on(address).await?;
    print_line(&json!({ "listening": broker.url() }))?;
    tokio::select! {
        ended = print_events(&broker) => ended,
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminated.recv() => Ok(()),
    }
}

async fn print_events(broker: &FakeBroker) -> io::Result<()> {
    loop {
        print_line(&attributes(&broker.next().await))?;
    }
}

fn print_line(line: &Value) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{line}")
}

fn attributes(event: &Event) -> Value {
    let attributes = event.attributes.iter();
    let attributes = attributes.map(|(name, value)| (name.clone(), Value::from(value.as_str())));
    Value::Object(attributes.collect::<Map<_, _>>())
}

#[expect(clippy::print_stderr, reason = "a program prints its errors")]
fn print_error(problem: &str) {
    eprintln!("{problem}");
}
