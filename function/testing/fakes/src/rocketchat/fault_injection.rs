//! Applies a fault to a call, its response and its connection.
//! `fault` decides which call gets which fault.

use std::sync::Arc;

use hyper::Response;

use super::chunks::{Chunks, response, with_padding};
use super::connection::{detached, handle};
use super::handlers::Collision;
use super::middleware::Call;
use super::reply::Reply;
use super::server::Server;
use super::wire::{After, Cut, Ending};
use super::{Fault, Route, limiter};

pub(super) async fn inject(
    server: Arc<Server>,
    cut: &Cut,
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
        let delayed = async move {
            tokio::time::sleep(delay).await;
            server.handle(route, &call, None).await
        };
        return response(&detached(delayed).await);
    }
    let not_executed = Reply::raw(200, "application/json", "");
    let reply = if is_executed(&fault) {
        handle(server, route, call, collision).await
    } else {
        not_executed
    };
    if let Some((after, ending)) = connection_fault(&fault) {
        cut.set(after, ending);
    }
    match fault {
        Fault::Slow { delay, .. } => tokio::time::sleep(delay).await,
        Fault::Huge => return with_padding(&reply),
        _ => {}
    }
    response(&apply_to_reply(fault, reply))
}

/// Whether the call is executed.
fn is_executed(fault: &Fault) -> bool {
    match fault {
        Fault::Status(_)
        | Fault::Response { .. }
        | Fault::RateLimited { .. }
        | Fault::Redirect(_)
        | Fault::SuccessFalse
        | Fault::NotJson => false,
        Fault::ResetAfter { insert, .. } | Fault::HangUp { insert } => *insert,
        Fault::HalfClose
        | Fault::CloseAfterResponse
        | Fault::Slow { .. }
        | Fault::InsertThenStatus(_)
        | Fault::Header(..)
        | Fault::Truncated
        | Fault::Huge
        | Fault::NonUtf8
        | Fault::LosesRace
        | Fault::Race
        | Fault::TakenBy { .. }
        | Fault::DuplicateText(_) => true,
    }
}

/// How the fault breaks the connection.
fn connection_fault(fault: &Fault) -> Option<(After, Ending)> {
    match fault {
        Fault::ResetAfter { bytes, .. } => Some((After::Bytes(*bytes), Ending::Reset)),
        Fault::HangUp { .. } => Some((After::Bytes(0), Ending::Close)),
        Fault::HalfClose => Some((After::HalfOfBody, Ending::HalfClose)),
        Fault::CloseAfterResponse => Some((After::WholeResponse, Ending::Close)),
        _ => None,
    }
}

/// How the fault changes the response.
fn apply_to_reply(fault: Fault, mut reply: Reply) -> Reply {
    match fault {
        Fault::Status(status) | Fault::InsertThenStatus(status) => {
            Reply::default_for_status(status)
        }
        Fault::Response {
            status,
            content_type,
            body,
        } => Reply::raw(status, content_type, body),
        Fault::RateLimited { reset_in } => limiter::rejection(reset_in),
        Fault::Redirect(location) => {
            Reply::raw(302, "text/html", "").with_header("location", location)
        }
        Fault::SuccessFalse => Reply::json(200, &serde_json::json!({ "success": false })),
        Fault::Header(name, value) => reply.with_header(name, value),
        Fault::NotJson => Reply::html_page(),
        Fault::Truncated => {
            reply.body.truncate(reply.body.len() / 2);
            reply
        }
        Fault::NonUtf8 => {
            // Every response is an object, so this adds a first member whose name is not UTF-8.
            reply.body = [b"{\"\xff\":0,", &reply.body[1..]].concat().into();
            reply
        }
        _ => reply,
    }
}
