//! The sockets: accepts connections, reads calls and sends answers.
//! What a call means is the business of `server`, how it goes wrong that of `fault_injection`.

use std::convert::Infallible;
use std::sync::Arc;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::actions::Collision;
use super::chunks::{Chunks, response};
use super::middleware::Call;
use super::reply::Reply;
use super::server::Server;
use super::wire::{Cut, Wire};
use super::{Route, fault_injection, inspect};

/// Accepts until it is dropped; its connections end with it.
pub(super) async fn accept(listener: TcpListener, server: Arc<Server>, readable: bool) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    connections.spawn(serve(stream, Arc::clone(&server), readable));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(stream: TcpStream, server: Arc<Server>, readable: bool) {
    let cut = Cut::default();
    let wire = TokioIo::new(Wire::new(stream, cut.clone()));
    let service = service_fn(move |request| {
        let (server, cut) = (Arc::clone(&server), cut.clone());
        async move { Ok::<_, Infallible>(answer(server, cut, request, readable).await) }
    });
    // A client that goes away, and a fault of ours, both end here as an error.
    let _ended = hyper::server::conn::http1::Builder::new()
        .serve_connection(wire, service)
        .await;
}

async fn answer(
    server: Arc<Server>,
    cut: Cut,
    request: Request<Incoming>,
    readable: bool,
) -> Response<Chunks> {
    let (parts, body) = request.into_parts();
    // A body that breaks off is a call that never came.
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
    if let Some(reply) = readable.then(|| inspect::answer(&server, &call)).flatten() {
        return response(&reply);
    }
    let Some(route) = Route::find(&call.method, &call.path) else {
        return response(&server.lost(&call));
    };
    let fault = {
        let mut store = server.store();
        *store.calls.entry(route).or_default() += 1;
        store.faults.next(route)
    };
    let Some(fault) = fault else {
        return response(&carry_out(server, route, call, None).await);
    };
    fault_injection::act_out(server, &cut, route, call, fault).await
}

/// Carries out a call to its end even when the client goes away, as the real server does.
pub(super) async fn carry_out(
    server: Arc<Server>,
    route: Route,
    call: Call,
    collision: Option<Collision>,
) -> Reply {
    detached(async move { server.carry_out(route, &call, collision).await }).await
}

pub(super) async fn detached(work: impl Future<Output = Reply> + Send + 'static) -> Reply {
    #[expect(
        clippy::disallowed_methods,
        reason = "the stand-in must finish a call whose client has gone"
    )]
    let task = tokio::spawn(work);
    // It fails only when it panics, which the test is told on its own output.
    task.await.unwrap_or_else(|_| Reply::bare_status(500))
}
