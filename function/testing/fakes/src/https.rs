//! TLS in front of a fake server: good and bad certificates, and a handshake that takes its time.
//! Owns the listener and the handshake; `certificates` makes the certificates, and the bytes go to the fake unchanged.

mod certificates;
mod openssl_server;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

pub use certificates::Certificate;
use certificates::issue;
pub use openssl_server::{Handshake, OpensslServer};

/// A running TLS listener, reachable as `localhost`; dropping it closes its connections.
pub struct Https {
    address: SocketAddr,
    authority: String,
    task: JoinHandle<()>,
}

impl Https {
    /// Listens on a free port in front of the server at `url`, with a certificate that a new authority has issued.
    ///
    /// Each handshake begins after `handshake_delay`. Fails if the program `openssl` is not installed.
    pub async fn in_front_of(
        url: &str,
        certificate: Certificate,
        handshake_delay: Duration,
    ) -> io::Result<Self> {
        let issued = issue(certificate)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_single_cert(vec![issued.certificate()?], issued.key()?)
            .map_err(io::Error::other)?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let front = Front {
            upstream: url.trim_start_matches("http://").to_owned(),
            acceptor: TlsAcceptor::from(Arc::new(config)),
            handshake_delay,
        };
        #[expect(
            clippy::disallowed_methods,
            reason = "the server runs in the background of a test, and its handle aborts the task"
        )]
        let task = tokio::spawn(accept(listener, Arc::new(front)));
        Ok(Self {
            address,
            authority: issued.authority()?,
            task,
        })
    }

    /// Its base URL, such as `https://localhost:40123`.
    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }

    /// The certificate of its authority in PEM format, for the client to trust.
    pub fn authority(&self) -> &str {
        &self.authority
    }
}

impl Drop for Https {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Front {
    upstream: String,
    acceptor: TlsAcceptor,
    handshake_delay: Duration,
}

async fn accept(listener: TcpListener, front: Arc<Front>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    let front = Arc::clone(&front);
                    connections.spawn(async move { serve(stream, &front).await });
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(stream: TcpStream, front: &Front) -> io::Result<()> {
    tokio::time::sleep(front.handshake_delay).await;
    let mut client = front.acceptor.accept(stream).await?;
    let mut server = TcpStream::connect(&front.upstream).await?;
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}
