//! What a response of GitLab's API means. Owns which response is which error, how long a rate limit lasts, and
//! where the next page of a list is. Calls are made by [`client`](super::client).

use std::time::Duration;

use http::HeaderMap;
use serde_json::Value;

use super::error::{ApiError, Refusal};
use crate::limits::LIMITS;

/// A complete response.
#[derive(Debug)]
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

/// The error that a response reports; `None` if it is a success. `now` is the Unix time.
pub(super) fn error(response: &Response, now: u64) -> Option<ApiError> {
    let said = said(&response.body);
    let text = said.as_deref().unwrap_or_default();
    Some(match response.status {
        200..=299 => return None,
        300..=399 => ApiError::Redirected,
        407 => ApiError::Proxy,
        429 => ApiError::RateLimited(wait(&response.headers, now)),
        408 | 425 | 500.. => ApiError::Unavailable,
        // A proxy in front of GitLab does not answer as its API does.
        _ if said.is_none() => ApiError::NotTheApi,
        401 => ApiError::Unauthorized,
        403 if text.contains("insufficient_scope") => ApiError::Scope,
        403 => ApiError::Forbidden,
        404 => ApiError::NotFound,
        _ => ApiError::Refused(refusal(text)),
    })
}

/// What the body says, as JSON: GitLab's errors are objects with `message` or `error`.
fn said(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let fields = body.as_object()?;
    let is_error = fields.contains_key("message") || fields.contains_key("error");
    is_error.then(|| body.to_string())
}

/// The reason for a refusal, by the words of GitLab's source.
fn refusal(said: &str) -> Refusal {
    const REASONS: [(&str, Refusal); 8] = [
        ("exceeded", Refusal::HookLimit),
        ("branch filter", Refusal::BranchFilter),
        ("branch_filter", Refusal::BranchFilter),
        ("signing", Refusal::SigningToken),
        ("hook disabled", Refusal::HookDisabled),
        ("url has changed", Refusal::UrlChanged),
        ("url was changed", Refusal::UrlChanged),
        ("url", Refusal::Url),
    ];
    let said = said.to_lowercase();
    let found = REASONS.iter().find(|(words, _)| said.contains(words));
    found.map_or(Refusal::Other, |(_, refusal)| *refusal)
}

/// How long to wait: `Retry-After` in seconds, or `RateLimit-Reset` as a Unix time.
fn wait(headers: &HeaderMap, now: u64) -> Option<Duration> {
    let number = |name: &str| -> Option<u64> {
        let text = headers.get(name)?.to_str().ok()?;
        text.trim().parse().ok()
    };
    let seconds = number("retry-after")
        .or_else(|| number("ratelimit-reset").map(|reset| reset.saturating_sub(now)))?;
    Some(Duration::from_secs(seconds).min(LIMITS.gitlab_api.max_announced_wait))
}

/// The number of the page after `page`; `None` if that is the last one.
pub(super) fn next_page(headers: &HeaderMap, page: u32) -> Option<u32> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let next = match text("x-next-page") {
        Some(next) => next.trim().parse().ok()?,
        None if text("link")?.contains("rel=\"next\"") => page.checked_add(1)?,
        None => return None,
    };
    // A server that always names the same page would be asked forever.
    (next > page).then_some(next)
}
