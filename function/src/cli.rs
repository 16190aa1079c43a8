//! The command line: its arguments, its help texts, and the commands other than `serve`. Owns which
//! command the arguments mean, and the errors in them; serving is in `server`.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::process::ExitCode;

use crate::config::gitlab::{self, GitLabConfig};
use crate::config::{self, Config, ConfigErrors, misspelling};
use crate::exit::{USAGE, print_error};
use crate::server;
use crate::suggestion;

mod check;
mod dead_letters;
mod help;
mod hooks;
mod printable;
mod reconcile;
mod render;
mod setup;

use help::Topic;
use printable::printable;

/// The commands.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Command {
    Serve,
    Check { send: bool },
    Render(render::Request),
    DeadLetters(dead_letters::Request),
    Hooks(hooks::Request),
    Reconcile(crate::reconcile::Run),
    Setup(setup::Request),
    Help(Topic),
    Version,
}

/// The names of the commands.
const COMMANDS: [&str; 9] = [
    "serve",
    "check",
    "render",
    "dead-letters",
    "hooks",
    "reconcile",
    "setup",
    "help",
    "version",
];

/// Commands of other programs, and what does the same here.
const OTHER_COMMANDS: &[(&str, &str)] = &[
    ("start", "serve"),
    ("run", "serve"),
    ("listen", "serve"),
    ("up", "serve"),
    ("daemon", "serve"),
    ("test", "check"),
    ("validate", "check"),
    ("verify", "check"),
    ("doctor", "check"),
    ("send", "check --send"),
    ("preview", "render"),
    ("print", "render"),
    ("show", "render"),
    ("dry-run", "render"),
    ("explain", "render --explain"),
    ("kind", "render --kind"),
    ("init", "setup"),
    ("install", "setup"),
    ("connect", "setup"),
    ("usage", "help"),
    ("webhooks", "hooks"),
    ("plan", "hooks plan"),
    ("apply", "hooks apply"),
    ("register", "hooks apply"),
    ("status", "hooks status"),
];

impl Command {
    /// Parses the arguments; an error says what was expected and found.
    fn parse(arguments: &[String]) -> Result<Self, String> {
        let Some((command, rest)) = arguments.split_first() else {
            return Ok(Self::Serve);
        };
        let is_help = |option: &String| matches!(option.as_str(), "--help" | "-h");
        match (command.as_str(), rest) {
            ("help" | "--help" | "-h", []) => Ok(Self::Help(Topic::Program)),
            ("help" | "--help" | "-h", [topic]) => topic_of(topic).map(Self::Help),
            (_, rest) if rest.iter().any(is_help) => topic_of(command).map(Self::Help),
            ("serve", []) => Ok(Self::Serve),
            ("check", []) => Ok(Self::Check { send: false }),
            ("check", [option]) if option == "--send" => Ok(Self::Check { send: true }),
            ("render", options) => render::Request::parse(options).map(Self::Render),
            ("dead-letters", words) => dead_letters::Request::parse(words).map(Self::DeadLetters),
            ("setup", options) => setup::Request::parse(options).map(Self::Setup),
            ("hooks", words) => hooks::Request::parse(words).map(Self::Hooks),
            ("reconcile", words) => reconcile::parse(words).map(Self::Reconcile),
            ("version" | "--version" | "-V", []) => Ok(Self::Version),
            ("check", [found, ..]) => Err(format!(
                "expected --send or no argument after check, found {}{}",
                echo(found),
                advice(found, &["--send"]).unwrap_or_else(general_advice)
            )),
            ("serve", [found, ..]) => Err(format!(
                "expected no arguments after serve, found {}{}",
                echo(found),
                advice(found, &[]).unwrap_or_else(general_advice)
            )),
            ("help" | "--help" | "-h" | "version" | "--version" | "-V", [.., found]) => Err(
                format!("expected no other argument with {command}, found {found:?}"),
            ),
            _ => Err(unknown(command)),
        }
    }
}

fn topic_of(command: &str) -> Result<Topic, String> {
    match command {
        "serve" => Ok(Topic::Serve),
        "check" => Ok(Topic::Check),
        "render" => Ok(Topic::Render),
        "dead-letters" => Ok(Topic::DeadLetters),
        "hooks" => Ok(Topic::Hooks),
        "reconcile" => Ok(Topic::Reconcile),
        "setup" => Ok(Topic::Setup),
        "help" | "version" | "--help" | "-h" | "--version" | "-V" => Ok(Topic::Program),
        unknown_command => Err(unknown(unknown_command)),
    }
}

