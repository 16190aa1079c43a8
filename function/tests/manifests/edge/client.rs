//! A client of Envoy that sends any bytes over TLS. Owns its connection and the reading of responses.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::backend::value;

/// Longer than any limit of Envoy that a test waits for.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A connection over TLS.
pub(crate) struct Client {
    pub(super) stream: TlsStream<TcpStream>,
}

/// A response, read to its end.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    /// The head in lower case.
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        value(&self.head, name)
    }
}

impl Client {
    /// Connects to `address` for this host, from an address of this machine, such as 127.0.0.2.
    pub(super) async fn connect(
        address: SocketAddr,
        source: &str,
        host: &str,
        authority: &str,
    ) -> io::Result<Self> {
        let mut roots = RootCertStore::empty();
        let authority = CertificateDer::from_pem_slice(authority.as_bytes());
        roots
            .add(authority.map_err(io::Error::other)?)
            .map_err(io::Error::other)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let socket = TcpSocket::new_v4()?;
        let source = format!("{source}:0").parse().map_err(io::Error::other)?;
        socket.bind(source)?;
        let stream = socket.connect(address).await?;
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        let connector = TlsConnector::from(Arc::new(config));
        Ok(Self {
            stream: connector.connect(name, stream).await?,
        })
    }

    /// The certificate that Envoy showed.
    pub(crate) fn certificate(&self) -> CertificateDer<'static> {
        let (_, connection) = self.stream.get_ref();
        let certificates = connection.peer_certificates().expect("shows one");
        certificates[0].clone().into_owned()
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await
    }

    /// Sends a whole request and reads its response.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> Response {
        self.send(request).await.expect("is sent");
        self.response().await.expect("is answered")
    }

    /// The next response; an error if the connection is closed before its end.
    pub(crate) async fn response(&mut self) -> io::Result<Response> {
        tokio::time::timeout(TIMEOUT, read_response(&mut self.stream)).await?
    }

    /// Exactly so many bytes.
    pub(crate) async fn read(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        let reading = self.stream.read_exact(&mut bytes);
        let read = tokio::time::timeout(TIMEOUT, reading).await;
        read.expect("in time").expect("arrives");
        bytes
    }
}

pub(super) async fn read_response(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Response> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| io::Error::other(format!("not HTTP: {head}")))?;
    let mut body = Vec::new();
    if value(&head, "transfer-encoding").is_some() {
        while !body.ends_with(b"\r\n0\r\n\r\n") && body != b"0\r\n\r\n" {
            body.push(stream.read_u8().await?);
        }
    } else if let Some(length) = value(&head, "content-length") {
        body.resize(length.parse().map_err(io::Error::other)?, 0);
        stream.read_exact(&mut body).await?;
    }
    let body = String::from_utf8_lossy(&body).into_owned();
    Ok(Response { status, head, body })
}

/// A request without a body.
pub(crate) fn request(method: &str, host: &str, path: &str, headers: &str) -> Vec<u8> {
    format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\n{headers}\r\n").into_bytes()
}
