//! The words for what a run of `reconcile` found and did: lines for a person who reads a terminal. Owns their form; why
//! a run ended and what waits is in [`advice`]. The facts are in [`progress`](super::progress).

use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use super::advice;
use super::backfill::Object;
use super::log::{Delivery, Need, Unreadable};
use super::plan::Resent;
use super::progress::{Act, HookReport, Progress, Round};
use crate::limits::LIMITS;

impl Progress<'_> {
    /// One line; `None` if there is nothing to tell.
    pub fn line(&self) -> Option<String> {
        let place = &self.report.place;
        Some(match &self.act {
            Act::Found => {
                let waiting = self.report.log.waiting().count();
                if waiting == 0 {
                    return None;
                }
                let minutes = waiting.div_ceil(LIMITS.reconcile.requests_per_minute);
                let duration = match minutes {
                    1 => String::new(),
                    minutes => format!(", about {minutes} minutes at the pace that GitLab allows"),
                };
                format!("{place}  {} not delivered{duration}", webhooks(waiting))
            }
            Act::Tested(answer) if answer.is_success() => {
                format!("{place}  tested: GitLab sends to the hook again")
            }
            Act::Tested(_) => format!("{place}  the test of the hook failed"),
            Act::Resent(delivery, Resent::Answered(answer)) => {
                let verb = if answer.is_success() {
                    "sent again"
                } else {
                    "failed again"
                };
                format!("{place}  {verb}: {}, {}", delivery.name(), answer.words())
            }
            Act::Resent(delivery, Resent::Refused) => {
                format!("{place}  GitLab does not resend: {}", delivery.name())
            }
            Act::Resent(_, Resent::NoRoom) => return None,
            Act::Backfilled(object, posted) => {
                let verb = match (posted.answer.is_success(), posted.sent) {
                    (true, true) => "replaced",
                    (true, false) => "already there",
                    (false, _) => "not replaced",
                };
                let answer = posted.answer.words();
                format!(
                    "{place}  {verb}: {} {}, {answer}",
                    object.kind().noun(),
                    object.name()
                )
            }
        })
    }
}

impl Delivery {
    /// Its trigger, its key and the ID of its entry in GitLab's log.
    pub(crate) fn name(&self) -> String {
        let trigger = self
            .trigger
            .trim_end_matches("_hooks")
            .trim_end_matches("_events");
        let printable = |char: &char| char.is_ascii_graphic();
        let key: String = self.key.chars().filter(printable).take(40).collect();
        let trigger: String = trigger.chars().filter(printable).take(40).collect();
        format!("{trigger} {key} (event {})", self.newest)
    }
}

impl Round {
    /// What is left, and what to do about it.
    pub fn summary(&self) -> String {
        let now = self.ended.unwrap_or(UNIX_EPOCH);
        let mut lines = self.problems();
        for report in &self.hooks {
            report.describe_waiting(now, &mut lines);
        }
        lines.push(self.totals());
        lines.join("\n") + "\n"
    }

    /// What needs a person, which is the same in each round until it changes.
    pub fn problems(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for report in &self.hooks {
            report.describe_problems(&mut lines);
        }
        for place in &self.missing {
            lines.push(format!(
                "{place}  has no hook with this URL; run webhook-app hooks apply"
            ));
        }
        for (place, error) in &self.errors {
            lines.push(format!("{place}  {error}"));
        }
        if self.system_hooks > 0 {
            let line = "system hook  GitLab has no log of its events, so nothing can be sent again";
            lines.push(line.to_owned());
        }
        lines
    }

    /// How much was sent, waits and is lost.
    pub fn totals(&self) -> String {
        let now = self.ended.unwrap_or(UNIX_EPOCH);
        let sum = |of: fn(&HookReport) -> usize| -> usize { self.hooks.iter().map(of).sum() };
        let sent = sum(|report| {
            let resends = report.done.resends.values();
            let is_sent = |resent: &&Resent| matches!(resent, Resent::Answered(answer) if answer.is_success());
            resends.filter(is_sent).count()
        });
        let replaced = sum(|report| report.backfilled.sent.len());
        let waiting: usize = self
            .hooks
            .iter()
            .map(|report| report.waiting(now).len() + report.backfilled.waiting.len())
            .sum();
        let lost = sum(|report| {
            let unreadable = usize::try_from(report.unreadable()).unwrap_or(usize::MAX);
            report.unrecoverable().count() + report.backfilled.gone.len() + unreadable
        });
        let hooks = match self.hooks.len() {
            1 => "1 hook".to_owned(),
            count => format!("{count} hooks"),
        };
        let mut text = format!("{hooks}: {sent} sent again");
        if replaced > 0 {
            let _ = write!(text, ", {replaced} replaced");
        }
        let _ = write!(text, ", {waiting} waiting, {lost} lost");
        text
    }
}

