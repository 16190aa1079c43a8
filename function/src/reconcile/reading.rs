//! Reads the event logs of hooks. Owns the calls, and the entries that are remembered between rounds, so that only new
//! ones are read. What they mean is decided in [`log`](super::log).

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::entry;
use super::log::{Attempt, Log, Unreadable};
use super::pages::{FirstPage, Pages};
use super::plan::{Ending, Resent};
use super::progress::HookReport;
use super::records::Records;
use super::runner::{Reconciler, RunError};
use crate::gitlab::username::GitLabUsername;
use crate::gitlab_api::{ApiError, HookEvent};
use crate::limits::LIMITS;

/// What is remembered of one hook.
#[derive(Default)]
pub(super) struct Memory {
    attempts: BTreeMap<u64, Attempt>,
    /// The ID up to which the log is read.
    newest: u64,
    /// How many records are too large to be read, by the ID of the one before them.
    unreadable: BTreeMap<u64, u32>,
    first_page: FirstPage,
    /// What `--direct` may send.
    pub(super) records: Records,
    /// Resends whose result stays the same.
    pub(super) resends: BTreeMap<String, Resent>,
}

impl Reconciler<'_> {
    /// Reads the records for which `--direct` had no room before it posted others. Returns whether there are any.
    pub(super) async fn load_rest(&mut self, hooks: &mut [HookReport]) -> Result<bool, RunError> {
        let mut has_more = false;
        for report in hooks.iter_mut() {
            let taken = report.done.resends.len();
            let has_room = |resent: &Resent| *resent != Resent::NoRoom;
            report.done.resends.retain(|_, resent| has_room(resent));
            let is_complete = report.ending == Some(Ending::Complete);
            if is_complete && report.done.resends.len() < taken {
                let done = &report.done.resends;
                let waiting = report.log.waiting();
                let waiting = waiting.filter(|delivery| !done.contains_key(&delivery.key));
                let ids: BTreeSet<u64> = waiting.map(|delivery| delivery.newest).collect();
                let memory = self.memory.entry(report.ids()).or_default();
                memory.records.retain(|id| ids.contains(&id));
                self.load(report).await?;
                report.ending = None;
                has_more = true;
            }
        }
        Ok(has_more)
    }

    /// Reads the new entries of a log.
    pub(super) async fn load(&mut self, report: &mut HookReport) -> Result<(), RunError> {
        let (project, hook) = report.ids();
        let memory = self.memory.entry((project, hook)).or_default();
        let cursor = self.cursor.as_ref();
        let is_sent = |id: u64| cursor.is_some_and(|cursor| cursor.is_finished(project, hook, id));
        let user = self.settings.reconcile_user.as_ref();
        let user = user.map(GitLabUsername::as_str);
        let known = memory.newest;
        let mut newest = known;
        memory.unreadable.retain(|before, _| *before < known);
        memory.records.begin();
        let mut pages = Pages::new(memory.first_page);
        let mut too_large = 0;
        while let Some((page, size)) = pages.next() {
            let read = self.client.hook_events_of_size(project, hook, page, size);
            let events = match read.await {
                Ok(events) => events,
                Err(ApiError::TooLarge) => {
                    too_large += pages.shrink();
                    continue;
                }
                Err(error) if error.concerns_all_calls() => return Err(error.into()),
                Err(error) => {
                    report.error = Some(error);
                    return Ok(());
                }
            };
            pages.pass();
            if too_large > 0 {
                let before = events.entries.first().map_or(0, |event| event.id);
                memory.unreadable.insert(before, too_large);
                too_large = 0;
            }
            let is_known = |event: &HookEvent| event.id <= known;
            let is_last = events.next.is_none() || events.entries.iter().any(is_known);
            for event in events.entries {
                newest = newest.max(event.id);
                let attempt = entry::attempt(&event, &report.declared.url, user);
                let key = attempt.key.as_deref().unwrap_or_default();
                let is_done = is_sent(event.id) || report.done.resends.contains_key(key);
                if self.run.direct && !is_done {
                    memory.records.offer(event, &attempt);
                }
                memory.attempts.insert(attempt.id, attempt);
            }
            if is_last {
                break;
            }
        }
        memory.newest = newest;
        memory.first_page = pages.first_of_next(memory.first_page);
        memory.forget((self.clock.now)());
        report.log = memory.log();
        report.log.finish(is_sent);
        let waiting = report.log.waiting();
        let ids: BTreeSet<u64> = waiting.map(|delivery| delivery.newest).collect();
        memory.records.retain(|id| ids.contains(&id));
        let mut lacking = ids.iter().filter(|id| memory.records.get(**id).is_none());
        // What there was no room for is read again.
        if let Some(id) = lacking.next().filter(|_| self.run.direct) {
            memory.newest = id.saturating_sub(1);
        }
        let waiting = report.log.waiting();
        let keys: BTreeSet<&str> = waiting.map(|delivery| delivery.key.as_str()).collect();
        memory.resends.retain(|key, _| keys.contains(key.as_str()));
        if report.ending.is_none() {
            report.done.resends.clone_from(&memory.resends);
        }
        Ok(())
    }
}

impl Memory {
    /// Forgets what GitLab no longer shows, and the oldest of what is too much.
    fn forget(&mut self, now: SystemTime) {
        let begin = first_shown(now);
        let is_old = |attempt: &&Attempt| attempt.at.is_some_and(|at| at < begin);
        // Older attempts have lower IDs, also those without a time.
        if let Some(old) = self.attempts.values().rev().find(is_old) {
            let old = old.id;
            self.attempts = self.attempts.split_off(&old.saturating_add(1));
            self.unreadable.retain(|before, _| *before >= old);
        }
        while self.attempts.len() > LIMITS.reconcile.max_entries {
            self.attempts.pop_first();
        }
    }

    fn log(&self) -> Log {
        let mut log = Log::read(self.attempts.values().cloned());
        let unreadable = self.unreadable.iter().map(|(&after, &count)| {
            let next = self.attempts.range(after.saturating_add(1)..).next();
            let before = next.map(|(_, attempt)| attempt);
            let neighbour = before.or(self.attempts.get(&after));
            Unreadable {
                count,
                after,
                before: before.map(|attempt| attempt.id),
                at: neighbour.and_then(|attempt| attempt.at),
            }
        });
        log.unreadable = unreadable.collect();
        log
    }
}

/// The time of the oldest entry that GitLab shows: the midnight with which its seven days begin.
fn first_shown(now: SystemTime) -> SystemTime {
    const DAY: u64 = 24 * 60 * 60;
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let today = Duration::from_secs(now / DAY * DAY);
    UNIX_EPOCH + today.saturating_sub(LIMITS.reconcile.log_age)
}
