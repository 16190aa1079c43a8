//! `webhook-app hooks`: compares the declared webhooks with those in GitLab, and creates or changes them. Owns
//! the arguments, the order of the calls and the exit code. What is written is decided in
//! [`hooks`](crate::hooks).

use std::io::{self, IsTerminal as _};
use std::process::ExitCode;

use tokio::runtime::Builder;

use crate::config;
use crate::config::gitlab::{GitLabConfig, Secrets};
use crate::exit::print_error;
use crate::gitlab_api::{ApiError, Client, HookSecret};
use crate::hook_changes::{self, Done};
use crate::hook_lookup::{Lookup, look_up};
use crate::hooks::{Terms, plan};

mod lines;
mod status;
mod table;

use lines::{Line, Lines};

/// The exit code of `plan` if something is to do.
const TO_DO: u8 = 2;

/// What to do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Request {
    /// Say what differs.
    Plan { renew_secrets: bool },
    /// Change what differs.
    Apply { renew_secrets: bool },
    /// Print a table.
    Status,
}

impl Request {
    /// Parses the arguments after `hooks`; an error says what was expected.
    pub(super) fn parse(arguments: &[String]) -> Result<Self, String> {
        let words: Vec<_> = arguments.iter().map(String::as_str).collect();
        match words[..] {
            ["status"] => Ok(Self::Status),
            ["status", found, ..] => Err(format!(
                "expected nothing after hooks status, found {}",
                super::echo(found)
            )),
            [command @ ("plan" | "apply"), ref options @ ..] => {
                let renew_secrets = match options {
                    [] => false,
                    ["--renew-secrets"] => true,
                    ["--renew-secrets", found, ..] | [found, ..] => {
                        return Err(format!(
                            "expected --renew-secrets or nothing after hooks {command}, found {}",
                            super::echo(found)
                        ));
                    }
                };
                Ok(match command {
                    "plan" => Self::Plan { renew_secrets },
                    _ => Self::Apply { renew_secrets },
                })
            }
            [] => Err("expected plan, apply or status after hooks, found nothing".to_owned()),
            [found, ..] => Err(format!(
                "expected plan, apply or status after hooks, found {}{}",
                super::echo(found),
                super::advice(found, &["plan", "apply", "status"]).unwrap_or_default()
            )),
        }
    }
}

/// Runs the command.
pub(super) fn run(request: Request) -> ExitCode {
    let secrets = match request {
        Request::Plan { .. } | Request::Apply { .. } => Secrets::Required,
        Request::Status => Secrets::Optional,
    };
    let config = match GitLabConfig::load(&config::environment(), &super::read_file, secrets) {
        Ok((config, warnings)) => {
            for warning in warnings {
                print_error(&format!("warning: {warning}\n"));
            }
            config
        }
        Err(errors) => return super::print_config_errors(&errors),
    };
    let Ok(runtime) = Builder::new_current_thread().enable_all().build() else {
        return failed("failed to start the async runtime");
    };
    let client = match Client::new(&config.server) {
        Ok(client) => client,
        Err(error) => return failed(&error.to_string()),
    };
    let done = runtime.block_on(async {
        match request {
            Request::Plan { renew_secrets } => {
                compare(&config, &client, renew_secrets, false).await
            }
            Request::Apply { renew_secrets } => {
                compare(&config, &client, renew_secrets, true).await
            }
            Request::Status => status::table(&config, &client).await,
        }
    });
    match done {
        Ok((text, code)) => {
            let _ = super::print(&super::printable(&text));
            ExitCode::from(code)
        }
        Err(error) => failed(&error),
    }
}

fn failed(error: &str) -> ExitCode {
    print_error(&super::printable(&format!("{error}\n")));
    ExitCode::FAILURE
}

/// Says what differs, and changes it if `apply`. Returns the output and the exit code.
async fn compare(
    config: &GitLabConfig,
    client: &Client,
    renew: bool,
    apply: bool,
) -> Result<(String, u8), String> {
    let secret = secret(config, client).await?;
    let terms = Terms {
        secret: secret.as_ref(),
        renew,
    };
    let lookups = look_up(client, &config.hooks).await;
    let lookups = lookups.map_err(|error| error.to_string())?;
    let mut lines = Lines::new(apply);
    for lookup in lookups {
        line(client, &lookup, terms, apply, &mut lines).await;
    }
    let text = lines.text(io::stdout().is_terminal());
    let code = match lines {
        _ if lines.has_failures() => 1,
        _ if !apply && lines.has_changes() => TO_DO,
        _ => 0,
    };
    Ok((text, code))
}

/// The secret of webhooks of this GitLab.
async fn secret(config: &GitLabConfig, client: &Client) -> Result<Option<HookSecret>, String> {
    let version = client.version().await;
    let version = version.map_err(|error: ApiError| error.to_string())?;
    let secret = config.secrets.choose(&version);
    secret.map_err(|error| error.to_string())
}

async fn line(client: &Client, lookup: &Lookup, terms: Terms<'_>, apply: bool, lines: &mut Lines) {
    let found = match &lookup.found {
        Ok(found) => found,
        Err(error) => return lines.push(&lookup.place, Line::Failed(error.to_string())),
    };
    let plan = plan(found.owner, &lookup.declared, &found.hooks, terms);
    let done = if apply {
        hook_changes::apply(client, found.owner, &lookup.declared, &plan, terms).await
    } else {
        Ok(Done::AsPlanned)
    };
    match done {
        Ok(Done::AsPlanned) => lines.push(&lookup.place, Line::of(&plan)),
        Ok(Done::CreatedByAnother(hook)) => {
            lines.push(&lookup.place, Line::Keep);
            let note = format!(
                "another run created webhook {hook} at the same time; that of this run was removed again"
            );
            lines.push(&lookup.place, Line::Note(note));
        }
        Err(error) => lines.push(&lookup.place, Line::Failed(error.to_string())),
    }
    for note in &plan.notes {
        lines.push(&lookup.place, Line::Note(note.to_string()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &str) -> Result<Request, String> {
        let words: Vec<_> = words.split_whitespace().map(str::to_owned).collect();
        Request::parse(&words)
    }

    #[test]
    fn each_command_has_its_words() {
        let plan = |renew_secrets| Ok(Request::Plan { renew_secrets });
        let apply = |renew_secrets| Ok(Request::Apply { renew_secrets });
        assert_eq!(parse("plan"), plan(false));
        assert_eq!(parse("plan --renew-secrets"), plan(true));
        assert_eq!(parse("apply"), apply(false));
        assert_eq!(parse("apply --renew-secrets"), apply(true));
        assert_eq!(parse("status"), Ok(Request::Status));
    }

    #[test]
    fn wrong_words_are_errors_that_show_no_value() {
        for (words, expected) in [
            (
                "",
                "expected plan, apply or status after hooks, found nothing",
            ),
            (
                "aply",
                "expected plan, apply or status after hooks, found \"aply\"; did you mean apply?",
            ),
            (
                "status --all",
                "expected nothing after hooks status, found \"--all\"",
            ),
            (
                "plan --token=canary",
                "expected --renew-secrets or nothing after hooks plan, found \"--token\"",
            ),
            (
                "apply --renew-secrets x",
                "expected --renew-secrets or nothing after hooks apply, found \"x\"",
            ),
        ] {
            assert_eq!(parse(words), Err(expected.to_owned()));
        }
    }
}
