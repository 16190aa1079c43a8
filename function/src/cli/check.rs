//! `webhook-app check`: tries the configuration against the real chat server. Owns the findings and
//! their words. Sends no message.

use std::io::{self, Write as _};
use std::process::ExitCode;

use http::HeaderMap;
use tokio::runtime::Builder;

use crate::config::{Config, RocketChat};
use crate::rocketchat::Username;
use crate::rocketchat::client::{CallOptions, Client};
use crate::rocketchat::response::ApiError;
use crate::send::Deadline;

/// Roles the account needs: `user` may make a token that does not expire, `bot` may call more than
/// ten times a minute.
const ROLES: [&str; 2] = ["user", "bot"];

/// Prints one line a finding; fails if one of them would keep messages from arriving.
pub fn run(config: &Config, warnings: &[String]) -> ExitCode {
    let Ok(runtime) = Builder::new_current_thread().enable_all().build() else {
        crate::exit::print_error("could not start: the system refused an event queue\n");
        return ExitCode::FAILURE;
    };
    let mut findings: Vec<_> = warnings
        .iter()
        .map(|warning| Finding::Note(warning.clone()))
        .collect();
    findings.push(Finding::Good("configuration".to_owned()));
    findings.extend(runtime.block_on(try_server(config)));
    let mut out = io::stdout().lock();
    for finding in &findings {
        let (mark, text) = match finding {
            Finding::Good(text) => ("ok", text),
            Finding::Note(text) => ("note", text),
            Finding::Bad(text) => ("FAIL", text),
        };
        let _ = writeln!(out, "{mark:5} {text}");
    }
    let bad = findings
        .iter()
        .any(|finding| matches!(finding, Finding::Bad(_)));
    if bad {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

enum Finding {
    Good(String),
    Note(String),
    Bad(String),
}

async fn try_server(config: &Config) -> Vec<Finding> {
    let RocketChat {
        url,
        credentials,
        authorities,
        ..
    } = &config.rocketchat;
    let limit = Deadline::call_limit(config.delivery_timeout);
    match Client::new(url, credentials, authorities, limit) {
        Ok(client) => {
            let mut findings = account(config, &client).await;
            for user in config.notifier.routing.users() {
                findings.push(recipient(config, user, &client).await);
            }
            findings
        }
        Err(error) => vec![Finding::Bad(error.to_string())],
    }
}

fn options<'a>(config: &Config, headers: &'a HeaderMap) -> CallOptions<'a> {
    CallOptions {
        within: Deadline::call_limit(config.delivery_timeout),
        headers,
    }
}

async fn account(config: &Config, client: &Client) -> Vec<Finding> {
    let account = match client.me(options(config, &HeaderMap::new())).await.result {
        Ok(account) => account,
        Err(error) => {
            return vec![Finding::Bad(format!(
                "could not sign in: {}",
                error.advice()
            ))];
        }
    };
    let mut findings = vec![Finding::Good(format!("signed in as @{}", account.username))];
    for role in ROLES {
        findings.push(if account.roles.iter().any(|has| has == role) {
            Finding::Good(format!("has the role {role}"))
        } else {
            Finding::Bad(format!(
                "lacks the role {role}; add it under Administration, Users"
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
        Ok(account) if account.active => Finding::Good(format!("recipient @{name} exists")),
        Ok(_) => Finding::Bad(format!("recipient @{name} is deactivated")),
        Err(ApiError::Refused) => Finding::Bad(format!(
            "recipient @{name} does not exist; check ROCKETCHAT_RECIPIENT or ROUTES"
        )),
        Err(error) => Finding::Bad(format!("could not look up @{name}: {}", error.advice())),
    }
}
