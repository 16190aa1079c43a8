//! Acts out a fault: what it does to the call, to the answer and to the connection.
//! Which call it hits is decided in `fault`.

use std::sync::Arc;

use hyper::Response;

use super::actions::Collision;
use super::chunks::{Chunks, padded, response};
use super::connection::{carry_out, detached};
use super::middleware::Call;
use super::reply::Reply;
use super::server::Server;
use super::wire::{After, Cut, Ending};
use super::{Fault, Route, limiter};

pub(super) async fn act_out(
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
    if let Some((after, ending)) = cut_of(&fault) {
        cut.cut(after, ending);
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
fn cut_of(fault: &Fault) -> Option<(After, Ending)> {
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
