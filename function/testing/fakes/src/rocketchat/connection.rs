//! The HTTP server: accepts connections, reads calls and sends responses.
//! `server` handles the calls, `fault_injection` applies the faults.

use std::convert::Infallible;
use std::sync::Arc;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::chunks::{Chunks, response};
use super::handlers::Collision;
use super::middleware::Call;
use super::reply::Reply;
use super::server::Server;
use super::wire::{Cut, Wire};
use super::{Route, fault_injection, inspect};

/// Accepts connections until it is dropped, which closes them.
pub(super) async fn accept(listener: TcpListener, server: Arc<Server>, inspectable: bool) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    connections.spawn(serve(stream, Arc::clone(&server), inspectable));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(stream: TcpStream, server: Arc<Server>, inspectable: bool) {
    let cut = Cut::default();
    let wire = TokioIo::new(Wire::new(stream, cut.clone()));
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
    let fault = {
        let mut store = server.store();
        *store.calls.entry(route).or_default() += 1;
        store.faults.next(route)
    };
    let Some(fault) = fault else {
        return response(&handle(server, route, call, None).await);
    };
    fault_injection::inject(server, &cut, route, call, fault).await
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
