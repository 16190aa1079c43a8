//! `webhook-app check`: checks the configuration against Rocket.Chat. Owns the findings and their texts.
//! Sends no message.

use std::io::{self, Write as _};
use std::process::ExitCode;

use http::HeaderMap;
use tokio::runtime::Builder;

use crate::config::{Config, RocketChat};
use crate::rocketchat::client::{CallOptions, Client};
use crate::rocketchat::{CallTime, Username};

/// Roles that the account needs: `user` may create a token, and `bot` may make more than ten calls per
/// minute.
const ROLES: [&str; 2] = ["user", "bot"];

/// Prints one line per finding; fails if one of them would prevent the delivery of messages.
pub(crate) fn run(config: &Config, warnings: &[String]) -> ExitCode {
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
    findings.push(Finding::Ok("configuration".to_owned()));
    findings.extend(runtime.block_on(check_server(config)));
    let mut out = io::stdout().lock();
    for finding in &findings {
        let (mark, text) = match finding {
            Finding::Ok(text) => ("ok", text),
            Finding::Note(text) => ("note", text),
            Finding::Failure(text) => ("FAIL", text),
        };
        let _ = writeln!(out, "{mark:5} {text}");
    }
    let is_failure = findings
        .iter()
        .any(|finding| matches!(finding, Finding::Failure(_)));
    if is_failure {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

enum Finding {
    Ok(String),
    Note(String),
    Failure(String),
}

async fn check_server(config: &Config) -> Vec<Finding> {
    let RocketChat {
        url,
        credentials,
        authorities,
        ..
    } = &config.rocketchat;
    match Client::new(url, credentials, authorities, config.delivery_timeout) {
        Ok(client) => {
            let mut findings = account(config, &client).await;
            for user in config.notifier.routing.users() {
                findings.push(recipient(config, user, &client).await);
            }
            findings
        }
        Err(error) => vec![Finding::Failure(error.to_string())],
    }
}

fn options<'a>(config: &Config, headers: &'a HeaderMap) -> CallOptions<'a> {
    let within = CallTime {
        total: config.delivery_timeout,
        response: config.delivery_timeout,
    };
    CallOptions { within, headers }
}

async fn account(config: &Config, client: &Client) -> Vec<Finding> {
    let account = match client.me(options(config, &HeaderMap::new())).await.result {
        Ok(account) => account,
        Err(error) => {
            return vec![Finding::Failure(format!(
                "failed to sign in: {}",
                error.advice()
            ))];
        }
    };
    let mut findings = vec![Finding::Ok(format!("signed in as @{}", account.username))];
    for role in ROLES {
        findings.push(if account.roles.iter().any(|has| has == role) {
            Finding::Ok(format!("role {role}"))
        } else {
            Finding::Failure(format!(
                "missing role {role}; add it under Administration, Users"
            ))
        });
    }
    findings
}

async fn recipient(config: &Config, recipient: &Username, client: &Client) -> Finding {
    let name = recipient.as_str();
    let headers = HeaderMap::new();
    let account = client.user_info(recipient, options(config, &headers));
    match account.await.result {
        Ok(None) => Finding::Ok(format!("recipient @{name} exists")),
        Ok(Some(unreachable)) => {
            Finding::Failure(format!("recipient @{name} {}", unreachable.advice()))
        }
        Err(error) => Finding::Failure(format!("failed to look up @{name}: {}", error.advice())),
    }
}
