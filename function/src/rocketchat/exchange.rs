//! One request and its response. Owns the limits of a response and what it means that there is none.
//! Requests are made by [`client`](super::client); what a response means is decided in
//! [`response`](super::response), and why a proxy opens no tunnel in [`tunnel`].

use std::mem;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::header::{HeaderMap, HeaderName};
use reqwest::{RequestBuilder, Response, Version};

use super::connecting::{self, CallTime};
use super::response::{ApiError, ApiResponse};
use super::tunnel;
use crate::connect_cause::{ConnectCause, chain};
use crate::limits::LIMITS;

const RATE_LIMIT_RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// Sends a request and reads the response and its headers. `via_proxy` says whether connections are those to a proxy.
pub(super) async fn exchange(
    request: RequestBuilder,
    within: CallTime,
    via_proxy: bool,
) -> Result<(ApiResponse, HeaderMap), ApiError> {
    let (client, request) = request.build_split();
    let call = async {
        let sent = match request {
            Ok(request) => client.execute(request).await,
            Err(error) => Err(error),
        };
        match sent {
            Ok(response) => read(response, via_proxy).await,
            Err(error) => match tunnel::refused(&error) {
                Some(url) => Err(tunnel::refusal(&client, url).await),
                None => Err(transport_error(&error, via_proxy)),
            },
        }
    };
    let result = connecting::limited(within, call).await;
    result.unwrap_or(Err(ApiError::Timeout))
}

async fn read(
    mut response: Response,
    via_proxy: bool,
) -> Result<(ApiResponse, HeaderMap), ApiError> {
    // The HTTP library reports any first bytes other than those of HTTP/1 as this version.
    let is_http = response.version() != Version::HTTP_09;
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
        // Such a body has no end other than that of the connection.
        if !is_http && body.len() >= TLS_ALERT.len() {
            break;
        }
    }
    if !is_http {
        let is_plain = response.url().scheme() == "http";
        return Err(not_http(&body, via_proxy && is_plain));
    }
    let response = ApiResponse {
        status,
        reset_in,
        body,
    };
    Ok((response, headers))
}

/// The first bytes of an alert in TLS of any version.
const TLS_ALERT: [u8; 2] = [0x15, 0x03];

/// What a response means that is not HTTP; `by_proxy` says whether a proxy may have sent it.
fn not_http(body: &[u8], by_proxy: bool) -> ApiError {
    if by_proxy {
        ApiError::Connect(ConnectCause::Proxy)
    } else if body.starts_with(&TLS_ALERT) {
        ApiError::Connect(ConnectCause::TlsExpected)
    } else {
        // For example from a server that is about to stop.
        ApiError::Unreadable
    }
}

fn transport_error(error: &reqwest::Error, via_proxy: bool) -> ApiError {
    let is_tls = error.url().is_some_and(|url| url.scheme() == "https");
    let in_tunnel = is_tls && !tunnel::is_before(error);
    let located = |cause: ConnectCause| {
        ApiError::Connect(if via_proxy {
            cause.via_proxy(in_tunnel)
        } else {
            cause
        })
    };
    if error.is_connect() {
        return if tunnel::credentials_missing(error) {
            ApiError::ProxyAuth
        } else {
            located(cause_of(error))
        };
    }
    // With TLS 1.3, a server verifies the certificate of the client after the handshake.
    if ConnectCause::of(error) == ConnectCause::ClientCertificate {
        return located(ConnectCause::ClientCertificate);
    }
    if !is_parse(error) {
        ApiError::Reset
    } else if via_proxy && !is_tls {
        ApiError::Connect(ConnectCause::Proxy)
    } else {
        ApiError::Unreadable
    }
}

/// Why there is no connection.
fn cause_of(error: &reqwest::Error) -> ConnectCause {
    if error.is_dns() {
        ConnectCause::Dns
    } else if error.is_timeout() {
        ConnectCause::Unreachable
    } else {
        ConnectCause::of(error)
    }
}

/// Whether a response is not HTTP.
fn is_parse(error: &reqwest::Error) -> bool {
    let is_parse = |error: &hyper::Error| error.is_parse();
    chain(error).any(|error| error.downcast_ref().is_some_and(is_parse))
}

/// The time until the rate limit resets. The header is a Unix time in milliseconds; Rocket.Chat
/// sends no `Retry-After`.
fn reset_in(headers: &HeaderMap) -> Option<Duration> {
    let reset: u64 = headers.get(RATE_LIMIT_RESET)?.to_str().ok()?.parse().ok()?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    let reset_in = Duration::from_millis(reset).saturating_sub(now);
    Some(reset_in.min(LIMITS.client.max_rate_limit_wait))
}
