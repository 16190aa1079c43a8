//! Settings of the fake GitLab, and starting it.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::TcpListener;

use super::outbound::OutboundList;
use super::state::State;
use super::time::Clock;
use super::{Access, FakeGitLab, PROJECT, PROJECT_ID, Scope, Server, connection};

/// `WebHookService` waits this long for a response.
const WEBHOOK_TIMEOUT: Duration = Duration::from_secs(10);

/// The limit of a job in the queue (`Gitlab::SidekiqMiddleware::SizeLimiter`). The real one compares after compression.
const RECORD_LIMIT: usize = 5 * 1024 * 1024;

/// A version of GitLab.
#[derive(Clone, Debug)]
pub(super) struct Version {
    name: String,
    /// Whether the feature flag `webhook_signing_token` is off.
    ignores_signing_tokens: bool,
}

impl Version {
    fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ignores_signing_tokens: false,
        }
    }

    fn major(&self) -> u32 {
        let first = self.name.split('.').next();
        first.and_then(|first| first.parse().ok()).unwrap_or(0)
    }

    /// Whether signing tokens are kept.
    pub(super) fn accepts_signing_tokens(&self) -> bool {
        self.has_signing_tokens() && !self.ignores_signing_tokens
    }

    /// Signing tokens came with 19.0.
    pub(super) fn has_signing_tokens(&self) -> bool {
        self.major() >= 19
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.name)
    }
}

#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) version: Version,
    /// The address as GitLab knows it, in `X-Gitlab-Instance` and in links to pages.
    pub(super) instance_url: String,
    /// The address at which it listens, in links of the API.
    pub(super) base_url: String,
    pub(super) allows_local_requests: bool,
    pub(super) outbound: OutboundList,
    pub(super) webhook_timeout: Duration,
    pub(super) record_limit: usize,
    pub(super) shows_event_times: bool,
    pub(super) requests_a_minute: Option<u32>,
    pub(super) is_inspectable: bool,
    pub(super) behind: Duration,
}

/// Settings of a [`FakeGitLab`].
#[derive(Clone, Debug)]
pub struct Builder {
    settings: Settings,
    address: String,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            settings: Settings {
                version: Version::new("19.3.0"),
                instance_url: "https://gitlab.example.org".to_owned(),
                base_url: String::new(),
                allows_local_requests: true,
                outbound: OutboundList::default(),
                webhook_timeout: WEBHOOK_TIMEOUT,
                record_limit: RECORD_LIMIT,
                shows_event_times: true,
                requests_a_minute: None,
                is_inspectable: false,
                behind: Duration::ZERO,
            },
            address: "127.0.0.1:0".to_owned(),
        }
    }
}

impl Builder {
    /// The version; 19.3.0 by default. Signing tokens are silently ignored before 19.
    #[must_use]
    pub fn version(mut self, version: &str) -> Self {
        self.settings.version = Version::new(version);
        self
    }

    /// Switches off the feature flag `webhook_signing_token`: signing tokens are silently ignored.
    #[must_use]
    pub fn without_signing_tokens(mut self) -> Self {
        self.settings.version.ignores_signing_tokens = true;
        self
    }

    /// Refuses hooks with an address in the local network, which is the default of GitLab and not of this fake.
    #[must_use]
    pub fn local_requests_forbidden(mut self) -> Self {
        self.settings.allows_local_requests = false;
        self
    }

    /// How long it waits for the response to a webhook; 10 seconds by default.
    #[must_use]
    pub fn webhook_timeout(mut self, timeout: Duration) -> Self {
        self.settings.webhook_timeout = timeout;
        self
    }

    /// Above how many bytes the record of a body holds only `{"oversize": true}`; 5 MiB by default.
    #[must_use]
    pub fn record_limit(mut self, bytes: usize) -> Self {
        self.settings.record_limit = bytes;
        self
    }

    /// Lists events without `created_at`, as GitLab did until 2026.
    #[must_use]
    pub fn without_event_times(mut self) -> Self {
        self.settings.shows_event_times = false;
        self
    }

    /// How many requests a user may make in a minute; without a limit by default. Only responses of this limit have
    /// `RateLimit-*` headers and `Retry-After`.
    #[must_use]
    pub fn requests_a_minute(mut self, requests: u32) -> Self {
        self.settings.requests_a_minute = Some(requests);
        self
    }

    /// Serves the inspection API under `/inspect/`, for tests in another process.
    #[must_use]
    pub fn inspectable(mut self) -> Self {
        self.settings.is_inspectable = true;
        self
    }

    /// Sets its clock back, so that a test can move it to the time of the machine.
    #[must_use]
    pub fn clock_behind(mut self, by: Duration) -> Self {
        self.settings.behind = by;
        self
    }

    /// The address to listen on, such as `0.0.0.0:8080`; default a free port of 127.0.0.1.
    #[must_use]
    pub fn bind(mut self, address: &str) -> Self {
        address.clone_into(&mut self.address);
        self
    }

    /// Listens and serves on the current runtime; fails if it cannot bind the address.
    pub async fn start(mut self) -> io::Result<FakeGitLab> {
        let listener = TcpListener::bind(&self.address).await?;
        let address = listener.local_addr()?;
        self.settings.base_url = format!("http://{address}");
        let server = Arc::new(Server {
            clock: Clock::behind(self.settings.behind),
            settings: self.settings,
            state: Mutex::new(State::default()),
        });
        #[expect(
            clippy::disallowed_methods,
            reason = "the server runs in the background of a test, and its handle aborts the task"
        )]
        let task = tokio::spawn(connection::accept(listener, Arc::clone(&server)));
        let mut gitlab = FakeGitLab::new(address, server, task);
        gitlab.add_project_with_id(PROJECT, PROJECT_ID);
        gitlab.admin_token = gitlab.add_administrator("root");
        gitlab.add_user("webhook-bot");
        gitlab.set_access("webhook-bot", PROJECT, Some(Access::Maintainer));
        gitlab.token = gitlab.add_token("webhook-bot", Scope::Api);
        Ok(gitlab)
    }
}
