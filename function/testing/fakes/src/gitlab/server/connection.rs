//! The HTTP server: accepts connections, reads requests and sends responses.
//! `handlers` decides what to answer.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::call::Call;
use super::reply::Reply;
use super::{Server, handlers, inspect};

/// Accepts connections until it is dropped, which closes them.
pub(super) async fn accept(listener: TcpListener, server: Arc<Server>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                let server = Arc::clone(&server);
                connections.spawn(async move {
                    let service = service_fn(|request| {
                        let server = Arc::clone(&server);
                        async move { Ok::<_, Infallible>(respond(server, request).await) }
                    });
                    // The client may close its connection at any time.
                    let _ended = http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn respond(server: Arc<Server>, request: Request<Incoming>) -> Response<Full<Bytes>> {
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
        body: body.map(Vec::from).unwrap_or_default(),
    };
    // A webhook is sent and recorded to its end even if the client disconnects, as the real server does.
    #[expect(
        clippy::disallowed_methods,
        reason = "the request must be finished even if its client has disconnected"
    )]
    let task = tokio::spawn(async move {
        match inspect::respond(&server, &call).await {
            Some(reply) => reply,
            None => handlers::respond(&server, &call).await,
        }
    });
    let reply = task
        .await
        .unwrap_or_else(|_| Reply::message(500, "500 Internal Server Error"));
    converted(&reply)
}

fn converted(reply: &Reply) -> Response<Full<Bytes>> {
    let mut response = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        response = response.header(name, value);
    }
    let response = response.body(Full::from(reply.body.clone()));
    response.unwrap_or_default()
}
