//! A fake broker of CloudEvents: it accepts what CloudEvents 1.0 over HTTP allows in binary content mode, refuses the rest, and sends events again as Knative's Triggers do.
//! Owns what is stored, what a test orders, and which responses make it send an event again; events are lost when it is dropped.

mod event;

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};

use crate::exchange::{self, exchange};
pub use event::Event;

/// A running broker. Dropping it stops it, and panics if it refused an event that a test did not expect.
pub struct FakeBroker {
    address: SocketAddr,
    state: Arc<State>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct State {
    stored: Mutex<Stored>,
    changed: Notify,
}

#[derive(Default)]
struct Stored {
    events: VecDeque<Event>,
    /// Statuses of the next responses; an event with such a response is not stored.
    refusals: VecDeque<u16>,
    /// The status of all responses, if set.
    always: Option<u16>,
    violations: Vec<String>,
}

/// What a broker does with an event after the response of its receiver.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Next {
    /// It forgets the event.
    Forget,
    /// It sends the event again, until its retries are used up.
    Again,
    /// It puts the event aside, as a dead letter.
    DeadLetter,
}

impl Next {
    /// What Knative's broker for RabbitMQ does after a status; `None` if there was no response. What is not to be sent
    /// again counts as delivered, so a refused event becomes no dead letter.
    pub fn on_rabbitmq(status: Option<u16>) -> Self {
        match Self::after(status) {
            Self::DeadLetter => Self::Forget,
            next => next,
        }
    }

    /// What Knative's delivery rules say about a status; `None` if there was no response.
    pub fn after(status: Option<u16>) -> Self {
        match status {
            Some(200..300) => Self::Forget,
            None | Some(404 | 408 | 409 | 429 | 500..) => Self::Again,
            Some(_) => Self::DeadLetter,
        }
    }
}

impl FakeBroker {
    /// Starts on a free port of 127.0.0.1.
    ///
    /// # Panics
    /// If no port is free.
    pub async fn start() -> Self {
        match Self::start_on("127.0.0.1:0").await {
            Ok(started) => started,
            Err(error) => panic!("the fake broker cannot listen: {error}"),
        }
    }

    /// Starts on this address, such as `0.0.0.0:8080`; fails if it cannot bind it.
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
        format!("http://{}/default/broker", self.address)
    }

    /// Answers the next events with these statuses and stores none of them.
    pub fn refuse_next(&self, statuses: &[u16]) {
        self.state.lock().refusals.extend(statuses);
    }

    /// Answers every event with this status and stores none; `None` ends that.
    pub fn refuse_always(&self, status: Option<u16>) {
        self.state.lock().always = status;
    }

    /// How many events are stored.
    pub fn len(&self) -> usize {
        self.state.lock().events.len()
    }

    /// Whether no event is stored.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes the oldest event.
    ///
    /// # Panics
    /// If there is none.
    pub fn take(&self) -> Event {
        let taken = self.state.lock().events.pop_front();
        taken.unwrap_or_else(|| panic!("the broker has no event"))
    }

    /// Waits for an event and takes it.
    pub async fn next(&self) -> Event {
        loop {
            let changed = self.state.changed.notified();
            let taken = self.state.lock().events.pop_front();
            if let Some(event) = taken {
                return event;
            }
            changed.await;
        }
    }

    /// Sends an event to `url`, as a Trigger does, with the attributes and the content that were posted.
    pub async fn deliver(event: &Event, url: &str) -> io::Result<exchange::Response> {
        exchange("POST", url, &event.headers(), &event.data).await
    }
}

impl Drop for FakeBroker {
    fn drop(&mut self) {
        self.task.abort();
        let violations = std::mem::take(&mut self.state.lock().violations);
        if !std::thread::panicking() {
            assert!(
                violations.is_empty(),
                "the broker refused events: {violations:#?}"
            );
        }
    }
}

impl State {
    fn lock(&self) -> MutexGuard<'_, Stored> {
        self.stored.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The status of the response to a request.
    async fn handle(&self, request: Request<Incoming>) -> u16 {
        let (parts, body) = request.into_parts();
        // By which a sender may ask whether it may send, without an event.
        if parts.method == Method::OPTIONS {
            return 200;
        }
        let Ok(body) = body.collect().await else {
            return 400;
        };
        let event = Event::read(&parts, body.to_bytes());
        let mut stored = self.lock();
        let refusal = stored.always.or_else(|| stored.refusals.pop_front());
        match (event, refusal) {
            (Err(violation), _) => {
                stored.violations.push(violation);
                400
            }
            (Ok(_), Some(status)) => status,
            (Ok(event), None) => {
                stored.events.push_back(event);
                self.changed.notify_one();
                202
            }
        }
    }
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
                        let status = state.handle(request).await;
                        let response = Response::builder().status(status);
                        let response = response.body(Full::<Bytes>::default());
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
