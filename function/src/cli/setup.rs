//! `webhook-app setup`: creates the bot and the webhook, and sends a test message. Owns the arguments and the
//! end of a run. Which step comes next is decided in [`setup`](crate::setup).

use std::collections::BTreeMap;
use std::process::ExitCode;

use tokio::runtime::Builder;

use crate::config;
use crate::config::setup::{Administrator, SetupConfig};
use crate::exit::{USAGE, print_error};
use crate::gitlab_api::ProjectRef;
use crate::rocketchat::Username;
use crate::setup::{Output, Wishes};

mod chat;
mod driver;
mod failure;
mod gitlab;
mod keys;
mod questions;
mod report;
mod storage;

use driver::Driver;
use storage::Storage;

/// The arguments as given. Those that are missing are asked for on a terminal.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Request {
    project: Option<String>,
    to: Option<String>,
    bot: Option<String>,
    email: Option<String>,
    file: Option<String>,
    output: Output,
    allow_list: bool,
    renew_token: bool,
    dry_run: bool,
    /// Settings that are given as options, by their names.
    settings: BTreeMap<String, String>,
}

/// The options.
const OPTIONS: [&str; 12] = [
    "--project",
    "--to",
    "--bot",
    "--email",
    "--file",
    "--output",
    "--allow-list",
    "--renew-token",
    "--dry-run",
    "--gitlab-url",
    "--rocketchat-url",
    "--webhook-url",
];

impl Request {
    /// Parses the arguments after `setup`; an error says what was expected.
    pub(super) fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut request = Self::default();
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let (option, inline) = match argument.split_once('=') {
                Some((option, value)) => (option, Some(value.to_owned())),
                None => (argument.as_str(), None),
            };
            let switch = match option {
                "--allow-list" => Some(&mut request.allow_list),
                "--renew-token" => Some(&mut request.renew_token),
                "--dry-run" => Some(&mut request.dry_run),
                _ => None,
            };
            if let Some(switch) = switch {
                if inline.is_some() {
                    return Err(format!("expected no value after {option}, found one"));
                }
                *switch = true;
                continue;
            }
            if !OPTIONS.contains(&option) {
                let found = super::echo(argument);
                let advice = super::advice(argument, &OPTIONS).unwrap_or_default();
                return Err(format!(
                    "expected an option such as --project after setup, found {found}{advice}"
                ));
            }
            let value = inline.or_else(|| arguments.next().cloned());
            let value = value.filter(|value| !value.is_empty());
            let value =
                value.ok_or_else(|| format!("expected a value after {option}, found none"))?;
            request.set(option, value)?;
        }
        Ok(request)
    }

    fn set(&mut self, option: &str, value: String) -> Result<(), String> {
        let place = match option {
            "--project" => &mut self.project,
            "--to" => &mut self.to,
            "--bot" => &mut self.bot,
            "--email" => &mut self.email,
            "--file" => &mut self.file,
            "--output" => {
                self.output = match value.as_str() {
                    "env" => Output::Env,
                    "secret" => Output::Secret,
                    "overlay" => Output::Overlay,
                    _ => return Err("expected env, secret or overlay after --output".to_owned()),
                };
                return Ok(());
            }
            _ => {
                let name = option.trim_start_matches('-').replace('-', "_");
                self.settings.insert(name.to_ascii_uppercase(), value);
                return Ok(());
            }
        };
        if place.is_some() {
            return Err(format!("expected {option} once, found it twice"));
        }
        *place = Some(value);
        Ok(())
    }

    fn wishes(&self, administrator: Option<&Administrator>) -> Result<Wishes, String> {
        let name = |option: &str, text: &str| {
            Username::parse(text).map_err(|error| format!("{option}: {error}"))
        };
        let project = self.project.as_deref();
        let project =
            project.ok_or("expected --project, such as --project group/app, found none")?;
        let project = ProjectRef::parse(project)
            .ok_or("expected a path such as group/app, or an ID, after --project")?;
        let bot = name("--bot", self.bot.as_deref().unwrap_or("gitlab"))?;
        let email = self.email.clone();
        // Who signs in with a name need not be asked for it.
        let own = match administrator {
            Some(Administrator::Password(own)) if !own.username.contains('@') => {
                Some(own.username.as_str())
            }
            _ => None,
        };
        let to = self.to.as_deref().or(own);
        if to.is_none() && administrator.is_none() {
            return Err("expected --to, such as --to alice, because no administrator is given, who would get the test message".to_owned());
        }
        Ok(Wishes {
            to: to.map(|to| name("--to", to)).transpose()?,
            // The domain never exists, so nothing is ever sent to it.
            email: email.unwrap_or_else(|| format!("{}@webhook-app.invalid", bot.as_str())),
            project,
            bot,
            allow_list: self.allow_list,
            renew_token: self.renew_token,
            dry_run: self.dry_run,
        })
    }
}

/// Runs the command.
pub(super) fn run(mut request: Request) -> ExitCode {
    let path = request.file.clone();
    let path = path.unwrap_or_else(|| "secret.env".to_owned());
    let storage = Storage::new(path, request.output);
    let stored = match storage.read() {
        Ok(stored) => stored,
        Err(error) => return failed(&error),
    };
    let needs_administrator = stored.auth_token.is_none() || request.renew_token;
    let mut variables = config::environment();
    variables.append(&mut request.settings);
    if let Err(error) = questions::ask(&mut request, &mut variables, needs_administrator) {
        return failed(&error);
    }
    let config = SetupConfig::load(&variables, &super::read_file, needs_administrator);
    let config = match config {
        Ok((config, warnings)) => {
            for warning in warnings {
                print_error(&format!("warning: {warning}\n"));
            }
            config
        }
        Err(errors) => return super::print_config_errors(&errors),
    };
    let wishes = match request.wishes(config.administrator.as_ref()) {
        Ok(wishes) => wishes,
        Err(error) => {
            print_error(&format!("{error}\n"));
            return ExitCode::from(USAGE);
        }
    };
    let Ok(runtime) = Builder::new_current_thread().enable_all().build() else {
        return failed("failed to start the async runtime");
    };
    let mut driver = match Driver::new(&config, &wishes, storage, stored) {
        Ok(driver) => driver,
        Err(error) => return failed(&error),
    };
    match runtime.block_on(driver.run()) {
        Ok(()) => driver.finish(),
        Err(error) => driver.fail(&error),
    }
}

fn failed(error: &str) -> ExitCode {
    print_error(&format!("{error}\n"));
    ExitCode::FAILURE
}
