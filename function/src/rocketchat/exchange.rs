//! One request and its response. Owns the limits of a response and what it means that there is none.
//! Requests are made by [`client`](super::client); what a response means is decided in
//! [`response`](super::response).

use std::mem;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::header::{HeaderMap, HeaderName};
use reqwest::{RequestBuilder, Response};

use super::connect_cause::{ConnectCause, chain};
use super::connecting::{self, CallTime};
use super::response::{ApiError, ApiResponse};
use crate::limits::LIMITS;

const RATE_LIMIT_RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// Sends a request and reads the response and its headers. `via_proxy` says whether connections are those to a proxy.
pub(super) async fn exchange(
    request: RequestBuilder,
    within: CallTime,
    via_proxy: bool,
) -> Result<(ApiResponse, HeaderMap), ApiError> {
    let call = async {
        read(
            request
                .send()
                .await
                .map_err(|error| transport_error(&error, via_proxy))?,
            via_proxy,
        )
        .await
    };
    let result = connecting::limited(within, call).await;
    result.unwrap_or(Err(ApiError::Timeout))
}

async fn read(
    mut response: Response,
    via_proxy: bool,
) -> Result<(ApiResponse, HeaderMap), ApiError> {
    let status = response.status().as_u16();
    let headers = mem::take(response.headers_mut());
    let reset_in = reset_in(&headers);
    let mut body = Vec::new();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| transport_error(&error, via_proxy))?
    {
        if body.len() + chunk.len() > LIMITS.client.max_response_bytes {
            return Err(ApiError::Unreadable);
        }
        body.extend_from_slice(&chunk);
    }
    let response = ApiResponse {
        status,
        reset_in,
        body,
    };
    Ok((response, headers))
}

fn transport_error(error: &reqwest::Error, via_proxy: bool) -> ApiError {
    if !error.is_connect() {
        // With TLS 1.3, a server verifies the certificate of the client after the handshake.
        if ConnectCause::of(error) == ConnectCause::ClientCertificate {
            return ApiError::Connect(ConnectCause::ClientCertificate);
        }
        return match is_not_http(error) {
            true if via_proxy => ApiError::Connect(ConnectCause::Proxy),
            true => ApiError::Connect(ConnectCause::TlsExpected),
            false => ApiError::Reset,
        };
    }
    if let Some(refused) = tunnel_error(error) {
        return refused;
    }
    let cause = if error.is_dns() {
        ConnectCause::Dns
    } else if error.is_timeout() {
        ConnectCause::Unreachable
    } else {
        ConnectCause::of(error)
    };
    ApiError::Connect(if via_proxy { cause.at_proxy() } else { cause })
}

/// Whether an address that starts with `http://` answers with something else: a port for TLS answers
/// with an alert.
fn is_not_http(error: &reqwest::Error) -> bool {
    let is_plain = error.url().is_some_and(|url| url.scheme() == "http");
    let is_parse = |error: &hyper::Error| error.is_parse();
    is_plain && chain(error).any(|error| error.downcast_ref().is_some_and(is_parse))
}

/// What a proxy answered instead of opening a tunnel to the server. Only the text says so, because the
/// library keeps the type to itself.
fn tunnel_error(error: &reqwest::Error) -> Option<ApiError> {
    chain(error).find_map(
        |error| match error.to_string().strip_prefix("tunnel error: ")? {
            "proxy authorization required" => Some(ApiError::ProxyAuth),
            "unsuccessful" => Some(ApiError::ProxyRefused),
            _ => None,
        },
    )
}

/// The time until the rate limit resets. The header is a Unix time in milliseconds; Rocket.Chat
/// sends no `Retry-After`.
fn reset_in(headers: &HeaderMap) -> Option<Duration> {
    let reset: u64 = headers.get(RATE_LIMIT_RESET)?.to_str().ok()?.parse().ok()?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    let reset_in = Duration::from_millis(reset).saturating_sub(now);
    Some(reset_in.min(LIMITS.client.max_rate_limit_wait))
}
