//! The check of the declared webhooks in GitLab, for `webhook-app check` where GITLAB_URL and GITLAB_API_TOKEN
//! are set. Changes nothing; `webhook-app hooks` does.

use super::Finding;
use crate::config::gitlab::{GitLabConfig, LoadedForCheck};
use crate::gitlab_api::{AlertStatus, Client};
use crate::hook_lookup::{Lookup, look_up};
use crate::hooks::{Action, Tense, Terms, plan, words};

/// One finding for each declared webhook. `known` are the warnings that have been printed.
pub(super) async fn check(config: LoadedForCheck, known: &[String]) -> Vec<Finding> {
    let (config, warnings) = match config {
        Ok(found) => found,
        Err(errors) => return errors.errors.into_iter().map(Finding::Failure).collect(),
    };
    let new = warnings.into_iter().filter(|text| !known.contains(text));
    let mut findings: Vec<_> = new.map(Finding::Note).collect();
    let Some(config) = config else {
        return findings;
    };
    match compare(&config).await {
        Ok(found) => findings.extend(found),
        Err(problem) => findings.push(Finding::Failure(format!("GitLab: {problem}"))),
    }
    findings
}

async fn compare(config: &GitLabConfig) -> Result<Vec<Finding>, String> {
    let client = Client::new(&config.server).map_err(|error| error.to_string())?;
    let version = client.version().await.map_err(|error| error.to_string())?;
    let secret = config.secrets.choose(&version);
    let secret = secret.map_err(|error| error.to_string())?;
    let terms = Terms {
        secret: secret.as_ref(),
        renew: false,
    };
    let lookups = look_up(&client, &config.hooks).await;
    let lookups = lookups.map_err(|error| error.to_string())?;
    Ok(lookups
        .iter()
        .map(|lookup| finding(lookup, terms))
        .collect())
}

fn finding(lookup: &Lookup, terms: Terms<'_>) -> Finding {
    let place = &lookup.place;
    let found = match &lookup.found {
        Ok(found) => found,
        Err(error) => return Finding::Failure(format!("webhook of {place}: {error}")),
    };
    let plan = plan(found.owner, &lookup.declared, &found.hooks, terms);
    let disabled = found.hook().map(|hook| hook.alert_status);
    match plan.action {
        Action::Create(_) => Finding::Failure(format!(
            "webhook of {place} does not exist; run webhook-app hooks apply"
        )),
        Action::Change { changes, .. } => Finding::Failure(format!(
            "webhook of {place}: {}; run webhook-app hooks apply",
            words(&changes, Tense::Future)
        )),
        Action::Keep(hook) if disabled == Some(AlertStatus::Executable) => {
            Finding::Ok(format!("webhook {hook} of {place} is as declared"))
        }
        Action::Keep(hook) => Finding::Failure(format!(
            "webhook {hook} of {place} is disabled after failures; when webhook-app can be reached, run webhook-app reconcile --once, or send a test in GitLab under Settings, Webhooks"
        )),
    }
}
