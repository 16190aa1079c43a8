//! What every program of this crate does before its first webhook. Owns the way from a configuration to
//! the state that requests are handled with; how it is served is in [`server`](crate::server) and, on AWS
//! Lambda, in `lambda`.

use std::sync::Arc;

use crate::config::{Config, RocketChat};
use crate::gitlab::verification::Verifier;
use crate::http::body_limit::BodyLimit;
use crate::http::webhook::AppState;
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
    if matches!(config.verifier, Verifier::None) {
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

/// Wires the parts together; opens no connection yet.
pub fn state(config: Config, telemetry: &Telemetry) -> Result<AppState, ClientError> {
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
    )?;
    let metrics = Arc::clone(&telemetry.metrics);
    let observe = move |endpoint, error, elapsed| metrics.called(endpoint, error, elapsed);
    Ok(AppState {
        verifier: config.verifier,
        accept_cloud_events: config.accept_cloud_events,
        notifier: config.notifier,
        sender: Sender::new(client, credentials.user_id, limit, Box::new(observe)),
        body_limit: BodyLimit::default(),
        accept_missing_key: config.accept_missing_key,
    })
}