impl HookReport {
    fn describe_problems(&self, lines: &mut Vec<String>) {
        let place = &self.place;
        let mut add = |line: String| lines.push(format!("{place}  {line}"));
        if let Some(error) = self.error {
            add(error.to_string());
        }
        if let Some(words) = self.ending.and_then(advice::after) {
            add(words);
        }
        if self.may_have_dropped() && !self.backfilled.is_done {
            add("GitLab has paused the hook after failures, and what happened meanwhile is not in its log; replace it with webhook-app reconcile --once --backfill --since 2h, or since another time before the pause".to_owned());
        }
        for delivery in self.unrecoverable() {
            let why = match delivery.need {
                Need::Recipients => RECIPIENTS,
                Need::Oversize | Need::Nothing | Need::Resend => OVERSIZE,
            };
            add(format!("lost: {}, {why}", delivery.name()));
        }
        for gap in &self.log.unreadable {
            add(gap.words());
        }
        let left = &self.log.left;
        if !left.no_key.is_empty() {
            let webhooks = webhooks(left.no_key.len());
            add(format!(
                "lost: {webhooks} without an idempotency key, as GitLab before 17.4 sends them"
            ));
        }
        if !left.other_url.is_empty() {
            let webhooks = webhooks(left.other_url.len());
            add(format!(
                "left: {webhooks} to a former URL of the hook, to which alone GitLab resends them"
            ));
        }
        if self.backfilled.unjudged > 0 {
            let pushes = match self.backfilled.unjudged {
                1 => "1 push".to_owned(),
                pushes => format!("{pushes} pushes"),
            };
            add(format!(
                "left: {pushes}, because only GitLab knows which branches pass the regular expression of the hook's branch filter"
            ));
        }
        for object in &self.backfilled.gone {
            add(format!(
                "lost: {}, GitLab no longer has its details",
                named(object)
            ));
        }
        if !self.backfilled.others.is_empty() {
            let others = self.backfilled.others.iter();
            let others: Vec<_> = others
                .map(|(noun, count)| format!("{count} {noun}"))
                .collect();
            let others = others.join(", ");
            add(format!(
                "cannot be replaced: {others}; nor jobs, deployments and the like"
            ));
        }
    }

    fn describe_waiting(&self, now: SystemTime, lines: &mut Vec<String>) {
        let place = &self.place;
        for (delivery, waits) in self.waiting(now) {
            let reason = advice::while_waiting(waits, now);
            lines.push(format!("{place}  waits: {}{reason}", delivery.name()));
        }
        for object in &self.backfilled.waiting {
            lines.push(format!(
                "{place}  waits: {}, run the command again",
                named(object)
            ));
        }
    }
}

impl Unreadable {
    /// Its place, because nothing else of it is known.
    fn words(&self) -> String {
        let (count, larger) = match self.count {
            1 => ("1 record".to_owned(), "is"),
            count => (format!("{count} records"), "are"),
        };
        let place = match (self.after, self.before) {
            (0, None) => String::new(),
            (after, None) => format!(" after event {after}"),
            (0, Some(before)) => format!(" before event {before}"),
            (after, Some(before)) => format!(" between the events {after} and {before}"),
        };
        let time = self.at.map_or(String::new(), |at| {
            format!(", at about {}", humantime::format_rfc3339_seconds(at))
        });
        format!(
            "lost: {count}{place}{time}, {larger} larger than what is read of GitLab's log; see there whether it was delivered, under Settings, Webhooks, Edit, Recent events"
        )
    }
}

const RECIPIENTS: &str = "was sent again, but not to recipients who are found by an e-mail address, which GitLab redacts in its log; tell them";

const OVERSIZE: &str = "its body is too large for GitLab's log; --backfill replaces pushes, pipelines and merge requests";

fn named(object: &Object) -> String {
    format!("{} {}", object.kind().noun(), object.name())
}

fn webhooks(count: usize) -> String {
    match count {
        1 => "1 webhook".to_owned(),
        count => format!("{count} webhooks"),
    }
}
