//! Health checks for probes. Owns liveness, readiness and their paths. Which port serves them is decided
//! in [`router`](super::router) and `server`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;

/// Whether this process accepts webhooks. Independent of Rocket.Chat: during an outage, a response says
/// more to GitLab than a refused connection.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<AtomicBool>);

impl Readiness {
    /// Set when the listeners are open, and reset when the process begins to shut down.
    pub fn set(&self, ready: bool) {
        self.0.store(ready, Ordering::Relaxed);
    }

    fn status(&self) -> StatusCode {
        if self.0.load(Ordering::Relaxed) {
            StatusCode::OK
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}

/// The health checks, under their documented paths and those of Kubernetes components.
pub(super) fn routes(readiness: &Readiness) -> Router {
    let live = get(|| async { "alive\n" });
    let readiness = readiness.clone();
    let ready = get(move || async move { readiness.status() });
    Router::new()
        .route("/health/liveness", live.clone())
        .route("/healthz", live)
        .route("/health/readiness", ready.clone())
        .route("/readyz", ready)
}
