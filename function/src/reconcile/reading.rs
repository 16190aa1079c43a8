//! Reads the event logs of hooks. Owns the calls, and the entries that are remembered between rounds, so that only new
//! ones are read. What they mean is decided in [`log`](super::log).

use std::collections::BTreeMap;

use super::entry;
use super::log::{Attempt, Log};
use super::plan::Resent;
use super::progress::HookReport;
use super::runner::{Reconciler, RunError};
use crate::gitlab::username::GitLabUsername;
use crate::gitlab_api::HookEvent;
use crate::limits::LIMITS;

/// What is remembered of one hook.
#[derive(Default)]
pub(super) struct Memory {
    pub(super) attempts: BTreeMap<u64, Attempt>,
    /// Entries that `--direct` may send.
    pub(super) failed: BTreeMap<u64, HookEvent>,
    /// Resends whose result stays the same.
    pub(super) resends: BTreeMap<String, Resent>,
}

impl Reconciler<'_> {
    /// Reads the new entries of a log.
    pub(super) async fn load(&mut self, report: &mut HookReport) -> Result<(), RunError> {
        let (project, hook) = report.ids();
        let memory = self.memory.entry((project, hook)).or_default();
        let known = memory.attempts.keys().next_back().copied();
        let user = self.settings.reconcile_user.as_ref();
        let user = user.map(GitLabUsername::as_str);
        let mut page = Some(1);
        // Pages are counted, because a broken server could name a next one for ever.
        let max_pages = LIMITS.reconcile.max_entries / LIMITS.gitlab_api.events_per_page as usize;
        let mut pages = 0;
        while let Some(number) = page.filter(|_| pages < max_pages) {
            let events = match self.client.hook_events(project, hook, number).await {
                Ok(events) => events,
                Err(error) if error.concerns_all_calls() => return Err(error.into()),
                Err(error) => {
                    report.error = Some(error);
                    return Ok(());
                }
            };
            pages += 1;
            let is_known = |event: &HookEvent| known.is_some_and(|known| event.id <= known);
            page = events.next.filter(|_| !events.entries.iter().any(is_known));
            for event in events.entries {
                let attempt = entry::attempt(&event, &report.declared.url, user);
                if self.run.direct && !attempt.answer.is_success() {
                    memory.failed.insert(attempt.id, event);
                }
                memory.attempts.insert(attempt.id, attempt);
            }
        }
        while memory.attempts.len() > LIMITS.reconcile.max_entries {
            memory.attempts.pop_first();
        }
        report.log = Log::read(memory.attempts.values().cloned());
        if let Some(cursor) = &self.cursor {
            report
                .log
                .finish(|attempt| cursor.is_finished(project, hook, attempt));
        }
        let newest: Vec<u64> = report
            .log
            .waiting()
            .map(|delivery| delivery.newest)
            .collect();
        memory.failed.retain(|id, _| newest.contains(id));
        if report.ending.is_none() {
            report.done.resends.clone_from(&memory.resends);
        }
        Ok(())
    }
}
