//! What every program of this crate does before it takes its first webhook. Owns the way from
//! settings to a function that can be served; how it is served is the affair of
//! [`process`](crate::server) and, on AWS, of `lambda`.

use std::sync::Arc;

use crate::config::{Config, RocketChat};
use crate::gitlab::verification::Verifier;
use crate::http::body_limit::BodyLimit;
use crate::http::webhook::Function;
use crate::rocketchat::client::{Client, ClientError};
use crate::send::Deadline;
use crate::send::sender::Sender;
use crate::telemetry::Telemetry;
use crate::telemetry::otlp::ExportError;

/// Starts the telemetry, and opens the log with what an operator should know of the settings.
pub fn telemetry(config: &Config, warnings: &[String]) -> Result<Telemetry, ExportError> {
    let telemetry = Telemetry::start(&config.telemetry)?;
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    if matches!(config.guard, Verifier::None) {
        tracing::warn!(
            "ALLOW_UNAUTHENTICATED is true: anybody who reaches this function can send messages"
        );
    }
    if config.accept_cloud_events {
        tracing::warn!(
            "ACCEPT_CLOUDEVENTS is true: anybody who reaches POST / can send messages; let only the broker through"
        );
    }
    Ok(telemetry)
}

/// Puts the function together; opens no connection yet.
pub fn function(config: Config, telemetry: &Telemetry) -> Result<Function, ClientError> {
    let RocketChat {
        url,
        credentials,
        authorities,
    } = config.rocketchat;
    let limit = config.delivery_timeout;
    let client = Client::new(
        &url,
        &credentials,
        &authorities,
        Deadline::call_limit(limit),
        Arc::clone(&telemetry.metrics),
    )?;
    Ok(Function {
        guard: config.guard,
        accept_cloud_events: config.accept_cloud_events,
        notifier: config.notifier,
        sender: Sender::new(client, credentials.user_id, limit),
        admission: BodyLimit::default(),
        accept_missing_key: config.accept_missing_key,
    })
}
