//! The edge of `k8s-base/edge/static` with the real Envoy: what arrives at the servers behind it, and what does not. Skipped
//! where Envoy is not installed and `REQUIRE_TOOLS` is not set. `agreement` compares its files with others without running it.

mod backend;
mod client;
mod envoy;

mod agreement;
mod certificates;
mod drain;
mod hostile;
mod limits;
mod metrics;
mod routes;
