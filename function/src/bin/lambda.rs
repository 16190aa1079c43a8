//! The program for AWS Lambda, named `bootstrap` in the archive that is uploaded. Owns only the start;
//! see [`webhook_app::lambda`].

use std::process::ExitCode;

use webhook_app::{cli, lambda};

fn main() -> ExitCode {
    cli::with_config(lambda::serve)
}
