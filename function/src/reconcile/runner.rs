//! Rounds over all declared hooks. Owns their order, and what is remembered between them, which can be lost at any
//! time. Logs are read in [`reading`](super::reading), [`steps`](super::steps) executes the plan of each hook, and
//! [`backfilling`](super::backfilling) replaces what was dropped.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::clock::Clock;
use super::cursor::{Cursor, CursorError};
use super::pace::Pace;
use super::plan::{PlanSettings, Resent, Testing, Way};
use super::post::PostError;
use super::progress::{Act, HookReport, Progress, Round};
use super::reading::Memory;
use crate::config::gitlab::reconcile::ReconcileConfig;
use crate::gitlab_api::{AlertStatus, ApiError, Client, ClientError, Hook, HookOwner};
use crate::hook_lookup;

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
    pub(super) cursor: Option<Cursor>,
    pub(super) paces: BTreeMap<u64, Paces>,
    pub(super) memory: BTreeMap<(u64, u64), Memory>,
}

#[derive(Debug, Default)]
pub(super) struct Paces {
    pub(super) tests: Pace,
    pub(super) resends: Pace,
}

impl fmt::Debug for Reconciler<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Reconciler").finish_non_exhaustive()
    }
}

impl<'a> Reconciler<'a> {
    /// Opens no connection. `observe` is called after each step.
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
        let mut made = 0;
        loop {
            self.work(&mut round.hooks, settings).await?;
            let hooks = round.hooks.iter();
            let answers = hooks.map(|report| report.done.answers.len()).sum();
            if made == answers || !self.load_rest(&mut round.hooks).await? {
                break;
            }
            made = answers;
        }
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
                Resent::NoRoom => false,
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
}

pub(super) fn is_disabled(hook: &Hook) -> bool {
    hook.alert_status != AlertStatus::Executable
}
