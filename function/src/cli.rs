//! The command line: its words, its help, and the two commands that a person runs by hand. Owns
//! what is printed for people; serving is [`process`]'s business.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::process::ExitCode;

use crate::config::names::SETTINGS;
use crate::config::{self, Config, ConfigErrors};
use crate::process;

pub mod check;
mod render;

/// Mistakes in the command or the configuration, as sysexits.h has it.
pub(crate) const USAGE: u8 = 64;

/// What can be asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Command {
    Serve,
    Check,
    Render(render::Request),
    Help,
    Version,
}

impl Command {
    fn parse(arguments: &[String]) -> Option<Self> {
        match arguments {
            [] => Some(Self::Serve),
            [word] if word != "render" => match word.as_str() {
                "serve" => Some(Self::Serve),
                "check" => Some(Self::Check),
                "help" | "--help" | "-h" => Some(Self::Help),
                "version" | "--version" | "-V" => Some(Self::Version),
                _ => None,
            },
            [word, options @ ..] if word == "render" => {
                render::Request::parse(options).map(Self::Render)
            }
            _ => None,
        }
    }
}

/// Does what the arguments, without the program's own name, ask for.
pub fn run(arguments: &[String]) -> ExitCode {
    match Command::parse(arguments) {
        Some(Command::Serve) => with_config(process::serve),
        Some(Command::Check) => with_config(|config, warnings| check::run(&config, warnings)),
        Some(Command::Render(request)) => render::run(request),
        Some(Command::Help) => say(&help()),
        Some(Command::Version) => say(concat!("webhook-app ", env!("CARGO_PKG_VERSION"), "\n")),
        None => {
            complain("expected no argument or one of serve, check, render, --help, --version\n");
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
        Err(errors) => complain_of(errors),
    }
}

/// Prints every mistake in the settings.
fn complain_of(ConfigErrors(mistakes): ConfigErrors) -> ExitCode {
    let count = match mistakes.len() {
        1 => "is a mistake".to_owned(),
        count => format!("are {count} mistakes"),
    };
    let list = ConfigErrors(mistakes);
    complain(&format!(
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
  render     Print the message for a webhook's body: webhook-app render < payload.json
             --kind KIND  Take the sample of a kind instead of a body
             --explain    Say which rules were asked and who hears of it
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

/// Prints what went wrong.
pub(crate) fn complain(text: &str) {
    let _ = write!(io::stderr().lock(), "webhook-app: {text}");
}
