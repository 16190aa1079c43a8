//! Replaces what GitLab dropped for one hook. Owns the order of calls: what happened is listed first, then the log is
//! read, so that a delivery of meanwhile is in the log, and then what the log lacks is posted.

use std::collections::BTreeMap;

use super::backfill::BackfillKind;
use super::backfill::branch_filter::{self, Verdict};
use super::dropped;
use super::log::Need;
use super::plan::FAILURES_UNTIL_PAUSE;
use super::post::{Poster, Webhook};
use super::progress::{Act, Backfilled, HookReport};
use super::runner::{Reconciler, RunError};
use super::window::Window;
use crate::limits::LIMITS;

impl Reconciler<'_> {
    /// Lists what happened, and posts what was not delivered.
    pub(super) async fn backfill(&mut self, report: &mut HookReport) -> Result<(), RunError> {
        let Some(age) = self.run.backfill else {
            return Ok(());
        };
        match self.fill(report, age).await {
            Ok(()) => Ok(()),
            Err(RunError::Api(error)) if !error.concerns_all_calls() => {
                report.error = Some(error);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    async fn fill(
        &mut self,
        report: &mut HookReport,
        age: std::time::Duration,
    ) -> Result<(), RunError> {
        let now = (self.clock.now)();
        let window = Window {
            since: now - age,
            until: now - LIMITS.reconcile.settle,
        };
        let history = dropped::list(&self.client, report.project, &report.hook, window).await?;
        self.load(report).await?;
        let host = self
            .settings
            .gitlab
            .server
            .url
            .host_str()
            .unwrap_or_default()
            .to_owned();
        let sender = Poster::new(&self.settings.gitlab, &report.declared.url)?;
        let instance = self
            .settings
            .gitlab
            .server
            .url
            .origin()
            .ascii_serialization();
        let mut failures = 0;
        for happened in history.missing(&report.log) {
            if branch_filter::verdict(&report.hook, &happened.object) == Verdict::Unknown {
                report.backfilled.unjudged += 1;
                continue;
            }
            if failures + 1 >= FAILURES_UNTIL_PAUSE {
                report.backfilled.waiting.push(happened.object.clone());
                continue;
            }
            let Some(replacement) = history.replacement(&self.client, happened).await? else {
                report.backfilled.gone.push(happened.object.clone());
                continue;
            };
            let key = replacement.object.key(&host, report.project);
            let kind = replacement.object.kind();
            let webhook = Webhook {
                key: key.as_str(),
                headers: &[
                    ("x-gitlab-event", kind.header()),
                    ("x-gitlab-instance", &instance),
                ],
                body: replacement.body,
            };
            let posted = sender.post(webhook).await;
            if posted.answer.is_success() {
                failures = 0;
                let count = if posted.sent {
                    &mut report.backfilled.sent
                } else {
                    &mut report.backfilled.known
                };
                count.push(replacement.object.clone());
            } else {
                failures += 1;
                report.backfilled.waiting.push(replacement.object.clone());
            }
            self.tell(report, Act::Backfilled(&replacement.object, posted));
        }
        if report.may_have_dropped() {
            report.backfilled.others = history.others(&report.log);
        }
        find_oversize(report);
        report.backfilled.is_done = true;
        Ok(())
    }
}

/// Each replacement accounts for one delivery of its kind whose record is too large: the log does not say what it was
/// about, and its object is one that the log does not have.
fn find_oversize(report: &mut HookReport) {
    let mut replaced: BTreeMap<BackfillKind, usize> = BTreeMap::new();
    for object in report
        .backfilled
        .sent
        .iter()
        .chain(&report.backfilled.known)
    {
        *replaced.entry(object.kind()).or_default() += 1;
    }
    for delivery in &report.log.deliveries {
        let kind = BackfillKind::of_trigger(&delivery.trigger);
        let left = kind
            .and_then(|kind| replaced.get_mut(&kind))
            .filter(|left| **left > 0);
        if let Some(left) = left.filter(|_| delivery.need == Need::Oversize) {
            *left -= 1;
            report.backfilled.oversize.push(delivery.key.clone());
        }
    }
}

impl Backfilled {
    /// Whether something could not be sent.
    pub(crate) fn is_complete(&self) -> bool {
        self.waiting.is_empty()
            && self.gone.is_empty()
            && self.others.is_empty()
            && self.unjudged == 0
    }
}
