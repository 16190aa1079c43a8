//! The inbound edge: connections, routes, request handling and responses. Owns everything that knows
//! axum and hyper. What a webhook holds is read in [`gitlab`](crate::gitlab), and what becomes of it is
//! decided in [`notifier`](crate::notifier) and [`send`](crate::send).

pub mod listener;
pub mod router;
pub mod health;
pub mod webhook;
pub mod body_limit;
pub mod response;
pub mod telemetry_layer;
mod access_log;
