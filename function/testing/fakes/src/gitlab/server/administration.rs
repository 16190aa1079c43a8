//! What people do on the fake GitLab while it runs: they make projects, users, tokens and hooks, and let things happen.
//! Owns these methods of the handle.

use serde_json::Value;

use super::call::Parameters;
use super::handlers::apply;
use super::hook::{Hook, Owner};
use super::repository::Repository;
use super::state::{Group, Project, State, Token, TokenState, User, object};
use super::{Access, Attempt, FakeGitLab, Scope, Trigger};

impl FakeGitLab {
    /// Makes a private project with this full path, such as `acme/rocket`, and the groups above it. Returns its ID.
    pub fn add_project(&self, path: &str) -> u64 {
        let id = self.server.state().next_id() + 1000;
        self.add_project_with_id(path, id)
    }

    /// The same with a given ID.
    ///
    /// # Panics
    /// If the path or the ID is in use.
    pub fn add_project_with_id(&self, path: &str, id: u64) -> u64 {
        let mut state = self.server.state();
        let in_use = state.project(path).is_some() || state.project(&id.to_string()).is_some();
        assert!(!in_use, "there is a project {path} or {id}");
        let groups = path.match_indices('/').map(|(at, _)| &path[..at]);
        for group in groups {
            add_group(&mut state, group);
        }
        state.projects.push(Project {
            id,
            path: path.to_owned(),
            is_public: false,
            members: [].into(),
            repository: Repository::default(),
        });
        id
    }

    /// Makes a project visible to all users.
    pub fn make_public(&self, project: &str) {
        known(&mut self.server.state(), project).is_public = true;
    }

    /// Makes a group without projects. Returns its ID.
    pub fn add_group(&self, path: &str) -> u64 {
        add_group(&mut self.server.state(), path)
    }

    /// Makes a user, who has access to nothing. Returns the ID.
    pub fn add_user(&self, username: &str) -> u64 {
        add_user(&mut self.server.state(), username, false)
    }

    /// Makes an administrator. Returns a token with the scope `api`.
    pub fn add_administrator(&self, username: &str) -> String {
        add_user(&mut self.server.state(), username, true);
        self.add_token(username, Scope::Api)
    }

    /// Makes an access token of a user.
    ///
    /// # Panics
    /// If there is no such user.
    pub fn add_token(&self, username: &str, scope: Scope) -> String {
        let mut state = self.server.state();
        let user = user_id(&state, username);
        // A unique text, so that tests can search logs and responses for leaks of it.
        let value = format!("glpat-canary-{username}-{}-never-shown", state.next_id());
        state.tokens.push(Token {
            value: value.clone(),
            user,
            scope,
            state: TokenState::Active,
        });
        value
    }

    /// Revokes a token.
    pub fn revoke_token(&self, token: &str) {
        self.set_token(token, TokenState::Revoked);
    }

    /// Lets a token expire.
    pub fn expire_token(&self, token: &str) {
        self.set_token(token, TokenState::Expired);
    }

    fn set_token(&self, value: &str, to: TokenState) {
        let mut state = self.server.state();
        let mut tokens = state.tokens.iter_mut();
        match tokens.find(|token| token.value == value) {
            Some(token) => token.state = to,
            None => panic!("there is no such token"),
        }
    }

    /// Gives a user access to a project or to a group, or takes it away.
    ///
    /// # Panics
    /// If there is no such user, project or group.
    pub fn set_access(&self, username: &str, path: &str, access: Option<Access>) {
        let mut state = self.server.state();
        let user = user_id(&state, username);
        let group = state.groups.iter_mut().find(|group| group.path == path);
        let members = match group {
            Some(group) => &mut group.members,
            None => &mut known(&mut state, path).members,
        };
        match access {
            Some(access) => members.insert(user, access),
            None => members.remove(&user),
        };
    }

    /// Makes a hook of a project, as a person does in the browser: no request is recorded. `fields` are those of the API.
    ///
    /// # Panics
    /// If there is no such project, or if GitLab would refuse the fields.
    pub fn add_hook(&self, project: &str, fields: &Value) -> u64 {
        let owner = Owner::Project(known(&mut self.server.state(), project).id);
        self.add_hook_of(owner, fields)
    }

    /// Makes a system hook in the same way.
    ///
    /// # Panics
    /// If GitLab would refuse the fields.
    pub fn add_system_hook(&self, fields: &Value) -> u64 {
        self.add_hook_of(Owner::System, fields)
    }

    fn add_hook_of(&self, owner: Owner, fields: &Value) -> u64 {
        let mut hook = Hook::new(0, owner, self.server.clock.now());
        let parameters = Parameters::of(object(fields));
        if let Err(rejection) = apply(&self.server, &mut hook, &parameters) {
            panic!("GitLab refuses this hook: {}", rejection.body);
        }
        let mut state = self.server.state();
        hook.id = state.next_id();
        let id = hook.id;
        state.hooks.push(hook);
        id
    }

