//! `webhook-app check`: checks the configuration against Rocket.Chat and the broker, and against GitLab if its token is
//! there. Owns the order of the checks, the findings and how they are printed. Sends a message only if it is asked to.

use std::borrow::Cow;
use std::io::{self, Write as _};
use std::process::ExitCode;

use http::HeaderMap;
use tokio::runtime::Builder;

use crate::config::gitlab::LoadedForCheck;
use crate::config::{Config, RocketChat};
use crate::rocketchat::client::{CallOptions, Client};
use crate::rocketchat::response::ApiError;
use crate::rocketchat::{CallTime, Destination};

mod account;
mod broker;
mod clock;
mod recipients;
mod sending;
mod webhooks;

/// Prints one line per finding; fails if one of them would prevent the delivery of messages.
pub(crate) fn run(
    config: &Config,
    warnings: &[String],
    gitlab: Option<LoadedForCheck>,
    send: bool,
) -> ExitCode {
    let Ok(runtime) = Builder::new_current_thread().enable_all().build() else {
        crate::exit::print_error("failed to start the async runtime\n");
        return ExitCode::FAILURE;
    };
    // A rule without effect prevents the delivery of the messages that it asks for.
    let without_effect = config.notifier.routing.warnings();
    let mut findings: Vec<_> = warnings
        .iter()
        .map(|warning| {
            if without_effect.contains(warning) {
                Finding::Failure(warning.clone())
            } else {
                Finding::Note(warning.clone())
            }
        })
        .collect();
    if !findings.iter().any(Finding::is_failure) {
        findings.push(Finding::Ok("configuration".to_owned()));
    }
    findings.extend(runtime.block_on(broker::check(config)));
    findings.extend(runtime.block_on(check_server(config, send)));
    if let Some(gitlab) = gitlab {
        findings.extend(runtime.block_on(webhooks::check(gitlab, warnings)));
    }
    let mut out = io::stdout().lock();
    for finding in &findings {
        let (mark, text) = match finding {
            Finding::Ok(text) => ("ok", text),
            Finding::Note(text) => ("note", text),
            Finding::Failure(text) => ("FAIL", text),
        };
        let mark = verdict(mark, config.telemetry.color);
        let _ = writeln!(out, "{mark} {text}");
    }
    if findings.iter().any(Finding::is_failure) {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// The mark of a finding, with a color on a terminal.
fn verdict(mark: &str, color: bool) -> String {
    let code = match mark {
        "ok" => 32,
        "note" => 33,
        _ => 31,
    };
    if color {
        format!("\u{1b}[{code}m{mark:5}\u{1b}[0m")
    } else {
        format!("{mark:5}")
    }
}

#[derive(Debug, Eq, PartialEq)]
enum Finding {
    Ok(String),
    Note(String),
    Failure(String),
}

impl Finding {
    fn is_failure(&self) -> bool {
        matches!(self, Self::Failure(_))
    }
}

async fn check_server(config: &Config, send: bool) -> Vec<Finding> {
    let RocketChat {
        url,
        credentials,
        authorities,
        proxy,
        ..
    } = &config.rocketchat;
    let limit = config.delivery_timeout;
    let mut findings = Vec::new();
    if let Some(proxy) = proxy {
        let address = proxy.address();
        findings.push(Finding::Note(format!(
            "Rocket.Chat is called through the proxy {address}"
        )));
    }
    let client = match Client::new(url, credentials, authorities, proxy.as_ref(), limit) {
        Ok(client) => client,
        Err(error) => {
            findings.push(Finding::Failure(error.to_string()));
            return findings;
        }
    };
    let Some(bot) = account::check(config, &client, &mut findings).await else {
        // Every further call would fail for the same reason.
        return findings;
    };
    let routing = &config.notifier.routing;
    for user in routing.users() {
        let finding = recipients::user(config, user, &bot, &client).await;
        let is_named = routing.named_users().contains(&user);
        let send = send && is_named && !finding.is_failure();
        findings.push(finding);
        if send {
            let recipient = Destination::User(user.clone());
            findings.push(sending::check(config, &recipient, &client).await);
        }
    }
    for room in routing.rooms() {
        let finding = recipients::room(config, room, &bot, &client).await;
        let send = send && !finding.is_failure();
        findings.push(finding);
        if send {
            let recipient = Destination::Room(room.clone());
            findings.push(sending::check(config, &recipient, &client).await);
        }
    }
    findings
}

fn options<'a>(config: &Config, headers: &'a HeaderMap) -> CallOptions<'a> {
    let within = CallTime {
        total: config.delivery_timeout,
        response: config.delivery_timeout,
    };
    CallOptions { within, headers }
}

/// What to do about a failed call that should have returned `expected`. The usual advice for a refusal is
/// to run this command.
fn advice(error: ApiError, expected: &str) -> Cow<'static, str> {
    match error {
        ApiError::Refused => {
            Cow::Borrowed("Rocket.Chat rejected the call; check the roles of the account")
        }
        ApiError::Unconfirmed => Cow::Owned(format!(
            "the response reports success, but does not contain {expected}; look for an app or a proxy that changes responses"
        )),
        error => Cow::Borrowed(error.advice()),
    }
}
