//! A strict fake of GitLab's REST API: projects, webhooks and their event logs. It refuses what the real one refuses, and sends,
//! records, redacts, disables and drops as the real one does.
//! Owns the handle that tests use. What is not certain of GitLab is decided by its source, of which each file names its part.

mod access;
mod administration;
mod builder;
mod call;
mod connection;
mod handlers;
mod hook;
mod inspect;
mod limiter;
mod log;
mod outbound;
mod pagination;
mod reply;
mod repository;
mod state;
mod time;
mod trigger;
mod webhook;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::Barrier;
use tokio::task::JoinHandle;

pub use access::{Access, Scope};
pub use builder::Builder;
pub use trigger::Trigger;

use builder::Settings;
use hook::{Hook, Owner};
use reply::Reply;
use repository::Happened;
use state::{Project, State};
use time::Clock;
use webhook::{Executed, Force, Sending};

/// The project that every [`FakeGitLab`] has, which is that of [`super::Delivery::push_sample`].
pub const PROJECT: &str = "acme/rocket";
const PROJECT_ID: u64 = 42;

/// A running fake GitLab. Dropping it stops it.
pub struct FakeGitLab {
    address: SocketAddr,
    server: Arc<Server>,
    task: JoinHandle<()>,
    token: String,
    admin_token: String,
}

/// One attempt to send a webhook, which is recorded in the event log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The hook.
    pub hook_id: u64,
    /// The record.
    pub event_id: u64,
    /// The same for all attempts of an event.
    pub idempotency_key: String,
    /// The status of the response, if there was one.
    pub status: Option<u16>,
}

/// A request to the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedRequest {
    /// Such as `GET`.
    pub method: String,
    /// As it was sent, such as `/api/v4/projects/acme%2Frocket/hooks`.
    pub path: String,
    /// As it was sent; empty if there is none.
    pub query: String,
    /// The body; bytes outside UTF-8 are replaced.
    pub body: String,
    /// Whose token it carried.
    pub username: Option<String>,
    /// The status of the response.
    pub status: u16,
}

/// What the handle and the connections share.
struct Server {
    settings: Settings,
    clock: Clock,
    state: Mutex<State>,
}

impl FakeGitLab {
    /// Starts GitLab 19.3 on a free port of 127.0.0.1, with the project [`PROJECT`] and the user `webhook-bot`, its maintainer.
    ///
    /// # Panics
    /// If no port is free.
    pub async fn start() -> Self {
        match Self::builder().start().await {
            Ok(started) => started,
            Err(error) => panic!("the fake GitLab cannot listen: {error}"),
        }
    }

    /// Settings to change before it starts.
    pub fn builder() -> Builder {
        Builder::default()
    }

    fn new(address: SocketAddr, server: Arc<Server>, task: JoinHandle<()>) -> Self {
        Self {
            address,
            server,
            task,
            token: String::new(),
            admin_token: String::new(),
        }
    }

    /// What the program `fake-gitlab-api` prints at its start: the address, the project and tokens.
    pub fn announce(&self) -> Value {
        json!({
            "listening": self.url(),
            "project": PROJECT,
            "token": self.token(),
            "read_token": self.add_token("webhook-bot", Scope::ReadApi),
            "admin_token": self.admin_token(),
        })
    }

    /// Its base URL, such as `http://127.0.0.1:40123`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A token of `webhook-bot` with the scope `api`: a unique text, so that tests can search for leaks of it.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// A token of `root`, an administrator, with the scope `api`.
    pub fn admin_token(&self) -> &str {
        &self.admin_token
    }

    /// Moves the clock forward. Limits, pauses of hooks and the age of records follow it; signatures have the time of the machine,
    /// because the receiver has it, too.
    pub fn advance(&self, by: Duration) {
        self.server.clock.advance(by);
    }

    /// Its time, since 1970.
    pub fn now(&self) -> Duration {
        self.server.clock.now()
    }