    /// Changes fields of a hook, as a person does in the browser.
    ///
    /// # Panics
    /// If there is no such hook, or if GitLab would refuse the fields.
    pub fn change_hook(&self, hook: u64, fields: &Value) {
        let found = self.server.state().hook_mut(hook).cloned();
        let Some(mut changed) = found else {
            panic!("there is no hook {hook}");
        };
        let parameters = Parameters::of(object(fields));
        if let Err(rejection) = apply(&self.server, &mut changed, &parameters) {
            panic!("GitLab refuses this hook: {}", rejection.body);
        }
        if let Some(hook) = self.server.state().hook_mut(hook) {
            *hook = changed;
        }
    }

    /// Disables a hook until somebody tests it, as 40 failures in a row do.
    ///
    /// # Panics
    /// If there is no such hook.
    pub fn disable_hook(&self, hook: u64) {
        match self.server.state().hook_mut(hook) {
            Some(hook) => hook.disable(),
            None => panic!("there is no hook {hook}"),
        }
    }

    /// Names a page after the last one of an event log, for ever, which GitLab does not.
    pub fn make_logs_endless(&self) {
        self.server.state().has_endless_logs = true;
    }

    /// Changes the record of a body, for one that is too large to be sent in a test.
    ///
    /// # Panics
    /// If there is no such record.
    pub fn replace_record(&self, event: u64, body: Value) {
        let mut state = self.server.state();
        match state.events.iter_mut().find(|other| other.id == event) {
            Some(event) => event.request_data = body,
            None => panic!("there is no event {event}"),
        }
    }

    /// Deletes a hook and its event log.
    pub fn delete_hook(&self, hook: u64) {
        let mut state = self.server.state();
        state.hooks.retain(|other| other.id != hook);
        state.events.retain(|event| event.hook != hook);
    }

    /// The IDs of the hooks of a project.
    ///
    /// # Panics
    /// If there is no such project.
    pub fn hooks_of(&self, project: &str) -> Vec<u64> {
        let state = self.server.state();
        let Some(project) = state.project(project) else {
            panic!("there is no project {project}");
        };
        let hooks = state.hooks_of(Owner::Project(project.id));
        hooks.map(|hook| hook.id).collect()
    }

    /// A hook as the API shows it.
    ///
    /// # Panics
    /// If there is no such hook.
    pub fn hook(&self, hook: u64) -> Value {
        let found = self.server.state().hook_mut(hook).cloned();
        match found {
            Some(hook) => self.server.shown(&hook, false),
            None => panic!("there is no hook {hook}"),
        }
    }

    /// The secret token and the signing token of a hook, which the API does not show.
    pub fn secrets(&self, hook: u64) -> (Option<String>, Option<String>) {
        let mut state = self.server.state();
        let hook = state.hook_mut(hook);
        hook.map_or((None, None), |hook| {
            (hook.token.clone(), hook.signing_token.clone())
        })
    }

    /// All records of a hook as the API shows them, oldest first, also those older than seven days.
    pub fn events(&self, hook: u64) -> Vec<Value> {
        let state = self.server.state();
        let events = state.events.iter().filter(|event| event.hook == hook);
        events.map(|event| event.json(true)).collect()
    }

    /// Something happens in a project: the API lists it from now on, and it is sent to the hooks with this trigger.
    ///
    /// Hooks that are disabled or that filter the branch get nothing, and nothing is recorded for them. Waits for the responses.
    ///
    /// # Panics
    /// If there is no such project.
    pub async fn happen(&self, project: &str, trigger: Trigger, body: &Value) -> Vec<Attempt> {
        self.record_event(project, trigger, body);
        self.deliver(project, trigger, body).await
    }

    /// Something happens in a project and is not sent to any hook, as if none had the trigger.
    ///
    /// # Panics
    /// If there is no such project.
    pub fn record_event(&self, project: &str, trigger: Trigger, body: &Value) {
        self.server.record_event(project, trigger, body);
    }

    /// Sends a body to the hooks with this trigger, without listing it in the API.
    ///
    /// # Panics
    /// If there is no such project.
    pub async fn deliver(&self, project: &str, trigger: Trigger, body: &Value) -> Vec<Attempt> {
        self.server.deliver(project, trigger, body).await
    }
}

fn known<'a>(state: &'a mut State, project: &str) -> &'a mut Project {
    match state.project_mut(project) {
        Some(project) => project,
        None => panic!("there is no project {project}"),
    }
}

fn user_id(state: &State, username: &str) -> u64 {
    let user = state.users.iter().find(|user| user.username == username);
    user.unwrap_or_else(|| panic!("there is no user {username}"))
        .id
}

fn add_user(state: &mut State, username: &str, is_admin: bool) -> u64 {
    let taken = state.users.iter().any(|user| user.username == username);
    assert!(!taken, "there is a user {username}");
    let id = state.next_id();
    state.users.push(User {
        id,
        username: username.to_owned(),
        is_admin,
    });
    id
}

fn add_group(state: &mut State, path: &str) -> u64 {
    if let Some(group) = state.groups.iter().find(|group| group.path == path) {
        return group.id;
    }
    let id = state.next_id();
    state.groups.push(Group {
        id,
        path: path.to_owned(),
        members: [].into(),
    });
    id
}
