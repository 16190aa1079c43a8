//! TLS in front of the fake Rocket.Chat: who accepts which certificate, and how long a handshake takes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use fakes::https::{Certificate, Https};
use fakes::rocketchat::FakeRocketChat;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// The status line of a call without credentials, or the error of the handshake.
async fn status_line(https: &Https) -> Result<String, String> {
    let mut roots = RootCertStore::empty();
    let authority = CertificateDer::from_pem_slice(https.authority().as_bytes());
    roots.add(authority.expect("PEM")).expect("an authority");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let address = https.url().replace("https://localhost", "127.0.0.1");
    let stream = TcpStream::connect(address).await.expect("a connection");
    let host = ServerName::try_from("localhost").expect("a name");
    let connector = TlsConnector::from(Arc::new(config));
    let mut stream = connector
        .connect(host, stream)
        .await
        .map_err(|error| error.to_string())?;
    let call = b"GET /api/v1/me HTTP/1.1\r\nHost: chat\r\n\r\n";
    stream.write_all(call).await.expect("sent");
    let mut response = [0; 1024];
    let count = stream.read(&mut response).await.expect("a response");
    let response = String::from_utf8_lossy(&response[..count]).into_owned();
    Ok(response.lines().next().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_client_accepts_the_valid_certificate_only() {
    let cases = [
        (Certificate::Valid, Ok("HTTP/1.1 401 Unauthorized")),
        (Certificate::OtherHost, Err("not valid for name")),
        (Certificate::Expired, Err("certificate expired")),
        (Certificate::OtherAuthority, Err("invalid peer certificate")),
    ];
    let chat = FakeRocketChat::start().await;
    chat.expect_violation();
    for (certificate, expected) in cases {
        let https = Https::in_front_of(&chat.url(), certificate, Duration::ZERO).await;
        let https = https.expect("openssl is installed");

        let result = status_line(&https).await;

        match (&result, expected) {
            (Ok(line), Ok(expected)) => assert_eq!(line, expected),
            (Err(error), Err(expected)) => assert!(error.contains(expected), "{error}"),
            _ => panic!("{certificate:?}: {result:?}"),
        }
    }
    chat.finish();
}

#[tokio::test]
async fn a_slow_handshake_takes_its_time() {
    let chat = FakeRocketChat::start().await;
    chat.expect_violation();
    let delay = Duration::from_millis(60);
    let https = Https::in_front_of(&chat.url(), Certificate::Valid, delay).await;
    let https = https.expect("openssl is installed");

    let began = Instant::now();
    let result = status_line(&https).await;

    assert!(result.is_ok(), "{result:?}");
    assert!(began.elapsed() >= delay);
    chat.finish();
}
