//! The tools of the benchmark, each a command: `send` webhooks, answer as a quick `upstream`, and
//! measure a `cold` start, also of a `lambda`. Owns the command line; each prints one line of JSON. What is measured
//! when, and beside what, is the affair of `function/benches/run`.
//!
//! The upstream is not the strict stand-in of the tests: checking each call against Rocket.Chat's
//! schemas costs more than the function itself, and would be what is measured.

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
            complain(&error);
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

/// One thread: the machine's other core belongs to what is measured.
fn wait<T>(work: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| format!("could not start: {error}"))?;
    runtime.block_on(work)
}

#[expect(clippy::print_stderr, reason = "the program has no other way to tell")]
fn complain(text: &str) {
    eprintln!("load: {text}");
}
