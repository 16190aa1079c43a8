//! The HTTP server: connections, routes, request handling and responses. Owns everything that uses axum
//! and hyper. [`gitlab`](crate::gitlab) parses webhooks, [`notifier`](crate::notifier) decides what to
//! send, and [`send`](crate::send) sends it.

pub(crate) mod listener;
pub mod router;
pub mod health;
pub(crate) mod webhook;
mod redelivery;
mod dead_letters;
mod request_head;
mod forwarded;
pub(crate) mod body_limit;
pub mod response;
pub(crate) mod telemetry_layer;
mod access_log;
