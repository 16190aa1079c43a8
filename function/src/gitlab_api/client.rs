//! The client of GitLab's API, through which all of its calls are made. Owns their addresses, and when a call
//! is repeated: after a rate limit, and if it changes nothing also after an error of the server. What a
//! response means is decided in [`response`].

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time;
use url::Url;

use super::connection::{ClientError, Connection};
use super::error::ApiError;
use super::hook::Hook;
use super::hook_event::HookEvent;
use super::hook_fields::HookFields;
use super::hook_owner::HookOwner;
use super::project::{Project, ProjectRef, User, Version};
use super::response::{self, Response};
use super::server::GitLabServer;
use crate::limits::LIMITS;

/// Calls one GitLab server as one account.
#[derive(Clone, Debug)]
pub struct Client {
    connection: Connection,
    /// Ends with `/api/v4`.
    base: Url,
}

/// One page of a list.
#[derive(Debug)]
pub struct Page<T> {
    /// Its entries.
    pub entries: Vec<T>,
    /// The number of the next page, if there is one.
    pub next: Option<u32>,
}

/// When a failed call is repeated.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Retries {
    /// Whenever a repetition may succeed, because the call changes nothing.
    Any,
    /// After a rate limit, because then nothing was done.
    AfterRateLimit,
    /// Never: the caller has its own pace.
    Never,
}

impl Client {
    /// Creates a client without opening a connection.
    pub fn new(server: &GitLabServer) -> Result<Self, ClientError> {
        let mut base = server.url.clone();
        let path = format!("{}/api/v4", base.path().trim_end_matches('/'));
        base.set_path(&path);
        Ok(Self {
            connection: Connection::new(server)?,
            base,
        })
    }

    /// The version of GitLab.
    pub async fn version(&self) -> Result<Version, ApiError> {
        #[derive(Deserialize)]
        struct Body {
            version: String,
        }
        let body: Body = self.get(&["version"], &[]).await?;
        Version::parse(&body.version).ok_or(ApiError::Unreadable)
    }

    /// The account of the token.
    pub async fn user(&self) -> Result<User, ApiError> {
        self.get(&["user"], &[]).await
    }

    /// One project.
    pub async fn project(&self, project: &ProjectRef) -> Result<Project, ApiError> {
        self.get(&["projects", project.as_str()], &[]).await
    }

    /// The projects of a group and its subgroups, without those that are archived or only shared with it.
    pub async fn group_projects(&self, group: &ProjectRef) -> Result<Vec<Project>, ApiError> {
        let query = [
            ("include_subgroups", "true"),
            ("with_shared", "false"),
            ("archived", "false"),
            ("simple", "true"),
        ];
        self.list(&["groups", group.as_str(), "projects"], &query)
            .await
    }

    /// The projects of which the account is at least Maintainer.
    pub async fn maintained_projects(&self) -> Result<Vec<Project>, ApiError> {
        let query = [
            ("membership", "true"),
            ("min_access_level", "40"),
            ("archived", "false"),
            ("simple", "true"),
        ];
        self.list(&["projects"], &query).await
    }

    /// The webhooks of a project, or all system hooks.
    pub async fn hooks(&self, owner: HookOwner) -> Result<Vec<Hook>, ApiError> {
        self.list(&owner.path(&[]), &[]).await
    }

    /// Creates a webhook.
    pub async fn create_hook(
        &self,
        owner: HookOwner,
        fields: &HookFields,
    ) -> Result<Hook, ApiError> {
        let url = self.url(&owner.path(&[]), &[]);
        let body = Some(fields.to_json());
        parsed(
            &self
                .call(Method::POST, url, body, Retries::AfterRateLimit)
                .await?,
        )
    }

    /// Changes some fields of a webhook.
    pub async fn update_hook(
        &self,
        owner: HookOwner,
        hook: u64,
        fields: &HookFields,
    ) -> Result<Hook, ApiError> {
        let url = self.url(&owner.path(&[&hook.to_string()]), &[]);
        let body = Some(fields.to_json());
        parsed(&self.call(Method::PUT, url, body, Retries::Any).await?)
    }

    /// Removes a webhook.
    pub async fn delete_hook(&self, owner: HookOwner, hook: u64) -> Result<(), ApiError> {
        let url = self.url(&owner.path(&[&hook.to_string()]), &[]);
        let called = self.call(Method::DELETE, url, None, Retries::AfterRateLimit);
        called.await.map(|_| ())
    }

    /// One page of the log of a webhook, newest first; the first page has number 1.
    pub async fn hook_events(
        &self,
        project: u64,
        hook: u64,
        page: u32,
    ) -> Result<Page<HookEvent>, ApiError> {
        let per_page = LIMITS.gitlab_api.events_per_page;
        self.hook_events_of_size(project, hook, page, per_page)
            .await
    }

    /// The same with fewer entries, for a log whose page is [`ApiError::TooLarge`].
    pub(crate) async fn hook_events_of_size(
        &self,
        project: u64,
        hook: u64,
        page: u32,
        per_page: u32,
    ) -> Result<Page<HookEvent>, ApiError> {
        let path = HookOwner::Project(project).path(&[&hook.to_string(), "events"]);
        self.page(&path, &[], page, per_page).await
    }

