//! Executes the [`plan`] of each hook. Owns the calls that resend and test, and what their responses mean.

use std::time::SystemTime;

use super::log::{Answer, Delivery};
use super::plan::{self, Ending, HookState, PlanSettings, Resent, Step, Way};
use super::post::{Poster, Webhook};
use super::progress::{Act, HookReport};
use super::runner::{Reconciler, RunError, is_disabled};
use crate::gitlab_api::{ApiError, Refusal};
use crate::limits::LIMITS;

impl Reconciler<'_> {
    /// Takes steps for all hooks in turn until there is nothing to do, or in a loop until all have to wait.
    pub(super) async fn work(
        &mut self,
        hooks: &mut [HookReport],
        settings: PlanSettings,
    ) -> Result<(), RunError> {
        loop {
            let (mut earliest, mut acted) = (None::<SystemTime>, false);
            for report in hooks.iter_mut().filter(|report| report.is_readable()) {
                if report.ending.is_some() {
                    continue;
                }
                let state = if is_disabled(&report.hook) {
                    HookState::Disabled
                } else {
                    HookState::Enabled
                };
                let paces = self.paces.entry(report.project).or_default();
                let allowed = (&paces.tests, &paces.resends);
                let now = (self.clock.now)();
                match plan::next(&report.log, state, settings, &report.done, allowed, now) {
                    Step::End(ending) => report.ending = Some(ending),
                    Step::Wait(_) if !self.run.once => report.ending = Some(Ending::Paced),
                    Step::Wait(until) => {
                        earliest = Some(earliest.map_or(until, |time| time.min(until)));
                    }
                    Step::Test => {
                        acted = true;
                        self.test(report).await?;
                    }
                    Step::Resend(delivery) => {
                        acted = true;
                        let delivery = delivery.clone();
                        let resent = match settings.way {
                            Way::GitLab => self.resend(report, &delivery).await?,
                            Way::Direct => self.post(report, &delivery).await?,
                        };
                        if let Some(resent) = resent {
                            report.done.resends.insert(delivery.key.clone(), resent);
                            if let Resent::Answered(answer) = resent {
                                report.done.answers.push(answer);
                            }
                            self.tell(report, Act::Resent(&delivery, resent));
                        }
                    }
                }
            }
            match earliest {
                _ if acted => {}
                Some(until) => {
                    let wait = until.duration_since((self.clock.now)()).unwrap_or_default();
                    (self.clock.pause)(wait).await;
                }
                None => return Ok(()),
            }
        }
    }

    async fn test(&mut self, report: &mut HookReport) -> Result<(), RunError> {
        let (project, hook) = report.ids();
        let tested = self.client.test(project, hook, "push_events").await;
        let now = (self.clock.now)();
        let paces = self.paces.entry(project).or_default();
        paces.tests.record(now);
        let answer = match tested {
            Ok(()) => Answer::Status(204),
            Err(ApiError::RateLimited(wait)) => {
                paces
                    .tests
                    .block(now + wait.unwrap_or(LIMITS.reconcile.pace));
                report.done.rate_limits += 1;
                return Ok(());
            }
            Err(error) if error.concerns_all_calls() => return Err(error.into()),
            Err(_) => Answer::Failure,
        };
        report.done.rate_limits = 0;
        report.done.test = Some(answer);
        report.done.answers.push(answer);
        self.tell(report, Act::Tested(answer));
        Ok(())
    }

    /// Has GitLab resend; `None` if the result is not that of the delivery.
    async fn resend(
        &mut self,
        report: &mut HookReport,
        delivery: &Delivery,
    ) -> Result<Option<Resent>, RunError> {
        let (project, hook) = report.ids();
        let resent = self.client.resend(project, hook, delivery.newest).await;
        let now = (self.clock.now)();
        let resends = &mut self.paces.entry(project).or_default().resends;
        resends.record(now);
        let answer = match resent {
            Ok(status) => Answer::Status(status),
            Err(ApiError::Unreadable) => Answer::Failure,
            Err(ApiError::RateLimited(wait)) => {
                resends.block(now + wait.unwrap_or(LIMITS.reconcile.pace));
                report.done.rate_limits += 1;
                return Ok(None);
            }
            Err(ApiError::Refused(Refusal::HookDisabled)) => {
                report.done.is_refused = true;
                return Ok(None);
            }
            Err(ApiError::Refused(Refusal::UrlChanged) | ApiError::NotFound) => {
                return Ok(Some(Resent::Refused));
            }
            // GitLab says with 422 that there was no response.
            Err(ApiError::Refused(_) | ApiError::Timeout | ApiError::Unavailable) => {
                Answer::NoResponse
            }
            Err(error) if error.concerns_all_calls() => return Err(error.into()),
            Err(error) => {
                report.error = Some(error);
                return Ok(None);
            }
        };
        report.done.rate_limits = 0;
        Ok(Some(Resent::Answered(answer)))
    }

    /// Posts a record.
    async fn post(
        &mut self,
        report: &HookReport,
        delivery: &Delivery,
    ) -> Result<Option<Resent>, RunError> {
        let ids = report.ids();
        let memory = self.memory.entry(ids).or_default();
        let Some(record) = memory.records.get(delivery.newest) else {
            return Ok(Some(Resent::NoRoom));
        };
        let headers: Vec<_> = record
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let webhook = Webhook {
            key: &delivery.key,
            headers: &headers,
            body: super::late_body(record.body.get(), delivery.began),
        };
        let sender = Poster::new(&self.settings.gitlab, &report.declared.url)?;
        let posted = sender.post(webhook).await;
        if posted.answer.is_success()
            && let Some(cursor) = &mut self.cursor
        {
            let waits = report.log.waiting().map(|waiting| waiting.newest);
            let is_done =
                |id: &u64| *id == delivery.newest || cursor.is_finished(ids.0, ids.1, *id);
            let unfinished: Vec<u64> = waits.filter(|id| !is_done(id)).collect();
            cursor.finish(ids, delivery.newest, unfinished.into_iter())?;
        }
        Ok(Some(Resent::Answered(posted.answer)))
    }
}
