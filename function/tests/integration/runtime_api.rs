//! A strict fake of the Runtime API of AWS Lambda: one event at a time, each with one response in the form that
//! a gateway expects. Owns the protocol; tests choose the events and check the responses.

use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::routing::{get, post};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

/// Lambda's limit for a response.
const MAX_ANSWER_BYTES: usize = 6 * 1024 * 1024;

/// One event, its deadline, and the channel for its response.
struct Invocation {
    event: Value,
    deadline_ms: u64,
    answered: oneshot::Sender<Value>,
}

/// A running fake Runtime API.
pub(crate) struct RuntimeApi {
    address: String,
    queue: mpsc::UnboundedSender<Invocation>,
    shared: Arc<Shared>,
}

struct Shared {
    queue: tokio::sync::Mutex<mpsc::UnboundedReceiver<Invocation>>,
    store: Mutex<Store>,
}

#[derive(Default)]
struct Store {
    handed_out: usize,
    /// The id of the event in progress and the channel for its response.
    in_progress: Option<(String, oneshot::Sender<Value>)>,
    violations: Vec<String>,
}

impl RuntimeApi {
    /// Starts on a free port.
    #[expect(
        clippy::disallowed_methods,
        reason = "the test serves and sends requests at the same time"
    )]
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("is bound").to_string();
        let (queue, events) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            queue: tokio::sync::Mutex::new(events),
            store: Mutex::default(),
        });
        let router = router(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            address,
            queue,
            shared,
        }
    }

    /// The value of `AWS_LAMBDA_RUNTIME_API`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Invokes the function with a deadline in milliseconds since the Unix epoch, and waits for the response.
    pub(crate) async fn invoke(&self, event: Value, deadline_ms: u64) -> Value {
        let (answered, answer) = oneshot::channel();
        let invocation = Invocation {
            event,
            deadline_ms,
            answered,
        };
        assert!(self.queue.send(invocation).is_ok(), "is served");
        let Ok(answer) = answer.await else {
            panic!("no response: {:#?}", self.shared.store().violations);
        };
        answer
    }

    /// Asserts that the function did not violate the protocol.
    pub(crate) fn finish(self) {
        let violations = &self.shared.store().violations;
        assert!(violations.is_empty(), "{violations:#?}");
    }
}

impl Shared {
    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().expect("no handler panics")
    }

    /// Records a violation of the protocol and drops the event in progress, so that its test fails.
    fn violation(&self, what: String) -> StatusCode {
        let mut store = self.store();
        store.violations.push(what);
        store.in_progress = None;
        StatusCode::BAD_REQUEST
    }
}

fn router(shared: Arc<Shared>) -> Router {
    let invocation = "/2018-06-01/runtime/invocation";
    Router::new()
        .route(&format!("{invocation}/next"), get(next))
        .route(&format!("{invocation}/{{id}}/response"), post(response))
        .fallback(unknown_path)
        .with_state(shared)
}

async fn next(State(shared): State<Arc<Shared>>) -> Result<(HeaderMap, String), StatusCode> {
    if shared.store().in_progress.is_some() {
        return Err(
            shared.violation("requested an event before responding to the last one".to_owned())
        );
    }
    let invocation = shared.queue.lock().await.recv().await;
    let invocation = invocation.ok_or(StatusCode::GONE)?;
    let mut store = shared.store();
    store.handed_out += 1;
    let id = format!("8476a536-e9f4-11e8-9739-{:012}", store.handed_out);
    let headers = [
        ("lambda-runtime-aws-request-id", id.clone()),
        (
            "lambda-runtime-deadline-ms",
            invocation.deadline_ms.to_string(),
        ),
        (
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:eu-central-1:123456789012:function:webhook-app".to_owned(),
        ),
        (
            "lambda-runtime-trace-id",
            "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700".to_owned(),
        ),
    ];
    store.in_progress = Some((id, invocation.answered));
    let headers = headers.into_iter().map(|(name, value)| {
        let name = http::HeaderName::from_static(name);
        (name, value.parse().expect("is a header"))
    });
    Ok((headers.collect(), invocation.event.to_string()))
}

async fn response(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    body: Bytes,
) -> StatusCode {
    let in_progress = shared.store().in_progress.take();
    let Some((_, answered)) = in_progress.filter(|(expected, _)| *expected == id) else {
        return shared.violation(format!("responded to {id}, which is not in progress"));
    };
    match gateway_answer(&body) {
        Ok(answer) => {
            let _ = answered.send(answer);
            StatusCode::ACCEPTED
        }
        Err(why) => shared.violation(why),
    }
}

/// Parses a response that a gateway accepts; for any other it answers with 502.
fn gateway_answer(body: &[u8]) -> Result<Value, String> {
    if body.len() > MAX_ANSWER_BYTES {
        return Err(format!("a response of {} bytes", body.len()));
    }
    let answer: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let status = answer["statusCode"].as_u64();
    let fits = status.is_some_and(|status| (200..600).contains(&status))
        && answer["isBase64Encoded"].is_boolean()
        && (answer["headers"].is_object() || answer["multiValueHeaders"].is_object());
    if fits {
        Ok(answer)
    } else {
        Err(format!("not a response for a gateway: {answer}"))
    }
}

async fn unknown_path(State(shared): State<Arc<Shared>>, uri: Uri, body: Bytes) -> StatusCode {
    shared.violation(format!("{uri}: {}", String::from_utf8_lossy(&body)))
}
