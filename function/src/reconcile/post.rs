//! Webhooks that this program posts itself: records of the log with `--direct`, and replacements of dropped ones. Owns
//! their headers and their signature, which are those of GitLab, and what the response says. What is posted is decided
//! in [`plan`](super::plan) and [`backfill`](super::backfill).

use std::time::{SystemTime, UNIX_EPOCH};

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use tokio::time;
use url::Url;

use super::log::Answer;
use crate::config::gitlab::GitLabConfig;
use crate::connect_cause::ConnectCause;
use crate::http_client;
use crate::limits::LIMITS;

/// Headers of a record that are sent again.
const RECORDED: [&str; 4] = [
    "x-gitlab-event",
    "x-gitlab-event-uuid",
    "x-gitlab-instance",
    "x-gitlab-webhook-uuid",
];

/// Posts webhooks to one address with the secrets of the configuration.
#[derive(Debug)]
pub(crate) struct Poster<'a> {
    config: &'a GitLabConfig,
    http: reqwest::Client,
    url: Url,
}

/// A webhook.
#[derive(Debug)]
pub(crate) struct Webhook<'a> {
    pub(crate) key: &'a str,
    /// Headers of GitLab; others are left out.
    pub(crate) headers: &'a [(&'a str, &'a str)],
    pub(crate) body: Vec<u8>,
}

/// The response to a webhook.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Posted {
    pub(crate) answer: Answer,
    /// Whether a message was stored now, and not by an earlier webhook.
    pub(crate) sent: bool,
}

/// The client could not be created.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("failed to build the HTTP client for webhooks")]
pub struct PostError;

impl<'a> Poster<'a> {
    pub(crate) fn new(config: &'a GitLabConfig, url: &Url) -> Result<Self, PostError> {
        let proxy = config.proxies.of(url);
        let http = http_client::builder(&config.server.authorities, proxy.as_ref());
        let http = http
            .map_err(|_| PostError)?
            .user_agent(concat!("webhook-app/", env!("CARGO_PKG_VERSION")))
            .timeout(LIMITS.reconcile.post_timeout);
        Ok(Self {
            config,
            http: http.build().map_err(|_| PostError)?,
            url: url.clone(),
        })
    }

    /// Posts a webhook, with a signature of now.
    pub(crate) async fn post(&self, webhook: Webhook<'_>) -> Posted {
        let failed = Posted {
            answer: Answer::NoResponse,
            sent: false,
        };
        let Some(headers) = self.headers(&webhook, SystemTime::now()) else {
            return failed;
        };
        let Some(mut response) = self.send(headers, webhook.body).await else {
            return failed;
        };
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Ok(Some(chunk)) = response.chunk().await {
            if body.len() + chunk.len() > LIMITS.client.max_response_bytes {
                break;
            }
            body.extend_from_slice(&chunk);
        }
        let answer = Answer::Status(status);
        let said = Said::of(&body);
        let is_trusted = !answer.is_success() || said.is_confirmed(status);
        Posted {
            answer: if is_trusted { answer } else { Answer::Failure },
            sent: said.has_sent(status),
        }
    }

    /// Sends a request. Without a connection nothing was sent, so it is tried again for a few seconds.
    async fn send(&self, headers: HeaderMap, body: Vec<u8>) -> Option<reqwest::Response> {
        let request = self.http.post(self.url.clone()).headers(headers).body(body);
        let mut pause = LIMITS.reconcile.post_pause;
        for _ in 1..LIMITS.reconcile.post_attempts {
            match request.try_clone()?.send().await {
                Err(error) if may_pass(&error) => time::sleep(pause).await,
                sent => return sent.ok(),
            }
            pause *= 2;
        }
        request.send().await.ok()
    }

    fn headers(&self, webhook: &Webhook, now: SystemTime) -> Option<HeaderMap> {
        let mut headers = HeaderMap::new();
        for (name, value) in webhook.headers {
            let name = name.to_ascii_lowercase();
            if let Some(known) = RECORDED.into_iter().find(|known| *known == name) {
                headers.insert(known, HeaderValue::from_str(value).ok()?);
            }
        }
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let key = HeaderValue::from_str(webhook.key).ok()?;
        headers.insert("idempotency-key", key.clone());
        let secrets = &self.config.secrets;
        if let Some((_, signing_key)) = &secrets.signing_key {
            let timestamp = now.duration_since(UNIX_EPOCH).ok()?.as_secs().to_string();
            let signature = signing_key.signature(webhook.key, &timestamp, &webhook.body);
            headers.insert("webhook-id", key);
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

/// Whether a later connection may succeed.
fn may_pass(error: &reqwest::Error) -> bool {
    error.is_connect() && (error.is_dns() || ConnectCause::of(error).may_pass())
}

/// What the function says about the messages of a webhook.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Said {
    status: Option<String>,
    message_id: Option<String>,
    found: bool,
    handed_off: bool,
    deliveries: Vec<Self>,
}

impl Said {
    /// What a body says; nothing if it is not one of webhook-app.
    fn of(body: &[u8]) -> Self {
        serde_json::from_slice(body).unwrap_or_default()
    }

    /// Whether webhook-app responded, and not a login page, a redirect or another program.
    fn is_confirmed(&self, status: u16) -> bool {
        status == 204 || (matches!(status, 200 | 202) && self.status.is_some())
    }

    /// Whether a message was stored or handed off now.
    fn has_sent(&self, status: u16) -> bool {
        let is_sent = |one: &Self| (one.message_id.is_some() && !one.found) || one.handed_off;
        matches!(status, 200 | 202)
            && match self.deliveries.as_slice() {
                [] => is_sent(self),
                each => each.iter().any(is_sent),
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_response_of_webhook_app_confirms_a_webhook() {
        for (status, body, confirmed) in [
            (200, r#"{"status":"delivered","message_id":"a"}"#, true),
            (202, r#"{"status":"handed_off"}"#, true),
            (204, "", true),
            (301, "", false),
            (302, r#"{"status":"delivered"}"#, false),
            (200, "<html>sign in</html>", false),
            (200, "ok", false),
            (200, "{}", false),
            (200, "[[[[", false),
        ] {
            assert_eq!(
                Said::of(body.as_bytes()).is_confirmed(status),
                confirmed,
                "{status} {body}"
            );
        }
    }

    #[test]
    fn a_message_that_was_there_before_is_not_sent() {
        for (status, body, sent) in [
            (200, r#"{"status":"delivered","message_id":"a"}"#, true),
            (200, r#"{"message_id":"a","found":true}"#, false),
            (
                200,
                r#"{"message_id":"a","found":true,"deliveries":[{"message_id":"a","found":true},{"message_id":"b"}]}"#,
                true,
            ),
            (
                200,
                r#"{"deliveries":[{"message_id":"a","found":true},{"reason":"unreachable"}]}"#,
                false,
            ),
            (202, r#"{"deliveries":[{"handed_off":true}]}"#, true),
            (204, "", false),
            (503, r#"{"message_id":"a"}"#, false),
            (200, "ok", false),
            (200, "[[[[", false),
        ] {
            assert_eq!(
                Said::of(body.as_bytes()).has_sent(status),
                sent,
                "{status} {body}"
            );
        }
    }
}
