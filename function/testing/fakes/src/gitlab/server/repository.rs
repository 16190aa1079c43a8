//! What happened in a project, in the form of the bodies that webhooks have, and what follows from it: commits, branches,
//! pipelines and merge requests.
//! Owns the record and its reading; how the API shows it is in `handlers`.

use std::collections::BTreeMap;
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

/// A commit that a push lists.
#[derive(Clone)]
pub(super) struct Commit {
    pub(super) body: Value,
    pub(super) parent: Option<String>,
}

/// All that happened to one thing, such as a pipeline.
pub(super) struct Lifetime {
    pub(super) id: u64,
    /// Oldest first; never empty.
    pub(super) bodies: Vec<(Value, Duration)>,
    pub(super) created_at: Duration,
    pub(super) updated_at: Duration,
}

impl Lifetime {
    pub(super) fn first(&self) -> &Value {
        self.bodies.first().map_or(&Value::Null, |(body, _)| body)
    }

    pub(super) fn last(&self) -> &Value {
        self.bodies.last().map_or(&Value::Null, |(body, _)| body)
    }
}

/// In the order of a list: by number or by the time of the last change, the highest first unless asked otherwise.
pub(super) fn ordered(
    mut lifetimes: Vec<Lifetime>,
    order: Option<&str>,
    sort: Option<&str>,
) -> Vec<Lifetime> {
    if order == Some("updated_at") {
        lifetimes.sort_by_key(|lifetime| lifetime.updated_at);
    }
    if sort != Some("asc") {
        lifetimes.reverse();
    }
    lifetimes
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

    /// The things of a trigger by their number, the lowest first.
    pub(super) fn lifetimes(&self, trigger: Trigger, number: &str) -> Vec<Lifetime> {
        let mut all = BTreeMap::<u64, Lifetime>::new();
        for one in self.of(trigger) {
            let Some(id) = one.body["object_attributes"][number].as_u64() else {
                continue;
            };
            let lifetime = all.entry(id).or_insert_with(|| Lifetime {
                id,
                bodies: Vec::new(),
                created_at: one.at,
                updated_at: one.at,
            });
            lifetime.bodies.push((one.body.clone(), one.at));
            lifetime.updated_at = one.at;
        }
        all.into_values().collect()
    }

    fn pushes(&self) -> impl DoubleEndedIterator<Item = &Happened> {
        self.history
            .iter()
            .filter(|one| matches!(one.trigger, Trigger::Push | Trigger::TagPush))
    }

    /// The commits of a branch, a tag or a commit, the newest first.
    pub(super) fn ancestors(&self, head: &str) -> Vec<Commit> {
        let mut found: Vec<Commit> = Vec::new();
        let mut next = Some(head.to_owned());
        while let Some(commit) = next.as_deref().and_then(|id| self.commit(id)) {
            if found
                .iter()
                .any(|known| known.body["id"] == commit.body["id"])
            {
                break;
            }
            next.clone_from(&commit.parent);
            found.push(commit);
        }
        found
    }

    /// The commits that `to` has and `from` lacks, the oldest first.
    pub(super) fn between(&self, from: &str, to: &str) -> Vec<Commit> {
        let known = self.ancestors(from);
        let has = |commit: &Commit| {
            let id = &commit.body["id"];
            id == from || known.iter().any(|known| known.body["id"] == *id)
        };
        let mut commits = self.ancestors(to);
        if let Some(at) = commits.iter().position(has) {
            commits.truncate(at);
        }
        commits.reverse();
        commits
    }

    pub(super) fn commit(&self, id: &str) -> Option<Commit> {
        for push in self.pushes() {
            let Some(commits) = push.body["commits"].as_array() else {
                continue;
            };
            let Some(at) = commits.iter().position(|commit| commit["id"] == id) else {
                continue;
            };
            // A push lists its commits from the oldest; the first follows the head before it.
            let parent = match at.checked_sub(1) {
                Some(before) => &commits[before]["id"],
                None => &push.body["before"],
            };
            let parent = parent.as_str().filter(|_| !is_blank(parent));
            return Some(Commit {
                body: commits[at].clone(),
                parent: parent.map(str::to_owned),
            });
        }
        None
    }

    /// The commit of a branch, a tag or the beginning of an ID. A commit before the first push is known by its ID only.
    pub(super) fn resolve(&self, name: &str) -> Option<String> {
        let named = self
            .pushes()
            .rev()
            .find(|push| push.body["ref"].as_str().map(name_of_ref) == Some(name));
        if let Some(push) = named {
            let head = ["checkout_sha", "after"].map(|field| &push.body[field]);
            let head = head.into_iter().find(|head| head.is_string())?;
            return head.as_str().filter(|_| !is_blank(head)).map(str::to_owned);
        }
        if name.len() < 7 {
            return None;
        }
        let ids = self.pushes().flat_map(|push| {
            let commits = push.body["commits"].as_array().into_iter().flatten();
            commits
                .map(|commit| &commit["id"])
                .chain([&push.body["before"]])
        });
        let mut ids = ids.filter(|id| !is_blank(id)).filter_map(Value::as_str);
        ids.find(|id| id.starts_with(name)).map(str::to_owned)
    }

    /// The newest commits of the default branch, the newest first.
    pub(super) fn newest(&self) -> Vec<Value> {
        let head = self.resolve("main");
        let commits = head.map(|head| self.ancestors(&head)).unwrap_or_default();
        commits.into_iter().map(|commit| commit.body).collect()
    }
}

/// Whether it is the ID of no commit: zeros, or none at all.
pub(super) fn is_blank(id: &Value) -> bool {
    id.as_str()
        .is_none_or(|id| id.bytes().all(|byte| byte == b'0'))
}

/// `main` of `refs/heads/main`.
pub(super) fn name_of_ref(full: &str) -> &str {
    let prefixes = ["refs/heads/", "refs/tags/"];
    let mut names = prefixes
        .iter()
        .filter_map(|prefix| full.strip_prefix(prefix));
    names.next().unwrap_or(full)
}
