//! Executes the [`plan`](super::plan) of every hook. Owns the calls, the clock, and what is remembered between rounds:
//! the entries of the logs, so that only new ones are read, and the pace of each project. All of it can be lost at any
//! time.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, SystemTime};

use futures_util::future::LocalBoxFuture;

use super::cursor::{Cursor, CursorError};
use super::entry;
use super::log::{Answer, Attempt, Delivery, Log};
use super::pace::Pace;
use super::plan::{self, Ending, HookState, PlanSettings, Resent, Step, Testing, Way};
use super::post::{PostError, Poster, Webhook};
use super::progress::{Act, HookReport, Progress, Round};
use crate::config::reconcile::ReconcileConfig;
use crate::gitlab::username::GitLabUsername;
use crate::gitlab_api::{
    AlertStatus, ApiError, Client, ClientError, Hook, HookEvent, HookOwner, Refusal,
};
use crate::hook_lookup;
use crate::limits::LIMITS;

/// What time it is, and how to wait.
pub struct Clock {
    /// The time.
    pub now: Box<dyn Fn() -> SystemTime>,
    /// Waits for this long.
    pub pause: Box<dyn Fn(Duration) -> LocalBoxFuture<'static, ()>>,
}

impl Clock {
    /// The clock of this machine.
    pub fn of_system() -> Self {
        Self {
            now: Box::new(SystemTime::now),
            pause: Box::new(|time| Box::pin(tokio::time::sleep(time))),
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Clock").finish_non_exhaustive()
    }
}

/// Why a round failed as a whole.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The client of GitLab could not be created.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The client of webhooks could not be created.
    #[error(transparent)]
    Post(#[from] PostError),
    /// A call failed, and all others would.
    #[error("{0}")]
    Api(ApiError),
    /// The cursor file cannot be used.
    #[error("{0}")]
    Cursor(String),
}

impl From<ApiError> for RunError {
    fn from(error: ApiError) -> Self {
        Self::Api(error)
    }
}

impl From<CursorError> for RunError {
    fn from(error: CursorError) -> Self {
        Self::Cursor(error.to_string())
    }
}

/// What a run does.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Run {
    /// One round, which waits for the pace that GitLab allows.
    pub once: bool,
    /// Whether records are posted without GitLab.
    pub direct: bool,
    /// For how long back dropped events are replaced.
    pub backfill: Option<Duration>,
}

/// Reconciles the declared hooks, round by round.
pub struct Reconciler<'a> {
    pub(super) settings: &'a ReconcileConfig,
    pub(super) run: Run,
    pub(super) client: Client,
    pub(super) clock: Clock,
    observe: Box<dyn FnMut(&Progress<'_>) + 'a>,
    cursor: Option<Cursor>,
    paces: BTreeMap<u64, Paces>,
    memory: BTreeMap<(u64, u64), Memory>,
}

#[derive(Debug, Default)]
struct Paces {
    tests: Pace,
    resends: Pace,
}

/// What is remembered of one hook.
#[derive(Default)]
struct Memory {
    attempts: BTreeMap<u64, Attempt>,
    /// Entries that `--direct` may send.
    failed: BTreeMap<u64, HookEvent>,
    /// Resends whose result stays the same.
    resends: BTreeMap<String, Resent>,
}

impl fmt::Debug for Reconciler<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Reconciler").finish_non_exhaustive()
    }
}

