//! Listening sockets and connections. Owns the accept loop, the limit on connections and the graceful
//! shutdown. Which timeouts a silent client has is in `activity`, which connection is closed when there
//! are many in `open_connections`, and how one is closed while its client still sends in
//! `lingering_close`; routes are in [`router`](super::router).
//!
//! `axum::serve` has no timeout for headers, and a server that also accepts HTTP/2 never closes silent
//! connections, so a client with a few hundred sockets can block either. This accept loop supports
//! HTTP/1 only, closes silent connections, and accepts no more connections than the process has file
//! descriptors for.
//!
//! The timeout of hyper for headers is not used: it also limits the time between two requests of a
//! connection, which proxies keep open for a minute.

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Semaphore;
use tokio::time;
use tokio_io_timeout::TimeoutStream;

mod activity;
mod open_connections;
mod watched_stream;
mod request_body;
mod lingering_close;

use activity::{Activity, Timeouts};
use lingering_close::LingeringClose;
use open_connections::OpenConnections;
use request_body::RequestBody;
use watched_stream::WatchedStream;

use crate::file_descriptors;
use crate::limits::LIMITS;

/// Listens on `port` of all addresses: IPv6 and IPv4, or IPv4 only if the system has no IPv6. Port 0
/// means any free port.
pub(crate) fn listen(port: u16) -> io::Result<TcpListener> {
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

/// Serves webhooks until `stop` is ready, then waits up to `drain` for requests in progress. Returns
/// whether all of them finished in time. Between two requests, a connection stays open for `idle_timeout`.
/// Calls `on_limit` when a connection has to wait for another one to close.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    idle_timeout: Duration,
    on_limit: impl Fn(),
    stop: impl Future,
    drain: Duration,
) -> bool {
    let limits = LIMITS.connections;
    let descriptors = file_descriptors::limit().unwrap_or(limits.default_descriptors);
    let free = descriptors.saturating_sub(limits.reserved_descriptors);
    Connections::new(
        router,
        free.clamp(1, limits.max),
        limits.crowded_grace,
        idle_timeout,
    )
    .run(listener, on_limit, stop, drain)
    .await
}

/// Serves the admin port in the same way, with a separate limit, so that probes are answered while the
/// webhook port is at its limit.
pub(crate) async fn serve_admin(
    listener: TcpListener,
    router: Router,
    idle_timeout: Duration,
    on_limit: impl Fn(),
    stop: impl Future,
) -> bool {
    let limit = LIMITS.connections.max_admin;
    Connections::new(router, limit, Duration::ZERO, idle_timeout)
        .run(listener, on_limit, stop, LIMITS.connections.admin_drain)
        .await
}

struct Connections {
    router: Router,
    limit: usize,
    idle_timeout: Duration,
    open: Arc<OpenConnections>,
    permits: Arc<Semaphore>,
    lingering: Arc<Semaphore>,
    graceful: GracefulShutdown,
}

impl Connections {
    fn new(router: Router, limit: usize, grace: Duration, idle_timeout: Duration) -> Self {
        Self {
            router,
            limit,
            idle_timeout,
            open: Arc::new(OpenConnections::new(limit, grace)),
            permits: Arc::new(Semaphore::new(limit)),
            lingering: Arc::new(Semaphore::new(LIMITS.lingering_close.max)),
            graceful: GracefulShutdown::new(),
        }
    }

    async fn run(
        self,
        listener: TcpListener,
        on_limit: impl Fn(),
        stop: impl Future,
        drain: Duration,
    ) -> bool {
        tokio::select! {
            () = self.accept(&listener, on_limit) => {}
            _ = stop => {}
        }
        drop(listener);
        time::timeout(drain, self.graceful.shutdown()).await.is_ok()
    }

    async fn accept(&self, listener: &TcpListener, on_limit: impl Fn()) {
        loop {
            if self.permits.available_permits() == 0 {
                on_limit();
            }
            // Before accepting: connections above the limit stay in the kernel's queue.
            let Ok(permit) = Arc::clone(&self.permits).acquire_owned().await else {
                return;
            };
            match listener.accept().await {
                Ok((stream, _)) => self.handle(stream, permit),
                Err(error) => {
                    tracing::warn!(%error, "failed to accept a connection");
                    time::sleep(LIMITS.connections.accept_pause).await;
                }
            }
        }
    }

    fn timeout(&self) -> Duration {
        if self.permits.available_permits() * 2 < self.limit {
            LIMITS.connections.timeout_under_load
        } else {
            LIMITS.connections.timeout
        }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "one task per connection; shutdown waits for them"
    )]
    fn handle(&self, stream: TcpStream, permit: tokio::sync::OwnedSemaphorePermit) {
        // Responses are small; waiting for a full packet would only delay them.
        let _ = stream.set_nodelay(true);
        let timeouts = Timeouts {
            headers: self.timeout(),
            idle: self.idle_timeout,
        };
        let activity = Arc::new(Activity::new(timeouts, Instant::now()));
        let entry = self.open.add(Arc::clone(&activity));
        self.open.make_room(Instant::now());
        let stream = LingeringClose::new(stream, Arc::clone(&self.lingering));
        let stream = WatchedStream::new(stream, Arc::clone(&activity), Arc::clone(&self.open));
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(timeouts.headers));
        let router = TowerToHyperService::new(self.router.clone());
        let service = service_fn(move |request: Request<Incoming>| {
            activity.begin();
            let activity = Arc::clone(&activity);
            let request = request.map(|body| RequestBody::new(body, Arc::clone(&activity)));
            let response = router.call(request);
            async move {
                let response = response.await;
                let is_success = response
                    .as_ref()
                    .is_ok_and(|response| response.status().is_success());
                activity.finish(is_success, Instant::now());
                response
            }
        });
        let connection = http1::Builder::new()
            .header_read_timeout(None)
            .max_buf_size(LIMITS.connections.read_buffer_bytes)
            .serve_connection(TokioIo::new(Box::pin(stream)), service);
        let connection = self.graceful.watch(connection);
        tokio::spawn(async move {
            // An error of the connection needs no log line: the result of each request is recorded.
            let _ = connection.await;
            drop((permit, entry));
        });
    }
}
