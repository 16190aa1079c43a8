//! The sockets: accepts connections, reads calls, and acts out faults on the wire.
//! What a call means is the business of `server`.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue, LOCATION};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::actions::Collision;
use super::gate::Call;
use super::reply::Reply;
use super::server::Server;
use super::wire::{After, Ending, Scissors, Wire};
use super::{Fault, Route, limiter, readout};

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
    let scissors = Scissors::default();
    let wire = TokioIo::new(Wire::new(stream, scissors.clone()));
    let service = service_fn(move |request| {
        let (server, scissors) = (Arc::clone(&server), scissors.clone());
        async move { Ok::<_, Infallible>(answer(server, scissors, request, readable).await) }
    });
    // A client that goes away, and a fault of ours, both end here as an error.
    let _ended = hyper::server::conn::http1::Builder::new()
        .serve_connection(wire, service)
        .await;
}

async fn answer(
    server: Arc<Server>,
    scissors: Scissors,
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
    if let Some(reply) = readable.then(|| readout::answer(&server, &call)).flatten() {
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
    act_out(server, scissors, route, call, fault).await
}

async fn act_out(
    server: Arc<Server>,
    scissors: Scissors,
    route: Route,
    call: Call,
    fault: Fault,
) -> Response<Chunks> {
    let collision = match &fault {
        Fault::LosesRace => Some(Collision::LosesRace),
        Fault::Race => Some(Collision::Race),
        &Fault::TakenBy { user, same_room } => Some(Collision::TakenBy { user, same_room }),
        Fault::DuplicateText(text) => Some(Collision::DuplicateText(text.clone())),
        _ => None,
    };
    if let Fault::Slow {
        delay,
        insert_first: false,
    } = fault
    {
        let late = async move {
            tokio::time::sleep(delay).await;
            server.carry_out(route, &call, None).await
        };
        return response(&detached(late).await);
    }
    let unhandled = Reply::raw(200, "application/json", "");
    let reply = if is_carried_out(&fault) {
        carry_out(server, route, call, collision).await
    } else {
        unhandled
    };
    if let Some((after, ending)) = cut(&fault) {
        scissors.cut(after, ending);
    }
    match fault {
        Fault::Slow { delay, .. } => tokio::time::sleep(delay).await,
        Fault::Huge => return padded(&reply),
        _ => {}
    }
    response(&disguised(fault, reply))
}

/// Whether the call takes effect before its answer goes wrong.
fn is_carried_out(fault: &Fault) -> bool {
    match fault {
        Fault::Status(_)
        | Fault::Answer { .. }
        | Fault::RateLimited { .. }
        | Fault::Redirect(_)
        | Fault::SuccessFalse
        | Fault::NotJson => false,
        Fault::ResetAfter { insert, .. } | Fault::HangUp { insert } => *insert,
        Fault::HalfClose
        | Fault::CloseAfterAnswer
        | Fault::Slow { .. }
        | Fault::InsertThenStatus(_)
        | Fault::Truncated
        | Fault::Huge
        | Fault::NonUtf8
        | Fault::LosesRace
        | Fault::Race
        | Fault::TakenBy { .. }
        | Fault::DuplicateText(_) => true,
    }
}

/// What the fault does to the connection.
fn cut(fault: &Fault) -> Option<(After, Ending)> {
    match fault {
        Fault::ResetAfter { bytes, .. } => Some((After::Bytes(*bytes), Ending::Reset)),
        Fault::HangUp { .. } => Some((After::Bytes(0), Ending::Close)),
        Fault::HalfClose => Some((After::HalfOfBody, Ending::HalfClose)),
        Fault::CloseAfterAnswer => Some((After::WholeAnswer, Ending::Close)),
        _ => None,
    }
}

/// What the fault makes of the answer.
fn disguised(fault: Fault, mut reply: Reply) -> Reply {
    match fault {
        Fault::Status(status) | Fault::InsertThenStatus(status) => Reply::bare_status(status),
        Fault::Answer {
            status,
            content_type,
            body,
        } => Reply::raw(status, content_type, body),
        Fault::RateLimited { reset_in } => limiter::refusal(reset_in),
        Fault::Redirect(location) => {
            Reply::raw(302, "text/html", "").with_header("location", location)
        }
        Fault::SuccessFalse => Reply::json(200, &serde_json::json!({ "success": false })),
        Fault::NotJson => Reply::start_page(),
        Fault::Truncated => {
            reply.body.truncate(reply.body.len() / 2);
            reply
        }
        Fault::NonUtf8 => {
            // Every answer is an object, so this is a first member with a broken name.
            reply.body = [b"{\"\xff\":0,", &reply.body[1..]].concat().into();
            reply
        }
        _ => reply,
    }
}

/// Carries out a call to its end even when the client goes away, as the real server does.
async fn carry_out(
    server: Arc<Server>,
    route: Route,
    call: Call,
    collision: Option<Collision>,
) -> Reply {
    detached(async move { server.carry_out(route, &call, collision).await }).await
}

async fn detached(work: impl Future<Output = Reply> + Send + 'static) -> Reply {
    #[expect(
        clippy::disallowed_methods,
        reason = "the stand-in must finish a call whose client has gone"
    )]
    let task = tokio::spawn(work);
    // It fails only when it panics, which the test is told on its own output.
    task.await.unwrap_or_else(|_| Reply::bare_status(500))
}

fn response(reply: &Reply) -> Response<Chunks> {
    let body = Chunks(VecDeque::from([reply.body.clone()]));
    with_body(reply, body)
}

/// 64 MiB of spaces after the opening brace: still JSON, and nobody should read it to the end.
fn padded(reply: &Reply) -> Response<Chunks> {
    let mebibyte = Bytes::from(vec![b' '; 1 << 20]);
    let mut chunks = VecDeque::from(vec![mebibyte; 64]);
    chunks.push_front(reply.body.slice(..1));
    chunks.push_back(reply.body.slice(1..));
    with_body(reply, Chunks(chunks))
}

fn with_body(reply: &Reply, body: Chunks) -> Response<Chunks> {
    let mut response = Response::new(body);
    let status = StatusCode::from_u16(reply.status);
    *response.status_mut() = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
    for (name, value) in &reply.headers {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    debug_assert!(reply.status != 302 || headers.contains_key(LOCATION));
    response
}

/// A body in pieces: of known length when it is one piece, else of unknown length.
struct Chunks(VecDeque<Bytes>);

impl Body for Chunks {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = self.get_mut().0.pop_front();
        Poll::Ready(next.map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.iter().all(Bytes::is_empty)
    }

    fn size_hint(&self) -> SizeHint {
        match self.0.iter().collect::<Vec<_>>()[..] {
            [] => SizeHint::with_exact(0),
            [only] => SizeHint::with_exact(only.len() as u64),
            _ => SizeHint::default(),
        }
    }
}
