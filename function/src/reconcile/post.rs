//! Webhooks that this program posts itself: records of the log with `--direct`, and replacements of dropped ones. Owns
//! their headers and their signature, which are those of GitLab. What is posted is decided in
//! [`plan`](super::plan) and [`backfill`](super::backfill).

use std::time::{SystemTime, UNIX_EPOCH};

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{redirect, retry};
use secrecy::ExposeSecret as _;
use url::Url;

use super::log::Answer;
use crate::config::gitlab::GitLabConfig;
use crate::limits::LIMITS;
use crate::{proxy, tls};

/// Headers of a record that are sent again.
const RECORDED: [&str; 4] = [
    "x-gitlab-event",
    "x-gitlab-event-uuid",
    "x-gitlab-instance",
    "x-gitlab-webhook-uuid",
];

/// Posts webhooks with the secrets of the configuration.
#[derive(Debug)]
pub(crate) struct Poster<'a> {
    config: &'a GitLabConfig,
}

/// The client could not be created.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("failed to build the HTTP client for webhooks")]
pub struct PostError;

impl<'a> Poster<'a> {
    pub(crate) fn new(config: &'a GitLabConfig) -> Self {
        Self { config }
    }

    /// Posts a body under a key. `recorded` are headers of GitLab.
    pub(crate) async fn post<'h>(
        &self,
        url: &Url,
        key: &str,
        recorded: impl Iterator<Item = (&'h str, &'h str)>,
        body: Vec<u8>,
        now: SystemTime,
    ) -> Result<Answer, PostError> {
        let headers = self.headers(key, recorded, &body, now).ok_or(PostError)?;
        let request = self.client(url)?.post(url.clone()).headers(headers);
        let sent = request.body(body).send().await;
        Ok(sent.map_or(Answer::NoResponse, |response| {
            Answer::Status(response.status().as_u16())
        }))
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this is the only client for webhooks"
    )]
    fn client(&self, url: &Url) -> Result<reqwest::Client, PostError> {
        let tls = tls::client(&self.config.server.authorities).map_err(|_| PostError)?;
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .user_agent(concat!("webhook-app/", env!("CARGO_PKG_VERSION")))
            .timeout(LIMITS.reconcile.post_timeout)
            .redirect(redirect::Policy::none())
            .retry(retry::never());
        proxy::apply(self.config.proxies.of(url).as_ref(), http)
            .and_then(reqwest::ClientBuilder::build)
            .map_err(|_| PostError)
    }

    fn headers<'h>(
        &self,
        key: &str,
        recorded: impl Iterator<Item = (&'h str, &'h str)>,
        body: &[u8],
        now: SystemTime,
    ) -> Option<HeaderMap> {
        let mut headers = HeaderMap::new();
        for (name, value) in recorded {
            let name = name.to_ascii_lowercase();
            if let Some(known) = RECORDED.into_iter().find(|known| *known == name) {
                headers.insert(known, HeaderValue::from_str(value).ok()?);
            }
        }
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let key_value = HeaderValue::from_str(key).ok()?;
        headers.insert("idempotency-key", key_value.clone());
        let secrets = &self.config.secrets;
        if let Some((_, signing_key)) = &secrets.signing_key {
            let timestamp = now.duration_since(UNIX_EPOCH).ok()?.as_secs().to_string();
            let signature = signing_key.signature(key, &timestamp, body);
            headers.insert("webhook-id", key_value);
            headers.insert("webhook-timestamp", HeaderValue::from_str(&timestamp).ok()?);
            headers.insert("webhook-signature", HeaderValue::from_str(&signature).ok()?);
        } else if let Some(token) = &secrets.token {
            let mut token = HeaderValue::from_str(token.expose_secret()).ok()?;
            token.set_sensitive(true);
            headers.insert(HeaderName::from_static("x-gitlab-token"), token);
        }
        Some(headers)
    }
}
