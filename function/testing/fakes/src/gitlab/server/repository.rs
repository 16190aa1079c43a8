//! What happened in a project: pushes, pipelines, merge requests and other events, in the form of the bodies that webhooks have.
//! Owns the record; how the API lists it is in `handlers`.

use std::time::Duration;

use serde_json::Value;

use super::Trigger;

/// One thing that happened.
#[derive(Clone)]
pub(super) struct Happened {
    pub(super) id: u64,
    pub(super) trigger: Trigger,
    pub(super) body: Value,
    pub(super) at: Duration,
}

#[derive(Default)]
pub(super) struct Repository {
    /// Oldest first.
    pub(super) history: Vec<Happened>,
}

impl Repository {
    /// All of a trigger, oldest first.
    pub(super) fn of(&self, trigger: Trigger) -> impl DoubleEndedIterator<Item = &Happened> {
        self.history
            .iter()
            .filter(move |one| one.trigger == trigger)
    }

    /// The commits of all pushes, newest first, each once.
    pub(super) fn commits(&self) -> Vec<&Value> {
        let pushes = self
            .history
            .iter()
            .filter(|one| matches!(one.trigger, Trigger::Push | Trigger::TagPush));
        let lists = pushes.filter_map(|push| push.body["commits"].as_array());
        let mut commits: Vec<&Value> = Vec::new();
        for commit in lists.flatten() {
            if !commits.iter().any(|known| known["id"] == commit["id"]) {
                commits.push(commit);
            }
        }
        commits.reverse();
        commits
    }
}
