//! Sending a webhook and recording the attempt, as GitLab's `WebHookService` does.
//! Owns what is sent, what is recorded and when a failure counts; the record itself is in `log`, the counter in `hook`.

use std::net::IpAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, timeout};

use super::Trigger;
use super::builder::Settings;
use super::hook::{Hook, Owner};
use super::log::{self, Event};
use super::state::State;
use super::{Attempt, Server};
use crate::exchange::{Response, exchange};
use crate::gitlab::Delivery;

/// Whether a hook that is disabled is sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Force {
    /// Only a test does that.
    Yes,
    No,
}

/// What is sent.
pub(super) struct Sending {
    pub(super) trigger: Trigger,
    pub(super) body: Value,
    /// None for a new one.
    pub(super) idempotency_key: Option<String>,
    pub(super) force: Force,
}

/// What came of it: a response, or why there was none.
pub(super) enum Executed {
    Response(Attempt, String),
    /// Nothing was recorded.
    Refused(&'static str),
    Failed(Attempt, String),
}

impl Server {
    /// Sends to a hook, waits for the response and records both. A resend is an attempt like any other.
    pub(super) async fn execute(&self, hook: u64, sending: Sending) -> Executed {
        let Some(hook) = self.state().hook_mut(hook).cloned() else {
            return Executed::Refused("Hook not found");
        };
        if sending.force == Force::No && !hook.is_executable(self.clock.now()) {
            return Executed::Refused("Hook disabled");
        }
        let headers = headers(&hook, &sending, &self.settings);
        let started = Instant::now();
        let sent = send(&hook, &headers, &sending.body, &self.settings).await;
        let duration = started.elapsed();
        self.record(&hook, &sending, &headers, sent, duration)
    }

    fn record(
        &self,
        hook: &Hook,
        sending: &Sending,
        headers: &[(String, Vec<u8>)],
        sent: Result<Response, String>,
        duration: Duration,
    ) -> Executed {
        let now = self.clock.now();
        let custom: Vec<_> = hook
            .custom_headers
            .iter()
            .map(|(name, _)| name.clone())
            .collect();
        // A test is recorded at once, everything else through a queue with a limit on the size.
        let limit = (sending.force == Force::No).then_some(self.settings.record_limit);
        let mut state = self.state();
        let event = Event {
            id: state.next_id(),
            hook: hook.id,
            url: without_credentials(&hook.url),
            sent_to: hook.address(),
            trigger: match hook.owner {
                Owner::Project(_) => sending.trigger.hook_name(),
                Owner::System => "system_hooks",
            },
            request_headers: log::recorded_headers(headers, &custom),
            request_data: log::recorded(&sending.body, limit),
            response: sent.as_ref().ok().cloned(),
            duration,
            created_at: now,
        };
        let attempt = Attempt {
            hook_id: hook.id,
            event_id: event.id,
            idempotency_key: event.idempotency_key().unwrap_or_default().to_owned(),
            status: event.response.as_ref().map(|response| response.status),
        };
        state.events.push(event);
        count(&mut state, hook.id, attempt.status, now);
        match sent {
            Ok(response) => Executed::Response(attempt, response.text()),
            Err(error) => Executed::Failed(attempt, error),
        }
    }
}

/// 2xx and 3xx are successes.
fn count(state: &mut State, hook: u64, status: Option<u16>, now: Duration) {
    if let Some(hook) = state.hook_mut(hook) {
        match status {
            Some(200..400) => hook.succeeded(),
            _ => hook.failed(now),
        }
    }
}

/// Custom headers lose against those of GitLab.
fn headers(hook: &Hook, sending: &Sending, settings: &Settings) -> Vec<(String, Vec<u8>)> {
    let event = match hook.owner {
        Owner::Project(_) => sending.trigger.event(),
        Owner::System => "System Hook".to_owned(),
    };
    let mut delivery = Delivery::new(&event, sending.body.to_string())
        .without("User-Agent")
        .header("User-Agent", format!("GitLab/{}", settings.version))
        .without("X-Gitlab-Instance")
        .header("X-Gitlab-Instance", &settings.instance_url);
    if let Some(key) = &sending.idempotency_key {
        delivery = delivery.id(key);
    }
    if let Some(token) = &hook.token {
        delivery = delivery.token(token.replace(['\r', '\n'], ""));
    }
    let signing = hook.signing_token.as_ref();
    delivery = match signing.filter(|_| settings.version.has_signing_tokens()) {
        Some(key) => delivery.signed_with(key),
        None => delivery.without("webhook-id").without("webhook-timestamp"),
    };
    if let Some((user, password)) = credentials(&hook.address()) {
        use base64::Engine as _;
        let pair = format!("{user}:{password}");
        let encoded = base64::engine::general_purpose::STANDARD.encode(pair);
        delivery = delivery.header("Authorization", format!("Basic {encoded}"));
    }
    let mut headers = delivery.headers();
    for (name, value) in &hook.custom_headers {
        if !headers
            .iter()
            .any(|(known, _)| known.eq_ignore_ascii_case(name))
        {
            headers.push((name.clone(), value.clone().into_bytes()));
        }
    }
    headers
}

async fn send(
    hook: &Hook,
    headers: &[(String, Vec<u8>)],
    body: &Value,
    settings: &Settings,
) -> Result<Response, String> {
    let url = without_credentials(&hook.address());
    if let Err(problem) = check_url(&url, settings.allows_local_requests) {
        return Err(format!("URL is blocked: {problem}"));
    }
    let body = body.to_string();
    match timeout(
        settings.webhook_timeout,
        exchange("POST", &url, headers, body.as_bytes()),
    )
    .await
    {
        Ok(Ok(response)) => Ok(response),
        Ok(Err(error)) => Err(format!("Failed to open TCP connection ({error})")),
        Err(_) => Err("Net::ReadTimeout with #<TCPSocket:(closed)>".to_owned()),
    }
}

/// What GitLab's validator of public URLs says (`lib/gitlab/http_v2/url_blocker.rb`).
pub(super) fn check_url(url: &str, allows_local: bool) -> Result<(), &'static str> {
    let Some((scheme, rest)) = url.split_once("://") else {
        return Err("Only allowed schemes are http, https");
    };
    if !matches!(scheme, "http" | "https") {
        return Err("Only allowed schemes are http, https");
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let name = match host.strip_prefix('[') {
        Some(address) => address.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let is_allowed = |letter: char| letter.is_ascii_alphanumeric() || ".-:_".contains(letter);
    if name.is_empty() || !name.chars().all(is_allowed) {
        return Err("URI is invalid");
    }
    let is_local = match name.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => {
            ip.is_loopback() || ip.is_private() || ip.is_link_local() || ip.is_unspecified()
        }
        Ok(IpAddr::V6(ip)) => ip.is_loopback() || ip.is_unspecified(),
        Err(_) => name.eq_ignore_ascii_case("localhost"),
    };
    if is_local && !allows_local {
        return Err("Requests to the local network are not allowed");
    }
    Ok(())
}

fn credentials(url: &str) -> Option<(&str, &str)> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split('/').next()?;
    let (pair, _) = authority.rsplit_once('@')?;
    Some(pair.split_once(':').unwrap_or((pair, "")))
}

fn without_credentials(url: &str) -> String {
    match (url.split_once("://"), credentials(url)) {
        (Some((scheme, rest)), Some(_)) => {
            let host = rest.split_once('@').map_or(rest, |(_, host)| host);
            format!("{scheme}://{host}")
        }
        _ => url.to_owned(),
    }
}
