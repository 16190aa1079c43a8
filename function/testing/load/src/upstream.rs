//! `upstream`: a fast fake of Rocket.Chat that only succeeds, with a latency of `--delay-ms`, over TLS if
//! `--certificate` and `--key` are given. Also accepts spans as an OTLP collector does.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time;
use tokio_rustls::TlsAcceptor;

use crate::message::{Message, Reader};
use crate::options::Options;

const ROOM: &str = r#"{"success":true,"room":{"_id":"botIdaliceId","rid":"botIdaliceId","t":"d","usernames":["gitlab-bot","alice"]}}"#;

/// Serves on `--address` until the process is killed.
pub(crate) async fn run(options: &Options) -> Result<Value, String> {
    let address = options.text("address", "127.0.0.1:3000");
    let delay = Duration::from_millis(options.number("delay-ms", 0)?);
    let tls = match (options.text("certificate", ""), options.text("key", "")) {
        ("", _) => None,
        (certificate, key) => Some(acceptor(certificate, key)?),
    };
    let listener = TcpListener::bind(address).await;
    let listener = listener.map_err(|error| format!("could not listen on {address}: {error}"))?;
    loop {
        let accepted = listener.accept().await;
        let (stream, _) = accepted.map_err(|error| format!("could not accept: {error}"))?;
        spawn(stream, tls.clone(), delay);
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "one task per connection, until the process exits"
)]
fn spawn(stream: TcpStream, tls: Option<TlsAcceptor>, delay: Duration) {
    tokio::spawn(async move {
        let _ = stream.set_nodelay(true);
        match tls {
            None => serve(stream, delay).await,
            Some(tls) => serve(tls.accept(stream).await?, delay).await,
        }
    });
}

async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, delay: Duration) -> io::Result<()> {
    let mut reader = Reader::default();
    while let Some(call) = reader.next(&mut stream).await? {
        if !delay.is_zero() {
            time::sleep(delay).await;
        }
        let body = response_body(&call);
        let length = body.len();
        let response = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        stream.write_all(response.as_bytes()).await?;
    }
    Ok(())
}

fn response_body(call: &Message) -> String {
    if call.first_line.contains("/v1/traces") {
        // An empty response means that all spans were accepted.
        return String::new();
    }
    if call.first_line.contains("im.create") {
        return ROOM.to_owned();
    }
    let body: Value = serde_json::from_slice(&call.body).unwrap_or_default();
    let message = &body["message"];
    json!({ "success": true, "message": {
        "_id": message["_id"], "rid": message["rid"], "msg": message["msg"],
        "ts": "2026-11-20T10:00:00.000Z", "u": { "_id": "botId", "username": "gitlab-bot" },
    } })
    .to_string()
}

fn acceptor(certificate: &str, key: &str) -> Result<TlsAcceptor, String> {
    let invalid = |file: &str| format!("expected PEM in {file}");
    let certificate =
        CertificateDer::from_pem_file(certificate).map_err(|_| invalid(certificate))?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|_| invalid(key))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            builder
                .with_no_client_auth()
                .with_single_cert(vec![certificate], private)
        });
    let config = config.map_err(|error| format!("could not use {key}: {error}"))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
