//! The server's program: for Kubernetes, for Knative and for a terminal. Owns nothing but its
//! arguments; see [`webhook_app::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    webhook_app::cli::run(&arguments)
}
