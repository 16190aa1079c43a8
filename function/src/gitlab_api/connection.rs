//! The connection to GitLab: one request and its response. Owns TLS, proxies, time limits, the longest
//! response and what it means that there is none. Requests are made by [`client`](super::client).

use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderValue};
use secrecy::ExposeSecret as _;
use url::Url;

use super::error::ApiError;
use super::response::Response;
use super::server::GitLabServer;
use crate::connect_cause::{ConnectCause, chain};
use crate::http_client::{self, HttpClientError};
use crate::limits::LIMITS;
use crate::tls::TlsError;

/// Sends requests to one server as one account.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    http: reqwest::Client,
    /// Whether connections are those to a proxy.
    via_proxy: bool,
}

/// Why the client could not be created.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ClientError {
    /// A certificate of an additional authority cannot be used.
    #[error(
        "expected certificates of authorities in GITLAB_CA, found one that cannot be used; give the root certificate of the authority"
    )]
    Authority,
    /// The HTTP library rejected its settings.
    #[error("failed to build the HTTP client for GitLab")]
    Build,
}

impl Connection {
    /// Creates a client without opening a connection.
    pub(super) fn new(server: &GitLabServer) -> Result<Self, ClientError> {
        let http = http_client::builder(&server.authorities, server.proxy.as_ref());
        let http = http
            .map_err(|error| match error {
                HttpClientError::Tls(TlsError::Authority) => ClientError::Authority,
                HttpClientError::Tls(TlsError::Build) | HttpClientError::Build => {
                    ClientError::Build
                }
            })?
            .default_headers(headers(server)?)
            .connect_timeout(LIMITS.gitlab_api.connect_timeout)
            .timeout(LIMITS.gitlab_api.call_timeout);
        Ok(Self {
            http: http.build().map_err(|_| ClientError::Build)?,
            via_proxy: server.proxy.is_some(),
        })
    }

    /// Sends a request with a JSON body, if there is one, and reads the response.
    pub(super) async fn exchange(
        &self,
        method: Method,
        url: Url,
        body: Option<Vec<u8>>,
    ) -> Result<Response, ApiError> {
        let mut request = self.http.request(method, url);
        if let Some(body) = body {
            let json = HeaderValue::from_static("application/json");
            request = request.header("content-type", json).body(body);
        }
        let failed = |error: reqwest::Error| self.failure(&error);
        let mut response = request.send().await.map_err(failed)?;
        let max_bytes = LIMITS.gitlab_api.max_response_bytes;
        let announced = response.content_length().unwrap_or(0);
        if announced > max_bytes as u64 {
            return Err(ApiError::TooLarge);
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > max_bytes {
                return Err(ApiError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Response {
            status: response.status().as_u16(),
            headers: std::mem::take(response.headers_mut()),
            body,
        })
    }

    /// What it means that there is no response.
    fn failure(&self, error: &reqwest::Error) -> ApiError {
        let cause = if error.is_dns() {
            ConnectCause::Dns
        } else if error.is_connect() && error.is_timeout() {
            ConnectCause::Unreachable
        } else {
            ConnectCause::of(error)
        };
        let is_known = cause == ConnectCause::ClientCertificate;
        if !error.is_connect() && !is_known {
            return ApiError::Timeout;
        }
        if !self.via_proxy {
            return ApiError::Unreachable(cause);
        }
        // Only the texts say what happened, because the library keeps the type to itself.
        let says = |text: &str| chain(error).any(|link| link.to_string().contains(text));
        if says("tunnel error: unsuccessful") || says("proxy authorization required") {
            return ApiError::Proxy;
        }
        let is_tls = error.url().is_some_and(|url| url.scheme() == "https");
        let in_tunnel = is_tls && !says("failed to create underlying connection");
        ApiError::Unreachable(cause.via_proxy(in_tunnel))
    }
}

fn headers(server: &GitLabServer) -> Result<HeaderMap, ClientError> {
    let token = server.token.secret().expose_secret();
    let mut token = HeaderValue::from_str(token).map_err(|_| ClientError::Build)?;
    // Keeps the token out of the debug output of the HTTP library.
    token.set_sensitive(true);
    let agent = concat!("webhook-app/", env!("CARGO_PKG_VERSION"));
    let mut headers = HeaderMap::new();
    headers.insert("private-token", token);
    headers.insert("user-agent", HeaderValue::from_static(agent));
    headers.insert("accept", HeaderValue::from_static("application/json"));
    Ok(headers)
}
