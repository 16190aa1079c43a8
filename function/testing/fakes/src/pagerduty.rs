//! A strict fake of PagerDuty's Events API v2, and of the service behind a dead man's switch, which Alertmanager posts to
//! by a webhook. Owns the handle, the connections and what was received; what an event must have is in `event`.

mod event;

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};

/// The routing key of the only service: 32 characters, and unique, so that tests can search for leaks of it.
pub const ROUTING_KEY: &str = "canary0routing0key0never0shown00";

/// A running fake. Dropping it stops it, and panics if it refused something that a test did not expect.
pub struct FakePagerDuty {
    address: SocketAddr,
    state: Arc<State>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct State {
    received: Mutex<Received>,
    changed: Notify,
}

#[derive(Default)]
struct Received {
    events: VecDeque<Value>,
    heartbeats: usize,
    violations: Vec<String>,
}

impl FakePagerDuty {
    /// Starts on this address, such as `0.0.0.0:8080` or `127.0.0.1:0`; fails if it cannot bind it.
    pub async fn start_on(address: &str) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let state = Arc::<State>::default();
        #[expect(
            clippy::disallowed_methods,
            reason = "the server runs in the background of a test, and its handle aborts the task"
        )]
        let task = tokio::spawn(accept(listener, Arc::clone(&state)));
        Ok(Self {
            address,
            state,
            task,
        })
    }

    /// Where events are posted.
    pub fn url(&self) -> String {
        format!("http://{}/v2/enqueue", self.address)
    }

    /// Where the dead man's switch is posted.
    pub fn heartbeat_url(&self) -> String {
        format!("http://{}/heartbeat", self.address)
    }

    /// Waits for an event and takes the oldest.
    pub async fn next(&self) -> Value {
        loop {
            let changed = self.state.changed.notified();
            if let Some(event) = self.take() {
                return event;
            }
            changed.await;
        }
    }

    /// Takes the oldest event, if there is one.
    pub fn take(&self) -> Option<Value> {
        self.state.lock().events.pop_front()
    }

    /// How often the dead man's switch was posted.
    pub fn heartbeats(&self) -> usize {
        self.state.lock().heartbeats
    }

    /// What was refused so far; the final check does not repeat it.
    pub fn take_violations(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().violations)
    }
}

impl Drop for FakePagerDuty {
    fn drop(&mut self) {
        self.task.abort();
        let violations = self.take_violations();
        if !std::thread::panicking() {
            assert!(violations.is_empty(), "PagerDuty refused: {violations:#?}");
        }
    }
}

impl State {
    fn lock(&self) -> MutexGuard<'_, Received> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn handle(&self, request: Request<Incoming>) -> (u16, Value) {
        let (parts, body) = request.into_parts();
        let Ok(body) = body.collect().await else {
            return invalid(&["the body is incomplete".to_owned()]);
        };
        let body = body.to_bytes();
        let kind = parts.headers.get(CONTENT_TYPE);
        let kind = kind.and_then(|value| value.to_str().ok());
        let checked = if kind != Some("application/json") {
            Err(vec![format!(
                "expected application/json, found {}",
                kind.unwrap_or("no content type")
            )])
        } else if parts.method != Method::POST {
            Err(vec![format!("expected POST, found {}", parts.method)])
        } else {
            match parts.uri.path() {
                "/v2/enqueue" => event::check_event(&body, ROUTING_KEY).map(Some),
                "/heartbeat" => event::check_heartbeat(&body).map(|()| None),
                path => Err(vec![format!("{path} is no address of this API")]),
            }
        };
        let mut received = self.lock();
        let response = match checked {
            Ok(Some(event)) => {
                let key = event["dedup_key"].clone();
                received.events.push_back(event);
                (
                    202,
                    json!({"status": "success", "message": "Event processed", "dedup_key": key}),
                )
            }
            Ok(None) => {
                received.heartbeats += 1;
                (200, json!({}))
            }
            Err(errors) => {
                received.violations.extend(errors.iter().cloned());
                invalid(&errors)
            }
        };
        drop(received);
        self.changed.notify_one();
        response
    }
}

fn invalid(errors: &[String]) -> (u16, Value) {
    let body = json!({
        "status": "invalid event",
        "message": "Event object is invalid",
        "errors": errors,
    });
    (400, body)
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                let state = Arc::clone(&state);
                connections.spawn(async move {
                    let service = service_fn(|request| async {
                        let (status, body) = state.handle(request).await;
                        let response = Response::builder().status(status).header(CONTENT_TYPE, "application/json");
                        let response = response.body(Full::new(Bytes::from(body.to_string())));
                        Ok::<_, Infallible>(response.unwrap_or_default())
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
