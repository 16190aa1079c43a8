//! Finds what GitLab dropped while a hook was disabled. Owns the calls that list what happened in a project, and those
//! that complete it. Bodies are written in [`backfill`](super::backfill); what was delivered is known from the
//! [`log`](super::log), which must be read after the lists, so that nothing is in neither.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use super::backfill::branch_filter::Verdict;
use super::backfill::listed::{Activity, ListedPipeline, MergeRequestFacts, ProjectFacts};
use super::backfill::{
    BackfillKind, Object, Replacement, bodies, branch_filter, merge_requests, time,
};
use super::details::Objects;
use super::log::Log;
use super::window::Window;
use crate::gitlab_api::{ApiError, Client, Hook, Trigger};
use crate::limits::LIMITS;

/// Something that happened, as a list of the API shows it.
#[derive(Clone, Debug)]
pub(crate) struct Happened {
    pub(crate) object: Object,
    pub(crate) at: SystemTime,
    source: Source,
}

#[derive(Clone, Debug)]
enum Source {
    Push(Box<Activity>),
    Pipeline,
    MergeRequest(Box<MergeRequestFacts>),
}

/// What happened in a project.
#[derive(Debug)]
pub(crate) struct History {
    project: ProjectFacts,
    /// What backfill can send, oldest first, and pushes outside the window.
    happened: Vec<Happened>,
    /// What it cannot: nouns in the plural, the beginning of their trigger in the log, and the time.
    others: Vec<(&'static str, &'static str, SystemTime)>,
    /// Merge requests that were changed in another way, and when.
    updated: Vec<(u64, SystemTime)>,
    window: Window,
}

/// Lists what happened and would have triggered this hook.
pub(crate) async fn list(
    client: &Client,
    project: u64,
    hook: &Hook,
    window: Window,
) -> Result<History, ApiError> {
    let id = project.to_string();
    let mut history = History {
        project: client.get(&["projects", &id], &[]).await?,
        happened: Vec::new(),
        others: Vec::new(),
        updated: Vec::new(),
        window,
    };
    let has = |trigger| hook.triggers.contains(trigger);
    // The API compares days and leaves out the one that it is given.
    let after = rfc3339(window.since - Duration::from_hours(24));
    let after = after.get(..10).unwrap_or_default();
    let query = [("after", after)];
    let activities: Vec<Activity> = client.list(&["projects", &id, "events"], &query).await?;
    // Lists have the newest first, and times have whole seconds.
    for activity in activities.into_iter().rev() {
        history.add_activity(activity, hook);
    }
    let since = rfc3339(window.since);
    if has(Trigger::Pipeline) {
        let query = [("updated_after", since.as_str())];
        let pipelines: Vec<ListedPipeline> =
            client.list(&["projects", &id, "pipelines"], &query).await?;
        for pipeline in pipelines.into_iter().rev() {
            let at = time(pipeline.updated_at.as_deref());
            let object = Object::Pipeline {
                id: pipeline.id,
                status: pipeline.status,
            };
            history.add(object, at, Source::Pipeline);
        }
    }
    if has(Trigger::MergeRequests) {
        let query = [
            ("updated_after", since.as_str()),
            ("state", "all"),
            ("scope", "all"),
        ];
        let path = ["projects", &id, "merge_requests"];
        let requests: Vec<MergeRequestFacts> = client.list(&path, &query).await?;
        for request in requests.into_iter().rev() {
            history.add_merge_request(&request);
        }
    }
    history.happened.sort_by_key(|happened| happened.at);
    Ok(history)
}

impl Happened {
    /// Between it and a time of the log; none if the log does not say.
    fn distance(&self, at: Option<SystemTime>) -> Duration {
        let at = at.unwrap_or(self.at);
        let later = at.duration_since(self.at);
        later.unwrap_or_else(|error| error.duration())
    }
}

impl History {
    fn add(&mut self, object: Object, at: Option<SystemTime>, source: Source) {
        if let Some(at) = at.filter(|at| self.window.contains(*at)) {
            self.happened.push(Happened { object, at, source });
        }
    }

    fn add_activity(&mut self, activity: Activity, hook: &Hook) {
        let at = time(activity.created_at.as_deref());
        if let Some(object) = bodies::pushed(&activity) {
            let trigger = match object.kind() {
                BackfillKind::TagPush => Trigger::TagPush,
                _ => Trigger::Push,
            };
            let is_triggered = hook.triggers.contains(trigger)
                && branch_filter::verdict(hook, &object) != Verdict::Filtered;
            // Those outside the window account for records of equal pushes.
            if let Some(at) = at.filter(|_| is_triggered) {
                let source = Source::Push(Box::new(activity));
                self.happened.push(Happened { object, at, source });
            }
            return;
        }
        let (noun, name, trigger) = match (
            activity.action_name.as_deref(),
            activity.target_type.as_deref(),
        ) {
            (Some("commented on"), _) => ("comments", "note", Trigger::Note),
            (_, Some("Issue" | "WorkItem")) => ("issues", "issue", Trigger::Issues),
            (_, Some("Milestone")) => ("milestones", "milestone", Trigger::Milestone),
            (_, Some("WikiPage::Meta")) => ("wiki pages", "wiki_page", Trigger::WikiPage),
            _ => return,
        };
        if let Some(at) =
            at.filter(|at| hook.triggers.contains(trigger) && self.window.contains(*at))
        {
            self.others.push((noun, name, at));
        }
    }

