//! A plain client of the fake GitLab's API, a receiver of its webhooks and a body, for the tests of this crate.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use fakes::exchange::{Response, exchange};
use fakes::gitlab::FakeGitLab;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

/// Calls the API with one token.
pub(crate) struct Client {
    url: String,
    token: String,
}

impl Client {
    /// With the token of a maintainer.
    pub(crate) fn of(gitlab: &FakeGitLab) -> Self {
        Self::with(gitlab, gitlab.token())
    }

    pub(crate) fn with(gitlab: &FakeGitLab, token: &str) -> Self {
        Self {
            url: gitlab.url(),
            token: token.to_owned(),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.send("GET", path, &[], b"").await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Response {
        self.send_json("POST", path, body).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Response {
        self.send_json("PUT", path, body).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Response {
        self.send("DELETE", path, &[], b"").await
    }

    async fn send_json(&self, method: &str, path: &str, body: &Value) -> Response {
        let headers = [("Content-Type", "application/json")];
        self.send(method, path, &headers, body.to_string().as_bytes())
            .await
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Response {
        let token = [("PRIVATE-TOKEN", self.token.as_str())];
        let headers = headers
            .iter()
            .chain(token.iter().filter(|(_, token)| !token.is_empty()));
        let headers: Vec<_> = headers
            .map(|&(name, value)| (name.to_owned(), value.as_bytes().to_vec()))
            .collect();
        let url = format!("{}/api/v4/{path}", self.url);
        exchange(method, &url, &headers, body)
            .await
            .expect("a response")
    }
}

/// A receiver of webhooks that answers with a status, and keeps what it received.
pub(crate) struct Receiver {
    address: SocketAddr,
    status: Arc<AtomicU16>,
    received: Arc<Mutex<Vec<Received>>>,
    task: JoinHandle<()>,
}

/// The headers, names in lower case, and the body of a webhook.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }
}

impl Receiver {
    /// Answers 200 at first; 0 stands for no response.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let status = Arc::new(AtomicU16::new(200));
        let received = Arc::<Mutex<Vec<Received>>>::default();
        let (answer, seen) = (Arc::clone(&status), Arc::clone(&received));
        #[expect(clippy::disallowed_methods, reason = "its handle aborts the task")]
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.expect("a connection");
                let (answer, seen) = (Arc::clone(&answer), Arc::clone(&seen));
                connections.spawn(async move {
                    let service = service_fn(|request| respond(request, &answer, &seen));
                    let _ended = http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Self {
            address,
            status,
            received,
            task,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/webhook", self.address)
    }

    pub(crate) fn answers(&self, status: u16) {
        self.status.store(status, Ordering::Relaxed);
    }

    pub(crate) fn webhooks(&self) -> Vec<Received> {
        self.received.lock().expect("not poisoned").clone()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn respond(
    request: Request<Incoming>,
    answer: &AtomicU16,
    seen: &Mutex<Vec<Received>>,
) -> Result<hyper::Response<Full<Bytes>>, &'static str> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.expect("a body").to_bytes().to_vec();
    let headers = parts.headers.iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes());
        (name.to_string(), value.into_owned())
    });
    let headers = headers.collect();
    seen.lock()
        .expect("not poisoned")
        .push(Received { headers, body });
    let status = answer.load(Ordering::Relaxed);
    if status == 0 {
        return Err("the receiver does not answer");
    }
    let response = hyper::Response::builder().status(status);
    let response = response.header("x-receiver", "test");
    Ok(response.body(Full::from("seen")).expect("a response"))
}

/// A push of one commit, whose ID is this character repeated, on top of the one before.
pub(crate) fn push(before: char, after: char) -> Value {
    let sha = |letter: char| letter.to_string().repeat(40);
    json!({
        "object_kind": "push",
        "before": sha(before),
        "after": sha(after),
        "ref": "refs/heads/main",
        "checkout_sha": sha(after),
        "user_id": 7, "user_name": "Robin Example", "user_username": "robin",
        "user_email": "robin@example.org",
        "project_id": 42,
        "commits": [{
            "id": sha(after), "title": format!("Change {after}"), "message": format!("Change {after}\n"),
            "timestamp": "2026-11-20T10:42:07+00:00",
            "author": { "name": "Robin Example", "email": "robin@example.org" },
            "added": ["new.rs"], "modified": [], "removed": [],
        }],
        "total_commits_count": 1,
    })
}
