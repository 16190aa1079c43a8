//! `webhook-app hooks status`: a table of the declared webhooks and what their logs say. Owns its columns.

use std::io::{self, IsTerminal as _};
use std::time::{SystemTime, UNIX_EPOCH};

use super::table::{table as aligned, wrap};
use crate::config::gitlab::GitLabConfig;
use crate::gitlab::username::GitLabUsername;
use crate::gitlab_api::{AlertStatus, ApiError, Client, Hook, HookEvent, HookOwner};
use crate::hook_lookup::{Lookup, look_up};
use crate::hooks::Activity;
use crate::limits::LIMITS;
use crate::reconcile::attempt;
use crate::reconcile::log::Content;

const TITLES: [&str; 8] = [
    "PROJECT", "HOOK", "STATE", "TRIGGERS", "SECRET", "SUCCESS", "FAILURE", "WAITING",
];

/// The table and the exit code.
pub(super) async fn table(config: &GitLabConfig, client: &Client) -> Result<(String, u8), String> {
    let lookups = look_up(client, &config.hooks).await;
    let lookups = lookups.map_err(|error| error.to_string())?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.map_or(0, |now| now.as_secs());
    let mut rows = vec![TITLES.map(str::to_owned)];
    let (mut failures, mut waiting) = (Vec::new(), 0);
    for lookup in &lookups {
        match row(config, client, lookup, now).await {
            Ok((row, keys)) => {
                rows.push(row);
                waiting += keys;
            }
            Err(error) => failures.push(format!("{}: {error}", lookup.place)),
        }
    }
    let is_terminal = io::stdout().is_terminal();
    let mut text = aligned(&rows, is_terminal);
    let mut advice = failures.clone();
    if waiting > 0 {
        advice.push("WAITING counts deliveries of the last 7 days of which no attempt succeeded, without tests; webhook-app reconcile resends them".to_owned());
    }
    for line in advice {
        text.push('\n');
        text += &if is_terminal { wrap(&line, 0) } else { line };
        text.push('\n');
    }
    Ok((text, u8::from(!failures.is_empty())))
}

/// One row, and how many deliveries wait.
async fn row(
    config: &GitLabConfig,
    client: &Client,
    lookup: &Lookup,
    now: u64,
) -> Result<([String; 8], usize), ApiError> {
    let found = lookup.found.as_ref().map_err(|error| *error)?;
    let none = || "–".to_owned();
    let Some(hook) = found.hook() else {
        let row = ["", "–", "missing", "–", "–", "–", "–", "–"];
        let mut row = row.map(str::to_owned);
        row[0].clone_from(&lookup.place);
        return Ok((row, 0));
    };
    let off = lookup.declared.triggers.difference(hook.triggers);
    let log = match found.owner {
        HookOwner::Project(project) => {
            let tester = config.reconcile_user.as_ref().map(GitLabUsername::as_str);
            let is_test = |event: &HookEvent| {
                let attempt = attempt(event, &lookup.declared.url, tester);
                attempt.content == Content::Test
            };
            Some(activity(client, project, hook.id, is_test).await?)
        }
        // System hooks have no log in the API.
        HookOwner::System => None,
    };
    let (activity, is_whole) = log.clone().unwrap_or_default();
    let ago = |time: Option<u64>| time.map_or_else(none, |time| age(now.saturating_sub(time)));
    let more = if is_whole { "" } else { "≥" };
    let waiting = activity.waiting();
    let row = [
        lookup.place.clone(),
        hook.id.to_string(),
        state(hook),
        match off.iter().count() {
            0 => "ok".to_owned(),
            off => format!("{off} off"),
        },
        secret(hook).to_owned(),
        ago(activity.last_success),
        ago(activity.last_failure),
        log.map_or_else(none, |_| format!("{more}{waiting}")),
    ];
    Ok((row, waiting))
}

/// What the log says, and whether it was read to its end.
async fn activity(
    client: &Client,
    project: u64,
    hook: u64,
    is_test: impl Fn(&HookEvent) -> bool,
) -> Result<(Activity, bool), ApiError> {
    let (mut activity, mut page) = (Activity::default(), 1);
    for _ in 0..LIMITS.gitlab_api.max_pages {
        let found = client.hook_events(project, hook, page).await?;
        for event in &found.entries {
            activity.add(event, is_test(event));
        }
        match found.next {
            Some(next) => page = next,
            None => return Ok((activity, true)),
        }
    }
    Ok((activity, false))
}

fn state(hook: &Hook) -> String {
    match (hook.alert_status, hook.disabled_until) {
        (AlertStatus::Executable, _) => "enabled".to_owned(),
        (AlertStatus::TemporarilyDisabled, Some(until)) => until_words(until),
        (AlertStatus::TemporarilyDisabled | AlertStatus::Disabled, _) => "disabled".to_owned(),
    }
}

/// GitLab disables a webhook for a day at most, so that the date is not needed.
fn until_words(until: u64) -> String {
    let minutes = until / 60;
    format!("off to {:02}:{:02} UTC", minutes / 60 % 24, minutes % 60)
}

fn secret(hook: &Hook) -> &'static str {
    match (hook.signing_token_present, hook.token_present) {
        (Some(true), _) => "signing",
        (_, Some(true)) => "token",
        (None, None) => "unknown",
        _ => "none",
    }
}

/// A duration in its largest unit.
fn age(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86_400 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_has_its_largest_unit() {
        let ages = [0, 59, 60, 3599, 3600, 86_399, 86_400, 604_800].map(age);
        assert_eq!(ages, ["0s", "59s", "1m", "59m", "1h", "23h", "1d", "7d"]);
    }

    #[test]
    fn the_end_of_a_pause_is_a_time_of_day() {
        assert_eq!(until_words(1_764_338_580), "off to 14:03 UTC");
    }
}