    fn add_merge_request(&mut self, request: &MergeRequestFacts) {
        let before = self.happened.len();
        for object in merge_requests::changes(request) {
            let at = match &object {
                Object::MergeRequest { at, .. } => {
                    Some(SystemTime::UNIX_EPOCH + Duration::from_secs(*at))
                }
                _ => None,
            };
            let source = Source::MergeRequest(Box::new(request.clone()));
            self.add(object, at, source);
        }
        let updated = time(request.updated_at.as_deref());
        let updated =
            updated.filter(|at| self.happened.len() == before && self.window.contains(*at));
        self.updated.extend(updated.map(|at| (request.iid, at)));
    }

    /// How many of what cannot be replaced the log has no record of, by a noun in the plural.
    pub(crate) fn others(&self, log: &Log) -> BTreeMap<&'static str, usize> {
        let mut others = BTreeMap::new();
        for (noun, ..) in &self.others {
            *others.entry(*noun).or_default() += 1;
        }
        for (noun, name, _) in &self.others {
            let listed = self
                .others
                .iter()
                .filter(|(other, ..)| other == noun)
                .count();
            let recorded = log.deliveries.iter().filter(|delivery| {
                let trigger = delivery.trigger.strip_prefix("confidential_");
                let trigger = trigger.unwrap_or(&delivery.trigger);
                let is_in_time = delivery
                    .began
                    .is_none_or(|began| self.window.since <= began);
                trigger.starts_with(name) && is_in_time
            });
            others.insert(*noun, listed.saturating_sub(recorded.count()));
        }
        let is_recorded = |(iid, at): &&(u64, SystemTime)| log.records_change(*iid, *at);
        let updates = self
            .updated
            .iter()
            .filter(|update| !is_recorded(update))
            .count();
        others.insert("updates of merge requests", updates);
        others.retain(|_, count| *count > 0);
        others
    }

    /// What the log has no record of. The record of a push accounts for one push, the nearest of those before it. An
    /// attempt that succeeded with a body that is too large for the log is about the object of its kind whose time is
    /// nearest, so that no message is sent twice.
    pub(crate) fn missing(&self, log: &Log) -> Vec<&Happened> {
        let mut missing: Vec<_> = self.happened.iter().collect();
        for recorded in &log.objects {
            let Object::Push { at, .. } = recorded else {
                missing.retain(|happened| !recorded.covers(&happened.object));
                continue;
            };
            let same = missing.iter().enumerate();
            let same = same.filter(|(_, happened)| recorded.covers(&happened.object));
            let sent = at.map(|at| SystemTime::UNIX_EPOCH + Duration::from_secs(at));
            let nearest = same.min_by_key(|(_, happened)| happened.distance(sent));
            if let Some((nearest, _)) = nearest {
                missing.remove(nearest);
            }
        }
        for (trigger, at) in &log.delivered_oversize {
            let kind = BackfillKind::of_trigger(trigger);
            let same = missing.iter().enumerate();
            let same = same.filter(|(_, happened)| Some(happened.object.kind()) == kind);
            let near = same
                .filter(|(_, happened)| happened.distance(*at) <= LIMITS.reconcile.same_delivery);
            if let Some((nearest, _)) = near.min_by_key(|(_, happened)| happened.distance(*at)) {
                missing.remove(nearest);
            }
        }
        missing.retain(|happened| self.window.contains(happened.at));
        missing
    }

    /// The webhook that replaces the dropped one; `None` if GitLab no longer has the object.
    pub(crate) async fn replacement(
        &self,
        client: &Client,
        happened: &Happened,
    ) -> Result<Option<Replacement>, ApiError> {
        let project = &self.project;
        let api = Objects { client, project };
        match (&happened.source, &happened.object) {
            (
                Source::Push(activity),
                Object::Push {
                    reference,
                    before,
                    after,
                    ..
                },
            ) => {
                let found = api.reference(reference).await?;
                let comparison = api
                    .comparison(reference, before, after, found.as_ref())
                    .await?;
                Ok(bodies::push(project, activity, &comparison, found.as_ref()))
            }
            (Source::MergeRequest(request), object) => {
                let commit = api.commit(request.sha.as_deref()).await?;
                let object = object.clone();
                Ok(merge_requests::merge_request(
                    project,
                    request,
                    object,
                    commit.as_ref(),
                ))
            }
            (Source::Pipeline, Object::Pipeline { id, .. }) => api.pipeline(*id).await,
            (Source::Push(_) | Source::Pipeline, _) => Ok(None),
        }
    }
}

fn rfc3339(time: SystemTime) -> String {
    humantime::format_rfc3339_seconds(time).to_string()
}
