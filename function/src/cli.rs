//! The command line: its words, its help, and the two commands that a person runs by hand. Owns
//! what is printed for people; serving is [`server`]'s business.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::process::ExitCode;

use crate::config::catalogue::SETTINGS;
use crate::config::{self, Config, ConfigErrors};
use crate::exit::{USAGE, print_error};
use crate::server;

pub mod check;
mod render;

/// What can be asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Command {
    Serve,
    Check,
    Render(render::Request),
    Help,
    Version,
}

impl Command {
    /// Reads the arguments, or says what is wrong with them.
    fn parse(arguments: &[String]) -> Result<Self, String> {
        let Some((word, rest)) = arguments.split_first() else {
            return Ok(Self::Serve);
        };
        if rest
            .iter()
            .any(|option| matches!(option.as_str(), "--help" | "-h"))
        {
            return Ok(Self::Help);
        }
        match (word.as_str(), rest) {
            ("serve", []) => Ok(Self::Serve),
            ("check", []) => Ok(Self::Check),
            ("render", options) => render::Request::parse(options).map(Self::Render),
            ("help" | "--help" | "-h", []) => Ok(Self::Help),
            ("version" | "--version" | "-V", []) => Ok(Self::Version),
            ("serve" | "check", _) => Err(format!(
                "expected nothing after {word}; its settings come from the environment, see --help"
            )),
            _ => Err(
                "expected no argument or one of serve, check, render, --help, --version".to_owned(),
            ),
        }
    }
}

/// Does what the arguments, without the program's own name, ask for.
pub fn run(arguments: &[String]) -> ExitCode {
    match Command::parse(arguments) {
        Ok(Command::Serve) => with_config(server::serve),
        Ok(Command::Check) => with_config(|config, warnings| check::run(&config, warnings)),
        Ok(Command::Render(request)) => render::run(&request),
        Ok(Command::Help) => say(&help()),
        Ok(Command::Version) => say(concat!("webhook-app ", env!("CARGO_PKG_VERSION"), "\n")),
        Err(mistake) => {
            print_error(&format!("{mistake}\n"));
            ExitCode::from(USAGE)
        }
    }
}

/// Runs `command` with the settings of the environment, or prints every mistake in them.
pub fn with_config(command: impl FnOnce(Config, &[String]) -> ExitCode) -> ExitCode {
    match Config::load(&config::environment(), &|path| {
        std::fs::read_to_string(path)
    }) {
        Ok((config, warnings)) => command(config, &warnings),
        Err(errors) => print_config_errors(errors),
    }
}

/// Prints every mistake in the settings.
fn print_config_errors(ConfigErrors(mistakes): ConfigErrors) -> ExitCode {
    let count = match mistakes.len() {
        1 => "is a mistake".to_owned(),
        count => format!("are {count} mistakes"),
    };
    let list = ConfigErrors(mistakes);
    print_error(&format!(
        "there {count} in the configuration\n{list}\nsee webhook-app --help for all settings\n"
    ));
    ExitCode::from(USAGE)
}

fn help() -> String {
    let mut text = String::from(
        "Receives GitLab webhooks and sends the commit SHA to a Rocket.Chat user as a direct message.

Usage: webhook-app [COMMAND]

Commands:
  serve      Receive webhooks until SIGTERM; the default
  check      Try the configuration: sign in to Rocket.Chat, look for roles and recipient
  render     Print the message for the body of a webhook; sends nothing
             FILE         Take the body from a file instead of the standard input
             --kind KIND  Take a sample of ours, such as push or pipeline
             --explain    Say also which rules of ROUTES were asked and who hears of it
  --help     Print this
  --version  Print the version

Settings, from the environment; NAME_FILE names a file that holds the value:
",
    );
    for setting in SETTINGS {
        let meaning = setting.meaning.replace('`', "");
        let default = setting.default.replace('`', "");
        let _ = writeln!(text, "  {:31}{meaning} [{default}]", setting.name);
    }
    text
}

/// Prints for the person who asked; a reader that has gone away is no failure.
fn say(text: &str) -> ExitCode {
    let _ = io::stdout().lock().write_all(text.as_bytes());
    ExitCode::SUCCESS
}