/// The error for a word that is no command.
fn unknown(word: &str) -> String {
    let own = COMMANDS.into_iter().map(|command| (command, command));
    let others = OTHER_COMMANDS.iter().copied();
    let command = suggestion::nearest(word.trim_start_matches('-'), own.chain(others));
    let advice = match command {
        Some(command) => format!("; did you mean {command}?"),
        None => advice(word, &[]).unwrap_or_else(|| "; see --help".to_owned()),
    };
    let found = echo(word);
    format!(
        "expected no argument or one of serve, check, render, dead-letters, hooks, reconcile, setup, help and version, found {found}{advice}"
    )
}

/// What was probably meant by a wrong argument: one of the options of its command, or a setting.
fn advice(argument: &str, options: &[&str]) -> Option<String> {
    let option = suggestion::nearest(argument, options.iter().map(|option| (*option, *option)));
    if let Some(option) = option {
        return Some(format!("; did you mean {option}?"));
    }
    let name = argument.split('=').next().unwrap_or_default();
    let is_option = argument.starts_with("--") || argument.contains('=');
    let name = name.trim_start_matches('-').replace('-', "_");
    let setting = is_option.then(|| misspelling::similar(&name.to_ascii_uppercase()));
    setting
        .flatten()
        .map(|setting| format!("; did you mean the environment variable {setting}?"))
}

fn general_advice() -> String {
    "; settings are environment variables, see --help".to_owned()
}

/// A wrong argument for an error. What follows an equals sign may be a secret.
fn echo(argument: &str) -> String {
    format!("{:?}", argument.split('=').next().unwrap_or_default())
}

/// Runs the command that the arguments, without the program name, contain.
pub fn run(arguments: &[String]) -> ExitCode {
    match Command::parse(arguments) {
        Ok(Command::Serve) => with_config(server::serve),
        Ok(Command::Check { send }) => {
            let variables = config::environment();
            loaded(&variables, |config, warnings| {
                let gitlab = GitLabConfig::load_if_given(&variables, &read_file);
                check::run(&config, &warnings, gitlab, send)
            })
        }
        Ok(Command::Render(request)) => render::run(&request),
        Ok(Command::DeadLetters(request)) => loaded(&config::environment(), |config, _| {
            dead_letters::run(config, &request)
        }),
        Ok(Command::Hooks(request)) => hooks::run(request),
        Ok(Command::Reconcile(run)) => reconcile::run(run),
        Ok(Command::Setup(request)) => setup::run(request),
        Ok(Command::Help(topic)) => print(&help::text(topic)),
        Ok(Command::Version) => print(concat!("webhook-app ", env!("CARGO_PKG_VERSION"), "\n")),
        Err(error) => {
            print_error(&format!("{error}\n"));
            ExitCode::from(USAGE)
        }
    }
}

/// Receives webhooks with `serve` and the settings from the environment, or prints every error in them.
pub fn with_config(serve: impl FnOnce(Config, &[String]) -> ExitCode) -> ExitCode {
    let variables = config::environment();
    let misplaced = gitlab::misplaced_token(&variables);
    loaded(&variables, |config, mut warnings| {
        warnings.extend(misplaced);
        serve(config, &warnings)
    })
}

/// Runs `command` with the settings, or prints every error in them.
fn loaded(
    variables: &BTreeMap<String, String>,
    command: impl FnOnce(Config, Vec<String>) -> ExitCode,
) -> ExitCode {
    match Config::load(variables, &read_file) {
        Ok((config, warnings)) => command(config, warnings),
        Err(errors) => print_config_errors(&errors),
    }
}

fn read_file(path: &str) -> io::Result<String> {
    std::fs::read_to_string(path)
}

/// Prints every error in the settings.
fn print_config_errors(errors: &ConfigErrors) -> ExitCode {
    let count = |count: usize, what: &str| match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    };
    let mut counts = count(errors.errors.len(), "error");
    if !errors.warnings.is_empty() {
        let warnings = count(errors.warnings.len(), "warning");
        counts = format!("{counts}, {warnings}");
    }
    print_error(&format!(
        "invalid configuration: {counts}\n{errors}\nsee webhook-app --help for all settings\n"
    ));
    ExitCode::from(USAGE)
}

/// Prints to standard output; a closed pipe is not an error.
fn print(text: &str) -> ExitCode {
    let _ = io::stdout().lock().write_all(text.as_bytes());
    ExitCode::SUCCESS
}
