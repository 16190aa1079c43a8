//! Health paths for probes. Owns liveness, readiness and their paths; which port serves them is decided
//! in [`router`](super::router) and [`server`](crate::server).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;

/// Whether new work may be sent here. Says nothing of the chat server: an outage there must be
/// answered truthfully, not turned into refused connections.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<AtomicBool>);

impl Readiness {
    /// The listeners are open, or the process is about to stop.
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

/// The health paths, under the names of this product and those that Kubernetes components use.
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
