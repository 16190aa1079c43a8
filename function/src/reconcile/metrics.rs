//! The metrics of `webhook-app reconcile`, in Prometheus' text format 0.0.4. Owns their names, their help texts and
//! their labels, which are IDs of GitLab: at most as many as there are declared hooks.

use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use super::log::Need;
use super::plan::Resent;
use super::progress::{Act, Progress, Round};
use crate::gitlab_api::AlertStatus;

/// What the process has counted since its start.
#[derive(Clone, Copy, Debug, Default)]
pub struct Totals {
    resends_succeeded: u64,
    resends_failed: u64,
    resends_refused: u64,
    tests_succeeded: u64,
    tests_failed: u64,
    rounds_failed: u64,
}

impl Totals {
    /// Counts what a run did.
    pub fn count(&mut self, progress: &Progress) {
        let counter = match &progress.act {
            Act::Resent(_, Resent::Refused) => &mut self.resends_refused,
            Act::Resent(_, Resent::Answered(answer)) if answer.is_success() => {
                &mut self.resends_succeeded
            }
            Act::Resent(_, Resent::Answered(_)) => &mut self.resends_failed,
            Act::Tested(answer) if answer.is_success() => &mut self.tests_succeeded,
            Act::Tested(_) => &mut self.tests_failed,
            Act::Resent(_, Resent::NoRoom) | Act::Found | Act::Backfilled(..) => return,
        };
        *counter += 1;
    }

    /// Counts a round that failed as a whole.
    pub fn count_failed_round(&mut self) {
        self.rounds_failed += 1;
    }
}

/// A metric and its samples.
struct Family<'a> {
    text: &'a mut String,
    name: &'static str,
}

impl Family<'_> {
    fn sample(&mut self, labels: &str, value: u64) {
        let name = self.name;
        let _ = writeln!(self.text, "{name}{labels} {value}");
    }
}

fn family<'a>(text: &'a mut String, name: &'static str, kind: &str, help: &str) -> Family<'a> {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    Family { text, name }
}

/// What `/metrics` serves after a round; no gauges of hooks before the first one.
pub fn exposition(totals: &Totals, round: Option<&Round>) -> String {
    let mut text = String::new();
    counters(totals, &mut text);
    let Some(round) = round else {
        return text;
    };
    let now = round.ended.unwrap_or(UNIX_EPOCH);
    let mut gauge = |name, help, value: &dyn Fn(&super::HookReport) -> Option<u64>| {
        let mut family = family(&mut text, name, "gauge", help);
        for report in &round.hooks {
            let (project, hook) = report.ids();
            if let Some(value) = value(report) {
                family.sample(&format!("{{project=\"{project}\",hook=\"{hook}\"}}"), value);
            }
        }
    };
    gauge(
        "webhook_gitlab_hook_enabled",
        "1 if GitLab sends events to the hook, 0 while it drops them.",
        &|report| Some(u64::from(!report.is_disabled())),
    );
    gauge(
        "webhook_gitlab_hook_triggers_as_declared",
        "1 if the declared triggers of the hook are on.",
        &|report| {
            let missing = report.declared.triggers.difference(report.hook.triggers);
            Some(u64::from(missing.is_empty()))
        },
    );
    gauge(
        "webhook_gitlab_hook_signing_token_present",
        "1 if the hook has a signing token; absent before GitLab 19, which does not say.",
        &|report| report.hook.signing_token_present.map(u64::from),
    );
    gauge(
        "webhook_gitlab_hook_last_success_timestamp_seconds",
        "When a webhook of the hook last succeeded, if the log says so.",
        &|report| seconds(report.log.last_success),
    );
    gauge(
        "webhook_gitlab_hook_last_failure_timestamp_seconds",
        "When a webhook of the hook last failed, if the log says so.",
        &|report| seconds(report.log.last_failure),
    );
    gauge(
        "webhook_gitlab_hook_failed_keys_waiting",
        "Deliveries without a success that can be sent again.",
        &|report| Some(report.waiting(now).len() as u64),
    );
    add_unrecoverable(round, &mut text);
    add_sums(round, &mut text);
    text
}

fn add_unrecoverable(round: &Round, text: &mut String) {
    let mut lost_events = family(
        text,
        "webhook_gitlab_hook_unrecoverable",
        "gauge",
        "Deliveries in the log that cannot be sent again, by reason.",
    );
    for report in &round.hooks {
        let (project, hook) = report.ids();
        let lost = |need| {
            report
                .unrecoverable()
                .filter(|delivery| delivery.need == need)
                .count() as u64
        };
        for (reason, value) in [
            ("oversize", lost(Need::Oversize)),
            ("recipient_redacted", lost(Need::Recipients)),
            ("no_key", report.log.left.no_key.len() as u64),
            ("too_large", report.unreadable()),
        ] {
            let labels = format!("{{project=\"{project}\",hook=\"{hook}\",reason=\"{reason}\"}}");
            lost_events.sample(&labels, value);
        }
    }
}

fn add_sums(round: &Round, text: &mut String) {
    let permanently =
        |report: &super::HookReport| report.hook.alert_status == AlertStatus::Disabled;
    let sums = [
        (
            "webhook_gitlab_hooks_existing",
            "Declared hooks that exist.",
            round.hooks.len(),
        ),
        (
            "webhook_gitlab_hooks_missing",
            "Projects without their declared hook.",
            round.missing.len(),
        ),
        (
            "webhook_gitlab_hooks_unreadable",
            "Declared hooks that could not be looked up or whose log could not be read.",
            round.errors.len()
                + round
                    .hooks
                    .iter()
                    .filter(|report| !report.is_readable())
                    .count(),
        ),
        (
            "webhook_gitlab_hooks_permanently_disabled",
            "Hooks to which GitLab sends nothing until a test succeeds.",
            round
                .hooks
                .iter()
                .filter(|report| permanently(report))
                .count(),
        ),
    ];
    for (name, help, value) in sums {
        family(text, name, "gauge", help).sample("", value as u64);
    }
    let last = "webhook_reconcile_last_round_timestamp_seconds";
    let help = "When the last round over all hooks ended.";
    family(text, last, "gauge", help).sample("", seconds(round.ended).unwrap_or(0));
}

fn counters(totals: &Totals, text: &mut String) {
    let name = "webhook_gitlab_hook_resends_total";
    let help = "Deliveries that were sent again, by result.";
    let mut resends = family(text, name, "counter", help);
    for (result, value) in [
        ("success", totals.resends_succeeded),
        ("failure", totals.resends_failed),
        ("refused", totals.resends_refused),
    ] {
        resends.sample(&format!("{{result=\"{result}\"}}"), value);
    }
    let name = "webhook_gitlab_hook_tests_total";
    let help = "Tests of disabled hooks, by result.";
    let mut tests = family(text, name, "counter", help);
    for (result, value) in [
        ("success", totals.tests_succeeded),
        ("failure", totals.tests_failed),
    ] {
        tests.sample(&format!("{{result=\"{result}\"}}"), value);
    }
    let name = "webhook_reconcile_rounds_failed_total";
    let help = "Rounds that failed as a whole, because GitLab could not be called.";
    family(text, name, "counter", help).sample("", totals.rounds_failed);
}

fn seconds(time: Option<SystemTime>) -> Option<u64> {
    let since = time?.duration_since(UNIX_EPOCH);
    since.ok().map(|since| since.as_secs())
}
