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

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn response(status: u16, headers: &[(&'static str, &str)], body: &str) -> Response {
        let headers = headers.iter().map(|(name, value)| {
            let value = HeaderValue::from_str(value).expect("is a value");
            (HeaderName::from_static(name), value)
        });
        Response {
            status,
            headers: headers.collect(),
            body: body.as_bytes().to_vec(),
        }
    }

    #[test]
    fn every_status_is_one_error() {
        use Refusal::{BranchFilter, HookDisabled, HookLimit, Other, SigningToken, UrlChanged};
        let refused = |refusal| Some(ApiError::Refused(refusal));
        for (status, body, expected) in [
            (200, "[]", None),
            (201, "{}", None),
            (204, "", None),
            (302, "", Some(ApiError::Redirected)),
            (
                401,
                r#"{"message":"401 Unauthorized"}"#,
                Some(ApiError::Unauthorized),
            ),
            (401, "<html>sign in</html>", Some(ApiError::NotTheApi)),
            (
                403,
                r#"{"message":"403 Forbidden"}"#,
                Some(ApiError::Forbidden),
            ),
            (
                403,
                r#"{"error":"insufficient_scope","error_description":"The request requires higher privileges","scope":"api"}"#,
                Some(ApiError::Scope),
            ),
            (403, "blocked", Some(ApiError::NotTheApi)),
            (
                404,
                r#"{"message":"404 Project Not Found"}"#,
                Some(ApiError::NotFound),
            ),
            (
                404,
                r#"{"error":"404 Not Found"}"#,
                Some(ApiError::NotFound),
            ),
            (404, "<html></html>", Some(ApiError::NotTheApi)),
            (404, "[]", Some(ApiError::NotTheApi)),
            (407, "", Some(ApiError::Proxy)),
            (408, "", Some(ApiError::Unavailable)),
            (429, "Retry later", Some(ApiError::RateLimited(None))),
            (
                500,
                r#"{"message":"500 Internal Server Error"}"#,
                Some(ApiError::Unavailable),
            ),
            (502, "<html></html>", Some(ApiError::Unavailable)),
            (
                422,
                r#"{"error":"Invalid url given"}"#,
                refused(Refusal::Url),
            ),
            (
                422,
                r#"{"error":"Invalid branch filter given"}"#,
                refused(BranchFilter),
            ),
            (
                422,
                r#"{"message":{"base":["Maximum number of project hooks (100) exceeded"]}}"#,
                refused(HookLimit),
            ),
            (
                422,
                r#"{"message":{"signing_token":["is invalid"]}}"#,
                refused(SigningToken),
            ),
            (422, r#"{"message":"Hook disabled"}"#, refused(HookDisabled)),
            (
                422,
                r#"{"message":"The hook URL has changed. This log entry cannot be retried."}"#,
                refused(UrlChanged),
            ),
            (
                400,
                r#"{"error":"per_page does not have a valid value"}"#,
                refused(Other),
            ),
            (400, "", Some(ApiError::NotTheApi)),
        ] {
            let found = error(&response(status, &[], body), 0);
            assert_eq!(found, expected, "{status} {body}");
        }
    }

    #[test]
    fn a_rate_limit_says_when_it_ends_in_seconds_or_as_a_time() {
        let day = Some(LIMITS.gitlab_api.max_announced_wait);
        for (headers, expected) in [
            (vec![("retry-after", "7")], Some(Duration::from_secs(7))),
            (
                vec![("ratelimit-reset", "1012")],
                Some(Duration::from_secs(12)),
            ),
            (vec![("ratelimit-reset", "900")], Some(Duration::ZERO)),
            (
                vec![("retry-after", "3"), ("ratelimit-reset", "1012")],
                Some(Duration::from_secs(3)),
            ),
            (vec![("retry-after", "18446744073709551615")], day),
            (vec![("retry-after", "-1")], None),
            (vec![("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT")], None),
            (vec![], None),
        ] {
            let found = error(&response(429, &headers, ""), 1000);
            assert_eq!(found, Some(ApiError::RateLimited(expected)), "{headers:?}");
        }
    }

    #[test]
    fn the_next_page_is_found_and_never_an_earlier_one() {
        let link = r#"<https://gitlab.example.org/api/v4/projects?page=3>; rel="next""#;
        for (headers, expected) in [
            (vec![("x-next-page", "3")], Some(3)),
            (vec![("x-next-page", ""), ("link", link)], None),
            (vec![("x-next-page", "2")], None),
            (vec![("x-next-page", "1")], None),
            (vec![("x-next-page", "4294967296")], None),
            (vec![("link", link)], Some(3)),
            (vec![("link", r#"<x>; rel="prev""#)], None),
            (vec![], None),
        ] {
            let found = next_page(&response(200, &headers, "").headers, 2);
            assert_eq!(found, expected, "{headers:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_body_makes_it_panic(status in 100_u16..600, body in "(?s).{0,100}") {
            let _ = error(&response(status, &[], &body), 0);
        }
    }
}
