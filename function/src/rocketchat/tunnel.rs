//! Tunnels through a proxy to a server with TLS. Owns why a proxy opens none. Other errors of a call are
//! those of [`exchange`](super::exchange).

use reqwest::{Client, Error, Method, Url};

use super::response::ApiError;
use crate::connect_cause::{ConnectCause, chain};

/// The address of the server if the proxy answered that it opens no tunnel.
pub(super) fn refused(error: &Error) -> Option<&Url> {
    has_text(error, "unsuccessful")
        .then(|| error.url())
        .flatten()
}

/// Whether the proxy asks for credentials.
pub(super) fn credentials_missing(error: &Error) -> bool {
    has_text(error, "proxy authorization required")
}

/// Whether there was no connection to the proxy, so that TLS is that of the proxy.
pub(super) fn is_before(error: &Error) -> bool {
    has_text(error, "failed to create underlying connection")
}

/// Only the text says what happened, because the library keeps the type to itself.
fn has_text(error: &Error, text: &str) -> bool {
    chain(error).any(|error| error.to_string().strip_prefix("tunnel error: ") == Some(text))
}

/// Asks the proxy once more for a tunnel to the server at `url`, and returns why there is none. The
/// library drops the status of the first answer; a request to an address without TLS has one.
pub(super) async fn refusal(client: &Client, url: &Url) -> ApiError {
    let unavailable = ApiError::Connect(ConnectCause::Proxy);
    let Some(target) = target(url) else {
        return unavailable;
    };
    // The proxy must not see the credentials of the account, which the client adds where a header is absent.
    let request = client
        .request(Method::CONNECT, target)
        .header("x-user-id", "")
        .header("x-auth-token", "");
    let status = match request.send().await {
        Ok(response) => response.status().as_u16(),
        Err(_) => return unavailable,
    };
    match status {
        407 => ApiError::ProxyAuth,
        300..=499 => ApiError::ProxyRefused,
        // 5xx, or the proxy opens tunnels again.
        _ => unavailable,
    }
}

/// The address of which the library writes only host and port into the request.
fn target(url: &Url) -> Option<Url> {
    let port = url.port_or_known_default()?;
    let mut target = url.clone();
    target.set_scheme("http").ok()?;
    target.set_port(Some(port)).ok()?;
    target.set_path("/");
    target.set_query(None);
    // Port 80 would be left out.
    target.port().is_some().then_some(target)
}
