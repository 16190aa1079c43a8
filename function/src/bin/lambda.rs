//! The program for AWS Lambda, called `bootstrap` in the archive that is uploaded. Owns nothing;
//! see [`webhook_app::lambda`].

use std::process::ExitCode;

use webhook_app::{cli, lambda};

fn main() -> ExitCode {
    cli::with_config(lambda::serve)
}
