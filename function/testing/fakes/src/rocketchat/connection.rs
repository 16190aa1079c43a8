//! The HTTP server: accepts connections, reads calls and sends responses.
//! `server` handles the calls, `fault_injection` applies the faults.

use std::convert::Infallible;
use std::sync::Arc;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::absence::{Away, Order};
use super::chunks::{Chunks, response};
use super::handlers::Collision;
use super::middleware::Call;
use super::reply::Reply;
use super::server::Server;
use super::wire::{After, Cut, Ending, Wire};
use super::{Route, fault_injection, inspect};

/// How many connections wait for being accepted after an absence.
const BACKLOG: u32 = 1024;

/// Accepts connections until it is dropped, which closes them.
pub(super) async fn accept(
    mut listener: TcpListener,
    server: Arc<Server>,
    inspectable: bool,
    mut orders: UnboundedReceiver<Order>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                if let Some((Away::Reset, _)) = server.absence.now() {
                    // With a linger time of zero, closing sends a reset.
                    let _ = stream.set_zero_linger();
                } else {
                    connections.spawn(serve(stream, Arc::clone(&server), inspectable));
                }
            }
            Some(_) = connections.join_next() => {}
            Some(order) = next_order(&server, &mut orders) => {
                let until = server.absence.begin(order.how, order.lasting);
                match order.how {
                    Away::Refused => {
                        connections.shutdown().await;
                        listener = refuse(listener, order.begun, until).await;
                    }
                    Away::Reset => {
                        // Dropped during this absence, a connection is reset; see `wire`.
                        connections.shutdown().await;
                        let _told = order.begun.send(());
                    }
                    Away::Status(_) | Away::Silent => {
                        let _told = order.begun.send(());
                    }
                }
            }
        }
    }
}

/// The next order, once the absence before it is over.
async fn next_order(server: &Server, orders: &mut UnboundedReceiver<Order>) -> Option<Order> {
    if let Some((_, until)) = server.absence.now() {
        sleep_until(until).await;
    }
    orders.recv().await
}

/// Refuses connections for a time. A socket that is bound and does not listen keeps the port for us.
async fn refuse(
    listener: TcpListener,
    begun: tokio::sync::oneshot::Sender<()>,
    until: Instant,
) -> TcpListener {
    let address = match listener.local_addr() {
        Ok(address) => address,
        Err(error) => panic!("the fake Rocket.Chat has no address: {error}"),
    };
    drop(listener);
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    };
    let bound = socket.and_then(|socket| {
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        Ok(socket)
    });
    let _told = begun.send(());
    sleep_until(until).await;
    match bound.and_then(|socket| socket.listen(BACKLOG)) {
        Ok(listener) => listener,
        Err(error) => panic!("the fake Rocket.Chat cannot listen again on {address}: {error}"),
    }
}

async fn serve(stream: TcpStream, server: Arc<Server>, inspectable: bool) {
    let cut = Cut::default();
    let wire = TokioIo::new(Wire::new(stream, cut.clone(), Arc::clone(&server)));
    let service = service_fn(move |request| {
        let (server, cut) = (Arc::clone(&server), cut.clone());
        async move { Ok::<_, Infallible>(respond(server, cut, request, inspectable).await) }
    });
    // An error is a client that disconnected or an injected fault.
    let _ended = hyper::server::conn::http1::Builder::new()
        .serve_connection(wire, service)
        .await;
}

async fn respond(
    server: Arc<Server>,
    cut: Cut,
    request: Request<Incoming>,
    inspectable: bool,
) -> Response<Chunks> {
    let (parts, body) = request.into_parts();
    // An incomplete body is treated as an empty one: the client has disconnected.
    let body = body
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes);
    let call = Call {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers,
        body: body.unwrap_or_default(),
    };
    if let Some(reply) = inspectable
        .then(|| inspect::respond(&server, &call))
        .flatten()
    {
        return response(&reply);
    }
    let Some(route) = Route::find(&call.method, &call.path) else {
        return response(&server.not_found(&call));
    };
    if let Some((how, until)) = server.absence.now() {
        server.store().count(route);
        return response(&absent(how, until, &cut).await);
    }
    let fault = {
        let mut store = server.store();
        store.count(route);
        store.faults.next(route)
    };
    let Some(fault) = fault else {
        return response(&handle(server, route, call, None).await);
    };
    fault_injection::inject(server, &cut, route, call, fault).await
}

/// The reply to a call during an absence; a connection that stays silent is closed at its end.
async fn absent(how: Away, until: Instant, cut: &Cut) -> Reply {
    if let Away::Status(status) = how {
        return Reply::proxy_page(status);
    }
    cut.set(After::Bytes(0), Ending::Close);
    sleep_until(until).await;
    Reply::proxy_page(504)
}

/// Handles a call to its end even if the client disconnects, as the real server does.
pub(super) async fn handle(
    server: Arc<Server>,
    route: Route,
    call: Call,
    collision: Option<Collision>,
) -> Reply {
    detached(async move { server.handle(route, &call, collision).await }).await
}

pub(super) async fn detached(work: impl Future<Output = Reply> + Send + 'static) -> Reply {
    #[expect(
        clippy::disallowed_methods,
        reason = "the call must be finished even if its client has disconnected"
    )]
    let task = tokio::spawn(work);
    // It fails only if it panics, and the test output then shows the panic.
    task.await
        .unwrap_or_else(|_| Reply::default_for_status(500))
}
