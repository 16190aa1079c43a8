//! What a run of `reconcile` found and did. Owns the facts; their words are in [`words`](super::words), the metrics in
//! [`metrics`](super::metrics).

use std::collections::BTreeMap;
use std::time::SystemTime;

use super::backfill::Object;
use super::log::{Answer, Delivery, Log, Need};
use super::plan::{self, Done, Ending, FAILURES_UNTIL_PAUSE, Resent, Waits};
use super::post::Posted;
use crate::gitlab_api::{AlertStatus, ApiError, Hook};
use crate::hooks::DeclaredHook;
use crate::limits::LIMITS;

/// One round over all hooks.
#[derive(Debug, Default)]
pub struct Round {
    /// The hooks that were found.
    pub(crate) hooks: Vec<HookReport>,
    /// Projects without the declared hook.
    pub(crate) missing: Vec<String>,
    /// Places that could not be looked up.
    pub(crate) errors: Vec<(String, ApiError)>,
    /// Declared system hooks, which have no log.
    pub(crate) system_hooks: usize,
    /// When it ended.
    pub(crate) ended: Option<SystemTime>,
}

/// One hook in a round.
#[derive(Debug)]
pub struct HookReport {
    /// The path of the project.
    pub(crate) place: String,
    pub(crate) project: u64,
    pub(crate) hook: Hook,
    pub(crate) declared: DeclaredHook,
    pub(crate) log: Log,
    pub(crate) done: Done,
    pub(crate) ending: Option<Ending>,
    pub(crate) backfilled: Backfilled,
    /// Why its log or its project could not be read.
    pub(crate) error: Option<ApiError>,
}

/// What was done about dropped events.
#[derive(Debug, Default)]
pub(crate) struct Backfilled {
    /// Whether this run looked for dropped events.
    pub(crate) is_done: bool,
    /// A message was stored.
    pub(crate) sent: Vec<Object>,
    /// The messages were there, or the event has none.
    pub(crate) known: Vec<Object>,
    /// The function did not accept it.
    pub(crate) waiting: Vec<Object>,
    /// GitLab has no details any more.
    pub(crate) gone: Vec<Object>,
    /// Pushes of which only GitLab knows whether the hook receives them.
    pub(crate) unjudged: usize,
    /// What cannot be rebuilt, by a noun in the plural.
    pub(crate) others: BTreeMap<&'static str, usize>,
    /// Keys of deliveries whose records are too large, and which are replaced.
    pub(crate) oversize: Vec<String>,
}

/// Something that a run did for a hook.
#[derive(Debug)]
pub struct Progress<'a> {
    pub(crate) report: &'a HookReport,
    pub(crate) act: Act<'a>,
}

/// What it did.
#[derive(Debug)]
pub(crate) enum Act<'a> {
    /// It read the log.
    Found,
    /// It tested the hook.
    Tested(Answer),
    /// It had a delivery sent again.
    Resent(&'a Delivery, Resent),
    /// It posted a replacement.
    Backfilled(&'a Object, Posted),
}

impl HookReport {
    pub(crate) fn new(place: String, project: u64, hook: Hook, declared: DeclaredHook) -> Self {
        Self {
            place,
            project,
            hook,
            declared,
            log: Log::default(),
            done: Done::default(),
            ending: None,
            backfilled: Backfilled::default(),
            error: None,
        }
    }

    /// The IDs of the project and the hook.
    pub(crate) fn ids(&self) -> (u64, u64) {
        (self.project, self.hook.id)
    }

    pub(crate) fn is_readable(&self) -> bool {
        self.error.is_none()
    }

    /// Whether GitLab drops its events, as far as this run knows.
    pub(crate) fn is_disabled(&self) -> bool {
        let was_disabled = self.hook.alert_status != AlertStatus::Executable;
        let is_enabled = self.done.test.is_some_and(Answer::is_success);
        self.done.is_refused || (was_disabled && !is_enabled)
    }

    /// Whether GitLab has paused the hook since the beginning of its log, and dropped events meanwhile.
    pub(crate) fn may_have_dropped(&self) -> bool {
        self.is_disabled() || self.log.longest_failure >= FAILURES_UNTIL_PAUSE
    }

    /// What waits, and why.
    pub(crate) fn waiting(&self, now: SystemTime) -> Vec<(&Delivery, Waits)> {
        plan::left(&self.log, &self.done, now).collect()
    }

    /// Deliveries that nothing helps, without those that backfill has replaced.
    pub(crate) fn unrecoverable(&self) -> impl Iterator<Item = &Delivery> {
        let lost = plan::unrecoverable(&self.log);
        lost.filter(|delivery| {
            let replaced = &self.backfilled.oversize;
            delivery.need != Need::Oversize || !replaced.contains(&delivery.key)
        })
    }

    /// How many records are too large to be read.
    pub(crate) fn unreadable(&self) -> u64 {
        let gaps = self.log.unreadable.iter();
        gaps.map(|gap| u64::from(gap.count)).sum()
    }

    /// Whether nothing is left. Lost deliveries, and those that a person must handle, count for a day, because a run does
    /// not know what earlier runs reported, and the log shows them for a week.
    pub(crate) fn is_complete(&self, now: SystemTime) -> bool {
        let lost = self.unrecoverable().map(|delivery| delivery.last);
        let unreadable = self.log.unreadable.iter().map(|gap| gap.at);
        let left = &self.log.left;
        let left = left.no_key.iter().chain(&left.other_url).copied();
        self.is_readable()
            && !self.is_disabled()
            && self.waiting(now).is_empty()
            && !lost.chain(unreadable).chain(left).any(|at| is_new(at, now))
            && self.backfilled.is_complete()
    }
}

/// Whether something lost is new enough to change the exit code; without a time it is.
fn is_new(at: Option<SystemTime>, now: SystemTime) -> bool {
    at.is_none_or(|at| at + LIMITS.reconcile.lost_alarm > now)
}

impl Round {
    /// Whether nothing waits, nothing new is lost and everything could be read.
    pub fn is_complete(&self) -> bool {
        let now = self.ended.unwrap_or(SystemTime::UNIX_EPOCH);
        let hooks = self.hooks.iter();
        self.errors.is_empty()
            && self.missing.is_empty()
            && hooks.into_iter().all(|report| report.is_complete(now))
    }

    /// Whether it sent or tested anything.
    pub fn has_acted(&self) -> bool {
        let hooks = self.hooks.iter();
        let acted = |report: &HookReport| {
            !report.done.answers.is_empty() || !report.backfilled.sent.is_empty()
        };
        hooks.into_iter().any(acted)
    }
}
