//! One HTTP request and its response on a new connection, as GitLab sends a webhook.
//! Owns the HTTP client of this crate; knows nothing about webhooks, see [`crate::gitlab`].

use std::io;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper::header::{HOST, HeaderName, HeaderValue};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// A response, read to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Every header in the order of arrival, names in lower case; bytes outside UTF-8 are replaced.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Response {
    /// The first header of this name, ignoring case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The body as text; bytes outside UTF-8 are replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is not JSON: the caller is a test, and the panic message shows the body.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("not JSON ({error}): {}", self.text()))
    }
}

/// Sends one request to an `http://` URL and reads the whole response, without a timeout and without following redirects.
///
/// Adds `Host` unless it is given. Fails if the URL or a header is malformed or if the connection breaks.
pub async fn exchange(
    method: &str,
    url: &str,
    headers: &[(String, Vec<u8>)],
    body: &[u8],
) -> io::Result<Response> {
    let (authority, path) = split(url)?;
    let mut request = hyper::Request::new(Full::new(Bytes::copy_from_slice(body)));
    *request.method_mut() = method.parse().map_err(malformed)?;
    *request.uri_mut() = path.parse().map_err(malformed)?;
    let host = HeaderValue::from_str(authority).map_err(malformed)?;
    request.headers_mut().insert(HOST, host);
    for (name, value) in headers {
        let name: HeaderName = name.parse().map_err(malformed)?;
        let value = HeaderValue::from_bytes(value).map_err(malformed)?;
        if name == HOST {
            request.headers_mut().insert(name, value);
        } else {
            request.headers_mut().append(name, value);
        }
    }
    send(authority, request).await
}

async fn send(authority: &str, request: hyper::Request<Full<Bytes>>) -> io::Result<Response> {
    let stream = if authority.contains(':') {
        TcpStream::connect(authority).await?
    } else {
        TcpStream::connect((authority, 80)).await?
    };
    let (mut sender, connection) = http1::Builder::new()
        .title_case_headers(true)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(io::Error::other)?;
    let response = async {
        let response = sender.send_request(request).await?;
        let (parts, body) = response.into_parts();
        let headers = parts.headers.iter().map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        });
        Ok::<_, hyper::Error>(Response {
            status: parts.status.as_u16(),
            headers: headers.collect(),
            body: body.collect().await?.to_bytes().into(),
        })
    };
    // The connection makes progress only while it is polled. Its end may come before the response is read.
    let mut connection = std::pin::pin!(connection);
    let mut response = std::pin::pin!(response);
    tokio::select! {
        response = &mut response => response.map_err(io::Error::other),
        ended = &mut connection => {
            ended.map_err(io::Error::other)?;
            response.await.map_err(io::Error::other)
        }
    }
}

fn split(url: &str) -> io::Result<(&str, &str)> {
    let rest = url.strip_prefix("http://").ok_or_else(|| {
        malformed(format!(
            "expected a URL that starts with http://, found {url}"
        ))
    })?;
    Ok(match rest.find('/') {
        Some(slash) => rest.split_at(slash),
        None => (rest, "/"),
    })
}

fn malformed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, error)
}
