//! The program `webhook-app`, for Kubernetes, Knative and the command line. Owns only reading the
//! arguments; see [`webhook_app::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    webhook_app::cli::run(&arguments)
}
