//! What the fake GitLab knows: users, tokens, projects, hooks, their event logs, and the requests it has received.
//! Owns the data and its look-ups; the rules are in `access`, `webhook` and `handlers`.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde_json::Value;
use tokio::sync::Barrier;

use super::hook::{Hook, Owner};
use super::limiter::Limiter;
use super::log::Event;
use super::reply::Reply;
use super::repository::Repository;
use super::{Access, RecordedRequest, Scope};

pub(super) struct User {
    pub(super) id: u64,
    pub(super) username: String,
    pub(super) is_admin: bool,
}

/// Whether a token can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenState {
    Active,
    Expired,
    Revoked,
}

pub(super) struct Token {
    pub(super) value: String,
    pub(super) user: u64,
    pub(super) scope: Scope,
    pub(super) state: TokenState,
}

pub(super) struct Group {
    pub(super) id: u64,
    pub(super) path: String,
    pub(super) members: BTreeMap<u64, Access>,
}

pub(super) struct Project {
    pub(super) id: u64,
    pub(super) path: String,
    pub(super) is_public: bool,
    pub(super) members: BTreeMap<u64, Access>,
    pub(super) repository: Repository,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) users: Vec<User>,
    pub(super) tokens: Vec<Token>,
    pub(super) groups: Vec<Group>,
    pub(super) projects: Vec<Project>,
    pub(super) hooks: Vec<Hook>,
    pub(super) events: Vec<Event>,
    pub(super) requests: Vec<RecordedRequest>,
    pub(super) limiter: Limiter,
    /// Responses that replace the next ones.
    pub(super) replacements: VecDeque<Reply>,
    /// The response that replaces all, if set.
    pub(super) replacement: Option<Reply>,
    /// Whether a page of an event log always names a next one.
    pub(super) has_endless_logs: bool,
    /// Where the next lists of hooks wait for each other, and how many of them.
    pub(super) meeting: Option<(Arc<Barrier>, usize)>,
    last_id: u64,
}

impl State {
    /// A new ID. They are unique over all kinds of things, so that no test mistakes one for another.
    pub(super) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// Where this list of hooks waits for others.
    pub(super) fn meeting(&mut self) -> Option<Arc<Barrier>> {
        let (barrier, left) = self.meeting.take()?;
        if left > 1 {
            self.meeting = Some((Arc::clone(&barrier), left - 1));
        }
        Some(barrier)
    }

    pub(super) fn user(&self, id: u64) -> Option<&User> {
        self.users.iter().find(|user| user.id == id)
    }

    /// A project by its ID or its full path, as the API names it.
    pub(super) fn project(&self, name: &str) -> Option<&Project> {
        self.projects.iter().find(|project| project.is(name))
    }

    pub(super) fn project_mut(&mut self, name: &str) -> Option<&mut Project> {
        self.projects.iter_mut().find(|project| project.is(name))
    }

    pub(super) fn group(&self, name: &str) -> Option<&Group> {
        let id = name.parse();
        self.groups
            .iter()
            .find(|group| Ok(group.id) == id || group.path.eq_ignore_ascii_case(name))
    }

    /// The access that a user has to a project by itself or by one of the groups above it.
    pub(super) fn access(&self, user: u64, project: &Project) -> Option<Access> {
        let groups = self
            .groups
            .iter()
            .filter(|group| project.is_in(&group.path));
        let inherited = groups.filter_map(|group| group.members.get(&user));
        inherited.chain(project.members.get(&user)).max().copied()
    }

    pub(super) fn hooks_of(&self, owner: Owner) -> impl Iterator<Item = &Hook> {
        self.hooks.iter().filter(move |hook| hook.owner == owner)
    }

    pub(super) fn hook(&self, owner: Owner, id: u64) -> Option<&Hook> {
        self.hooks_of(owner).find(|hook| hook.id == id)
    }

    pub(super) fn hook_mut(&mut self, id: u64) -> Option<&mut Hook> {
        self.hooks.iter_mut().find(|hook| hook.id == id)
    }
}

impl Project {
    fn is(&self, name: &str) -> bool {
        name.parse() == Ok(self.id) || self.path.eq_ignore_ascii_case(name)
    }

    /// Whether it is in this group or in one of its subgroups.
    pub(super) fn is_in(&self, group: &str) -> bool {
        let rest = self.path.strip_prefix(group);
        rest.is_some_and(|rest| rest.starts_with('/'))
    }

    /// The path of the group or user that it is in.
    pub(super) fn namespace(&self) -> &str {
        self.path
            .rsplit_once('/')
            .map_or("", |(namespace, _)| namespace)
    }

    pub(super) fn name(&self) -> &str {
        self.path
            .rsplit_once('/')
            .map_or(&self.path, |(_, name)| name)
    }
}

/// Why an expression in a test gives no JSON object.
pub(super) fn object(value: &Value) -> &serde_json::Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        other => panic!("expected a JSON object, found {other}"),
    }
}
