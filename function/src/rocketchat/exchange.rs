//! One request and its response. Owns the limits of a response and what it means that there is none.
//! Requests are made by [`client`](super::client); what a response means is decided in
//! [`response`](super::response).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::header::{HeaderMap, HeaderName};
use reqwest::{RequestBuilder, Response};

use super::connecting::{self, CallTime};
use super::response::{ApiError, ApiResponse};
use crate::limits::LIMITS;

const RATE_LIMIT_RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// Sends a request and reads the response.
pub(super) async fn exchange(
    request: RequestBuilder,
    within: CallTime,
) -> Result<ApiResponse, ApiError> {
    let call = async {
        read(
            request
                .send()
                .await
                .map_err(|error| transport_error(&error))?,
        )
        .await
    };
    let result = connecting::limited(within, call).await;
    result.unwrap_or(Err(ApiError::Timeout))
}

async fn read(mut response: Response) -> Result<ApiResponse, ApiError> {
    let status = response.status().as_u16();
    let reset_in = reset_in(response.headers());
    let mut body = Vec::new();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| transport_error(&error))?
    {
        if body.len() + chunk.len() > LIMITS.client.max_response_bytes {
            return Err(ApiError::Unreadable);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(ApiResponse {
        status,
        reset_in,
        body,
    })
}

fn transport_error(error: &reqwest::Error) -> ApiError {
    if error.is_connect() {
        ApiError::Connect
    } else {
        ApiError::Reset
    }
}

/// The time until the rate limit resets. The header is a Unix time in milliseconds; Rocket.Chat
/// sends no `Retry-After`.
fn reset_in(headers: &HeaderMap) -> Option<Duration> {
    let reset: u64 = headers.get(RATE_LIMIT_RESET)?.to_str().ok()?.parse().ok()?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    let reset_in = Duration::from_millis(reset).saturating_sub(now);
    Some(reset_in.min(LIMITS.client.max_rate_limit_wait))
}
