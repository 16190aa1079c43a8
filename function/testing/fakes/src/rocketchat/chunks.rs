//! Converts a reply to an HTTP response whose body is one chunk or many.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};

use super::reply::Reply;

pub(super) fn response(reply: &Reply) -> Response<Chunks> {
    let body = Chunks(VecDeque::from([reply.body.clone()]));
    with_body(reply, body)
}

/// Adds 64 MiB of spaces after the opening brace: still JSON, and too large for a client to read completely.
pub(super) fn with_padding(reply: &Reply) -> Response<Chunks> {
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
    response
}

/// A body in chunks, with a `Content-Length` only if there is one chunk.
pub(super) struct Chunks(VecDeque<Bytes>);

impl Body for Chunks {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = self.get_mut().0.pop_front();
        Poll::Ready(next.map(|chunk| Ok(Frame::data(chunk))))
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