impl<'a> Reconciler<'a> {
    /// Opens no connection. `observe` is told what is done.
    pub fn new(
        settings: &'a ReconcileConfig,
        run: Run,
        clock: Clock,
        observe: impl FnMut(&Progress<'_>) + 'a,
    ) -> Result<Self, RunError> {
        let path = settings.cursor_file.as_deref().filter(|_| run.direct);
        Ok(Self {
            client: Client::new(&settings.gitlab.server)?,
            cursor: path.map(Cursor::open).transpose()?,
            settings,
            run,
            clock,
            observe: Box::new(observe),
            paces: BTreeMap::new(),
            memory: BTreeMap::new(),
        })
    }

    /// Does once for all hooks what can be done.
    pub async fn round(&mut self) -> Result<Round, RunError> {
        let mut round = Round::default();
        let lookups = hook_lookup::look_up(&self.client, &self.settings.gitlab.hooks).await?;
        for lookup in lookups {
            match lookup.found {
                Err(error) => round.errors.push((lookup.place, error)),
                Ok(found) => match found.owner {
                    HookOwner::System => round.system_hooks += 1,
                    HookOwner::Project(_) if found.hooks.is_empty() => {
                        round.missing.push(lookup.place);
                    }
                    HookOwner::Project(project) => {
                        for hook in found.hooks {
                            let (place, declared) = (lookup.place.clone(), lookup.declared.clone());
                            round
                                .hooks
                                .push(HookReport::new(place, project, hook, declared));
                        }
                    }
                },
            }
        }
        let settings = PlanSettings {
            way: if self.run.direct {
                Way::Direct
            } else {
                Way::GitLab
            },
            testing: self.testing(&round.hooks).await?,
        };
        for report in &mut round.hooks {
            self.load(report).await?;
            self.tell(report, Act::Found);
        }
        self.work(&mut round.hooks, settings).await?;
        for report in &mut round.hooks {
            if report.is_readable() && self.run.backfill.is_some() {
                self.backfill(report).await?;
            }
            if !report.done.answers.is_empty() {
                self.load(report).await?;
            }
            let memory = self.memory.entry(report.ids()).or_default();
            let is_final = |resent: &Resent| match resent {
                Resent::Answered(answer) => answer.is_final(),
                Resent::Refused => true,
            };
            let resends = report
                .done
                .resends
                .iter()
                .filter(|(_, resent)| is_final(resent));
            memory.resends = resends
                .map(|(key, resent)| (key.clone(), *resent))
                .collect();
        }
        round.ended = Some((self.clock.now)());
        Ok(round)
    }

    pub(super) fn tell(&mut self, report: &HookReport, act: Act<'_>) {
        (self.observe)(&Progress { report, act });
    }

    /// Whether hooks may be tested, which only matters if one of them is disabled.
    async fn testing(&self, hooks: &[HookReport]) -> Result<Testing, RunError> {
        let Some(expected) = &self.settings.reconcile_user else {
            return Ok(Testing::NoUser);
        };
        if !hooks.iter().any(|report| is_disabled(&report.hook)) {
            return Ok(Testing::Allowed);
        }
        let user = self.client.user().await?;
        Ok(if user.username.eq_ignore_ascii_case(expected.as_str()) {
            Testing::Allowed
        } else {
            Testing::OtherUser
        })
    }

    /// Reads the new entries of a log.
    pub(super) async fn load(&mut self, report: &mut HookReport) -> Result<(), RunError> {
        let (project, hook) = report.ids();
        let memory = self.memory.entry((project, hook)).or_default();
        let known = memory.attempts.keys().next_back().copied();
        let user = self.settings.reconcile_user.as_ref();
        let user = user.map(GitLabUsername::as_str);
        let mut page = Some(1);
        let mut read = 0;
        while let Some(number) = page.filter(|_| read < LIMITS.reconcile.max_entries) {
            let events = match self.client.hook_events(project, hook, number).await {
                Ok(events) => events,
                Err(error) if error.concerns_all_calls() => return Err(error.into()),
                Err(error) => {
                    report.error = Some(error);
                    return Ok(());
                }
            };
            read += events.entries.len();
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

    /// Takes steps for all hooks in turn until there is nothing to do, or in a loop until all have to wait.
    async fn work(
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
                        earliest = Some(earliest.map_or(until, |time| time.min(until)))
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
        let event = memory.failed.get(&delivery.newest);
        let Some((event, data)) =
            event.and_then(|event| Some((event, event.request_data.as_ref()?)))
        else {
            return Ok(Some(Resent::Refused));
        };
        let headers: Vec<_> = event
            .request_headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let webhook = Webhook {
            key: &delivery.key,
            headers: &headers,
            body: super::late_body(data.get(), delivery.began),
        };
        let poster = Poster::new(&self.settings.gitlab, &report.declared.url)?;
        let posted = poster.post(webhook, (self.clock.now)()).await;
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

fn is_disabled(hook: &Hook) -> bool {
    hook.alert_status != AlertStatus::Executable
}
