//! The account of the bot: whether it can sign in, its roles, and whether Rocket.Chat limits its calls.

use std::time::SystemTime;

use http::HeaderMap;

use super::{Finding, advice, clock, options};
use crate::config::Config;
use crate::gitlab::verification::Verifier;
use crate::rocketchat::client::Client;

/// Roles that the account needs: `user` may create a token, and `bot` may make more than ten calls per
/// minute.
const ROLES: [&str; 2] = ["user", "bot"];

/// Returns the username, or `None` if the account cannot sign in.
pub(super) async fn check(
    config: &Config,
    client: &Client,
    findings: &mut Vec<Finding>,
) -> Option<String> {
    let (account, headers) = match client.me(options(config, &HeaderMap::new())).await.result {
        Ok(answer) => answer,
        Err(error) => {
            let advice = advice(error, "the account");
            findings.push(Finding::Failure(format!("failed to sign in: {advice}")));
            return None;
        }
    };
    findings.push(Finding::Ok(format!("signed in as @{}", account.username)));
    let has = |role: &str| account.roles.iter().any(|has| has == role);
    for role in ROLES {
        findings.push(if has(role) {
            Finding::Ok(format!("role {role}"))
        } else {
            Finding::Failure(format!(
                "missing role {role}; add it under Administration, Users"
            ))
        });
    }
    if let Some(limit) = headers.rate_limit
        && has("bot")
    {
        findings.push(Finding::Note(format!(
            "Rocket.Chat limits the account to {limit} calls per minute; give the role bot the permission api-bypass-rate-limit under Administration, Permissions"
        )));
    }
    let difference = headers
        .date
        .map(|date| clock::check(SystemTime::now(), date, has_signatures(config)));
    findings.extend(difference.flatten());
    Some(account.username)
}

fn has_signatures(config: &Config) -> bool {
    matches!(
        config.verifier,
        Verifier::Signature(_) | Verifier::SignatureOrToken(..)
    )
}