    /// Sends an entry of the log again, and returns the status of the receiver's response. Without a response,
    /// GitLab refuses. It accepts 5 a minute per project and user; a rate limit is not waited for.
    pub async fn resend(&self, project: u64, hook: u64, event: u64) -> Result<u16, ApiError> {
        #[derive(Deserialize)]
        struct Body {
            response_status: u16,
        }
        let rest = [&hook.to_string(), "events", &event.to_string(), "resend"];
        let url = self.url(&HookOwner::Project(project).path(&rest), &[]);
        let response = self.call(Method::POST, url, None, Retries::Never).await?;
        parsed(&response).map(|body: Body| body.response_status)
    }

    /// Sends a test event of a trigger such as `push_events`, also if the webhook is disabled. A success of
    /// the receiver enables it; anything else is a refusal. GitLab accepts 5 a minute per project and user; a rate limit is not waited for.
    pub async fn test(&self, project: u64, hook: u64, trigger: &str) -> Result<(), ApiError> {
        let rest = [&hook.to_string(), "test", trigger];
        let url = self.url(&HookOwner::Project(project).path(&rest), &[]);
        let called = self.call(Method::POST, url, None, Retries::Never);
        called.await.map(|_| ())
    }

    /// Replaces the hosts of the local network that GitLab may send to; only administrators may.
    pub(crate) async fn allow_local_hosts(&self, hosts: &[String]) -> Result<(), ApiError> {
        let url = self.url(&["application", "settings"], &[]);
        let body = Some(serde_json::json!({ "outbound_local_requests_whitelist": hosts }));
        let called = self.call(Method::PUT, url, body, Retries::Any);
        called.await.map(|_| ())
    }

    /// One object of the API. A part of the path may contain slashes, which are encoded.
    pub async fn get<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<T, ApiError> {
        let url = self.url(path, query);
        parsed(&self.call(Method::GET, url, None, Retries::Any).await?)
    }

    /// All entries of a list of the API.
    pub async fn list<T: DeserializeOwned>(
        &self,
        path: &[impl AsRef<str>],
        query: &[(&str, &str)],
    ) -> Result<Vec<T>, ApiError> {
        let (mut entries, mut page) = (Vec::new(), 1);
        for _ in 0..LIMITS.gitlab_api.max_pages {
            let per_page = LIMITS.gitlab_api.entries_per_page;
            let found = self.page(path, query, page, per_page).await?;
            entries.extend(found.entries);
            match found.next {
                Some(next) => page = next,
                None => return Ok(entries),
            }
        }
        Err(ApiError::TooLarge)
    }

    async fn page<T: DeserializeOwned>(
        &self,
        path: &[impl AsRef<str>],
        query: &[(&str, &str)],
        page: u32,
        per_page: u32,
    ) -> Result<Page<T>, ApiError> {
        let mut url = self.url(path, query);
        url.query_pairs_mut()
            .append_pair("per_page", &per_page.to_string())
            .append_pair("page", &page.to_string());
        let response = self.call(Method::GET, url, None, Retries::Any).await?;
        Ok(Page {
            entries: parsed(&response)?,
            next: response::next_page(&response.headers, page),
        })
    }

    fn url(&self, path: &[impl AsRef<str>], query: &[(&str, &str)]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    /// Makes a call, and repeats it within the limits.
    async fn call(
        &self,
        method: Method,
        url: Url,
        body: Option<Value>,
        retries: Retries,
    ) -> Result<Response, ApiError> {
        let body = body.map(|body| body.to_string().into_bytes());
        let mut attempt = 1;
        loop {
            let sent = self
                .connection
                .exchange(method.clone(), url.clone(), body.clone());
            let error = match sent.await {
                Ok(response) => match response::error(&response, unix_seconds()) {
                    None => return Ok(response),
                    Some(error) => error,
                },
                Err(error) => error,
            };
            match pause(error, retries) {
                Some(pause) if attempt < LIMITS.gitlab_api.max_attempts => time::sleep(pause).await,
                _ => return Err(error),
            }
            attempt += 1;
        }
    }
}

/// How long to wait before the call is repeated; `None` if it is not.
fn pause(error: ApiError, retries: Retries) -> Option<Duration> {
    let limits = LIMITS.gitlab_api;
    match error {
        ApiError::RateLimited(wait) if retries != Retries::Never => {
            let wait = wait.unwrap_or(limits.rate_limit_pause);
            (wait <= limits.max_wait).then_some(wait)
        }
        ApiError::Timeout | ApiError::Unavailable if retries == Retries::Any => {
            Some(limits.retry_pause)
        }
        // Nothing was sent. The network policies of a pod that has just started may not apply yet.
        ApiError::Unreachable(cause) if cause.may_pass() => Some(limits.retry_pause),
        _ => None,
    }
}

fn parsed<T: DeserializeOwned>(response: &Response) -> Result<T, ApiError> {
    serde_json::from_slice(&response.body).map_err(|_| ApiError::Unreadable)
}

fn unix_seconds() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| now.as_secs())
}
