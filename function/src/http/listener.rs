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

use lingering_close::LingeringClose;

use crate::file_descriptors;
use crate::limits::LIMITS;

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
    socket.listen(LIMITS.connections.backlog)
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
    let limits = LIMITS.connections;
    let descriptors = file_descriptors::limit().unwrap_or(limits.default_descriptors);
    let free = descriptors.saturating_sub(limits.reserved_descriptors);
    Connections::new(router, free.clamp(1, limits.max))
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
    Connections::new(router, LIMITS.connections.max_admin)
        .run(listener, at_cap, stop, LIMITS.connections.admin_drain)
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
            lingering: Arc::new(Semaphore::new(LIMITS.lingering_close.max)),
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
                    time::sleep(LIMITS.connections.accept_pause).await;
                }
            }
        }
    }

    fn patience(&self) -> Duration {
        if self.turns.available_permits() * 2 < self.cap {
            LIMITS.connections.timeout_under_load
        } else {
            LIMITS.connections.timeout
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
            .max_buf_size(LIMITS.connections.read_buffer_bytes)
            .serve_connection(TokioIo::new(Box::pin(stream)), service);
        let connection = self.graceful.watch(connection);
        tokio::spawn(async move {
            // How a connection ends is the sender's affair; how a request ended is in its report.
            let _ = connection.await;
            drop(turn);
        });
    }
}
