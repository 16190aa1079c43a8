//! The command line: its arguments, its help text, and the commands `check` and `render`. Owns what is
//! printed to a terminal; serving is in `server`.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::process::ExitCode;

use crate::config::catalogue::SETTINGS;
use crate::config::{self, Config, ConfigErrors};
use crate::exit::{USAGE, print_error};
use crate::server;

mod check;
mod render;

/// The commands.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Command {
    Serve,
    Check { send: bool },
    Render(render::Request),
    Help,
    Version,
}

impl Command {
    /// Parses the arguments; an error says what was expected.
    fn parse(arguments: &[String]) -> Result<Self, String> {
        let Some((command, rest)) = arguments.split_first() else {
            return Ok(Self::Serve);
        };
        if rest
            .iter()
            .any(|option| matches!(option.as_str(), "--help" | "-h"))
        {
            return Ok(Self::Help);
        }
        match (command.as_str(), rest) {
            ("serve", []) => Ok(Self::Serve),
            ("check", []) => Ok(Self::Check { send: false }),
            ("check", [option]) if option == "--send" => Ok(Self::Check { send: true }),
            ("render", options) => render::Request::parse(options).map(Self::Render),
            ("help" | "--help" | "-h", []) => Ok(Self::Help),
            ("version" | "--version" | "-V", []) => Ok(Self::Version),
            ("check", _) => Err(
                "expected --send or no argument after check; settings are environment variables, see --help"
                    .to_owned(),
            ),
            ("serve", _) => Err(format!(
                "expected no arguments after {command}; settings are environment variables, see --help"
            )),
            _ => Err(
                "expected no argument or one of serve, check, render, --help and --version"
                    .to_owned(),
            ),
        }
    }
}

/// Runs the command that the arguments, without the program name, contain.
pub fn run(arguments: &[String]) -> ExitCode {
    match Command::parse(arguments) {
        Ok(Command::Serve) => with_config(server::serve),
        Ok(Command::Check { send }) => {
            with_config(|config, warnings| check::run(&config, warnings, send))
        }
        Ok(Command::Render(request)) => render::run(&request),
        Ok(Command::Help) => print(&help()),
        Ok(Command::Version) => print(concat!("webhook-app ", env!("CARGO_PKG_VERSION"), "\n")),
        Err(error) => {
            print_error(&format!("{error}\n"));
            ExitCode::from(USAGE)
        }
    }
}

/// Runs `command` with the settings from the environment, or prints every error in them.
pub fn with_config(command: impl FnOnce(Config, &[String]) -> ExitCode) -> ExitCode {
    match Config::load(&config::environment(), &|path| {
        std::fs::read_to_string(path)
    }) {
        Ok((config, warnings)) => command(config, &warnings),
        Err(errors) => print_config_errors(&errors),
    }
}

/// Prints every error in the settings.
fn print_config_errors(errors: &ConfigErrors) -> ExitCode {
    let count = match errors.0.len() {
        1 => "1 error".to_owned(),
        count => format!("{count} errors"),
    };
    print_error(&format!(
        "invalid configuration: {count}\n{errors}\nsee webhook-app --help for all settings\n"
    ));
    ExitCode::from(USAGE)
}

fn help() -> String {
    let mut text = String::from(
        "Receives GitLab webhooks and sends messages to Rocket.Chat, to users directly or to rooms.

Usage: webhook-app [COMMAND]

Commands:
  serve      Receive webhooks until SIGTERM (default)
  check      Check the configuration: sign in to Rocket.Chat, look up roles and recipients
             --send       Also send a message to each recipient and read it back
  render     Print the message for the body of a webhook without sending it
             FILE         Read the body from a file instead of standard input
             --kind KIND  Use an example of a kind of event, such as push or pipeline
             --explain    Also print the evaluated routing rules and the recipients
  --help     Print this help
  --version  Print the version

Settings are environment variables; NAME_FILE is the path of a file with the value:
",
    );
    for setting in SETTINGS {
        let meaning = setting.meaning.replace('`', "");
        let default = setting.default.replace('`', "");
        let _ = writeln!(text, "  {:31}{meaning} [{default}]", setting.name);
    }
    text
}

/// Prints to standard output; a closed pipe is not an error.
fn print(text: &str) -> ExitCode {
    let _ = io::stdout().lock().write_all(text.as_bytes());
    ExitCode::SUCCESS
}
