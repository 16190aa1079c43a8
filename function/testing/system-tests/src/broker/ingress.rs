//! Where the broker receives events. Owns its responses: 202 only after RabbitMQ has confirmed that it keeps the event.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use fakes::broker::Event;
use http::StatusCode;
use http::request::Parts;
use tokio::net::TcpListener;
use tokio::time;

use super::queue::{Publisher, Queue};

/// Longest wait for the confirmation. While the nodes of RabbitMQ elect a leader, there is none; webhook-app then sends
/// the event again.
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(1);

/// Receives events for this queue.
pub(super) async fn serve(port: u16, queue: Queue) -> io::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let router = Router::new().fallback(receive);
    let publisher = Arc::new(Publisher::new(queue));
    axum::serve(listener, router.with_state(publisher)).await
}

async fn receive(State(publisher): State<Arc<Publisher>>, head: Parts, data: Bytes) -> StatusCode {
    let Ok(event) = Event::read(&head, data) else {
        return StatusCode::BAD_REQUEST;
    };
    match time::timeout(CONFIRM_TIMEOUT, publisher.store(&event)).await {
        Ok(Ok(true)) => StatusCode::ACCEPTED,
        // The queue is full, RabbitMQ is not available, or nothing is known.
        Ok(Ok(false) | Err(_)) | Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}
