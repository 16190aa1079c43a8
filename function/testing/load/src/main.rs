//! The tools of the benchmark: `send` generates load, `upstream` is a fast fake of Rocket.Chat, `cold` and
//! `lambda` measure start-up. Owns the command line; each command prints one line of JSON.
//! `function/benches/run` decides what is measured and compared.
//!
//! The upstream is not the strict fake of the tests, because validating each call against Rocket.Chat's
//! schemas costs more CPU time than webhook-app and would dominate the measurement.

mod cold;
mod deliveries;
mod lambda;
mod message;
mod options;
mod send;
mod upstream;

use std::io::{self, Write as _};
use std::process::ExitCode;

use options::Options;
use serde_json::Value;

fn main() -> ExitCode {
    match run() {
        Ok(result) => {
            let written = writeln!(io::stdout().lock(), "{result}");
            written.map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS)
        }
        Err(error) => {
            print_error(&error);
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<Value, String> {
    let mut words = std::env::args().skip(1);
    let command = words.next().unwrap_or_default();
    let options = Options::parse(words)?;
    match command.as_str() {
        "send" => wait(send::run(&options)),
        "upstream" => wait(upstream::run(&options)),
        "cold" => cold::run(&options),
        "lambda" => lambda::run(&options),
        other => Err(format!(
            "expected send, upstream, cold or lambda, found {other:?}"
        )),
    }
}

/// Runs on one thread, because the other core of the machine is for the measured program.
fn wait<T>(work: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| format!("could not start: {error}"))?;
    runtime.block_on(work)
}

#[expect(clippy::print_stderr, reason = "a program prints its errors")]
fn print_error(text: &str) {
    eprintln!("load: {text}");
}