    /// All requests to the API so far, oldest first.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.server.state().requests.clone()
    }

    /// Forgets the requests so far.
    pub fn clear_requests(&self) {
        self.server.state().requests.clear();
    }

    /// Replaces the response to the next request; several are used in the order in which they were given.
    pub fn answer_next(&self, status: u16, headers: &[(&str, &str)], body: &str) {
        let reply = replacement(status, headers, body);
        self.server.state().replacements.push_back(reply);
    }

    /// Replaces all responses until [`Self::answer_normally`].
    pub fn answer_always(&self, status: u16, headers: &[(&str, &str)], body: &str) {
        self.server.state().replacement = Some(replacement(status, headers, body));
    }

    /// Sends the responses to lists of hooks only when `clients` of them were asked for, so that as many clients decide by the
    /// same list; does so `times` times.
    pub fn hold_lists_of_hooks(&self, clients: usize, times: usize) {
        let barrier = Arc::new(Barrier::new(clients));
        self.server.state().meeting = Some((barrier, clients * times));
    }

    /// Ends all replacements of responses.
    pub fn answer_normally(&self) {
        let mut state = self.server.state();
        state.replacement = None;
        state.replacements.clear();
    }
}

impl Drop for FakeGitLab {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn replacement(status: u16, headers: &[(&str, &str)], body: &str) -> Reply {
    let headers = headers.iter();
    Reply {
        status,
        headers: headers
            .map(|&(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        body: body.to_owned(),
    }
}

impl Server {
    fn state(&self) -> MutexGuard<'_, State> {
        // A test that panicked while it held the lock has only read.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A hook as the API shows it.
    fn shown(&self, hook: &Hook, in_list: bool) -> Value {
        let signing = self.settings.version.has_signing_tokens();
        hook.json(self.clock.now(), signing, in_list)
    }

    /// A project as the bodies of webhooks have it.
    fn webhook_project(&self, project: &Project) -> Value {
        let url = format!("{}/{}", self.settings.instance_url, project.path);
        json!({
            "id": project.id,
            "name": project.name(),
            "description": null,
            "web_url": url,
            "avatar_url": null,
            "git_http_url": format!("{url}.git"),
            "namespace": project.namespace(),
            "visibility_level": if project.is_public { 20 } else { 0 },
            "path_with_namespace": project.path,
            "default_branch": "main",
        })
    }

    fn record_event(&self, project: &str, trigger: Trigger, body: &Value) {
        let at = self.clock.now();
        let mut state = self.state();
        let id = state.next_id();
        let happened = Happened {
            id,
            trigger,
            body: body.clone(),
            at,
        };
        match state.project_mut(project) {
            Some(project) => project.repository.history.push(happened),
            None => panic!("there is no project {project}"),
        }
    }

    /// Sends to the hooks that have the trigger, that the ref passes, and that are not disabled.
    async fn deliver(&self, project: &str, trigger: Trigger, body: &Value) -> Vec<Attempt> {
        let hooks: Vec<u64> = {
            let now = self.clock.now();
            let state = self.state();
            let Some(project) = state.project(project) else {
                panic!("there is no project {project}");
            };
            let hooks = state.hooks.iter().filter(|hook| match hook.owner {
                Owner::Project(owner) => owner == project.id,
                Owner::System => true,
            });
            let hooks = hooks.filter(|hook| {
                hook.triggers.contains(&trigger)
                    && hook.wants_ref(trigger, body)
                    && hook.is_executable(now)
            });
            hooks.map(|hook| hook.id).collect()
        };
        let mut attempts = Vec::new();
        for hook in hooks {
            let sending = Sending {
                trigger,
                body: body.clone(),
                idempotency_key: None,
                force: Force::No,
            };
            if let Executed::Response(attempt, _) | Executed::Failed(attempt, _) =
                self.execute(hook, sending).await
            {
                attempts.push(attempt);
            }
        }
        attempts
    }
}
