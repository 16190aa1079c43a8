//! Connections: from the listening socket to the router and to a quiet end. Owns the accept loop,
//! the cap on connections, the header deadline and the drain; how a connection ends whose sender still
//! talks is told in `linger`. Knows nothing of webhooks.
//!
//! axum's own loop has no header deadline, and one that also speaks HTTP/2 never drops a silent
//! connection; both can be kept busy by anyone with a few hundred sockets. Hence this one: HTTP/1
//! only, a deadline for headers, and no more connections than there are descriptors.

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Semaphore;
use tokio::time;
use tokio_io_timeout::TimeoutStream;

mod lingering_close;

use lingering_close::{LingeringClose, MAX_AT_ONCE};

/// From the first byte of a connection, or the end of the last answer on it, to the end of the
/// headers, which GitLab sends at once; and how long a sender may take nothing of its answer, where
/// hyper itself would wait for ever.
const PATIENCE: Duration = Duration::from_secs(3);

/// The same for connections that come while most places are taken: whoever waits behind a thousand
/// silent ones must have its turn before GitLab's ten seconds are over.
const PATIENCE_WHEN_CROWDED: Duration = Duration::from_secs(1);

/// Headers and the start of a body; hyper reads a body in pieces of this size, in bytes.
const READ_BUFFER: usize = 16 * 1024;

/// Connections the kernel keeps for us while we are busy.
const BACKLOG: u32 = 1024;

/// After the kernel refused us a connection, mostly for lack of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Connections open at once, if the process may have descriptors for them.
const MAX_CONNECTIONS: usize = 2048;

/// Descriptors for everything that is not an incoming connection: listeners, logs, and the
/// connections to the chat server.
const RESERVED_DESCRIPTORS: usize = 128;

/// Where the system does not say how many there may be.
const USUAL_DESCRIPTORS: usize = 1024;

/// Connections of the operators' port: probes and a scraper or two.
const MAX_OPS_CONNECTIONS: usize = 32;

/// Opens `port` on all addresses, IPv6 and IPv4, or IPv4 alone where there is no IPv6. Port 0 takes
/// any free one.
pub fn listen(port: u16) -> io::Result<TcpListener> {
    let any_v6 = SocketAddr::from((Ipv6Addr::UNSPECIFIED, port));
    let any_v4 = SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
    bind(TcpSocket::new_v6(), any_v6).or_else(|error| match error.kind() {
        io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied => Err(error),
        _ => bind(TcpSocket::new_v4(), any_v4),
    })
}

fn bind(socket: io::Result<TcpSocket>, address: SocketAddr) -> io::Result<TcpListener> {
    let socket = socket?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves webhooks until `stop` is ready, then waits up to `drain` for what is under way. Says
/// whether all of it ended in time. `at_cap` is called whenever no further connection may be open.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    at_cap: impl Fn(),
    stop: impl Future,
    drain: Duration,
) -> bool {
    let descriptors = descriptors().unwrap_or(USUAL_DESCRIPTORS);
    let free = descriptors.saturating_sub(RESERVED_DESCRIPTORS).max(1);
    Connections::new(router, free.min(MAX_CONNECTIONS))
        .run(listener, at_cap, stop, drain)
        .await
}

/// The same for the operators' port, under a small cap of its own, so that probes are answered
/// while the other port is full.
pub async fn serve_admin(
    listener: TcpListener,
    router: Router,
    at_cap: impl Fn(),
    stop: impl Future,
) -> bool {
    Connections::new(router, MAX_OPS_CONNECTIONS)
        .run(listener, at_cap, stop, Duration::from_secs(1))
        .await
}

struct Connections {
    router: Router,
    cap: usize,
    turns: Arc<Semaphore>,
    lingering: Arc<Semaphore>,
    graceful: GracefulShutdown,
}

impl Connections {
    fn new(router: Router, cap: usize) -> Self {
        Self {
            router,
            cap,
            turns: Arc::new(Semaphore::new(cap)),
            lingering: Arc::new(Semaphore::new(MAX_AT_ONCE)),
            graceful: GracefulShutdown::new(),
        }
    }

    async fn run(
        self,
        listener: TcpListener,
        at_cap: impl Fn(),
        stop: impl Future,
        drain: Duration,
    ) -> bool {
        tokio::select! {
            () = self.accept(&listener, at_cap) => {}
            _ = stop => {}
        }
        drop(listener);
        time::timeout(drain, self.graceful.shutdown()).await.is_ok()
    }

    async fn accept(&self, listener: &TcpListener, at_cap: impl Fn()) {
        loop {
            if self.turns.available_permits() == 0 {
                at_cap();
            }
            // The turn comes first: a connection that is over the cap stays with the kernel.
            let Ok(turn) = Arc::clone(&self.turns).acquire_owned().await else {
                return;
            };
            match listener.accept().await {
                Ok((stream, _)) => self.handle(stream, turn),
                Err(error) => {
                    tracing::warn!(%error, "could not accept a connection");
                    time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn patience(&self) -> Duration {
        if self.turns.available_permits() * 2 < self.cap {
            PATIENCE_WHEN_CROWDED
        } else {
            PATIENCE
        }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "one task a connection; they end with it and are awaited when draining"
    )]
    fn handle(&self, stream: TcpStream, turn: tokio::sync::OwnedSemaphorePermit) {
        // Answers are small; waiting to fill a packet only delays them.
        let _ = stream.set_nodelay(true);
        let stream = LingeringClose::new(stream, Arc::clone(&self.lingering));
        let mut stream = TimeoutStream::new(stream);
        let patience = self.patience();
        stream.set_write_timeout(Some(patience));
        let service = TowerToHyperService::new(self.router.clone());
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(patience)
            .max_buf_size(READ_BUFFER)
            .serve_connection(TokioIo::new(Box::pin(stream)), service);
        let connection = self.graceful.watch(connection);
        tokio::spawn(async move {
            // How a connection ends is the sender's affair; how a request ended is in its report.
            let _ = connection.await;
            drop(turn);
        });
    }
}

/// Descriptors this process may have, where Linux says.
pub(crate) fn descriptors() -> Option<usize> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"));
    let soft = line?.split_whitespace().next()?;
    // Otherwise it says "unlimited".
    Some(soft.parse().unwrap_or(usize::MAX))
}
