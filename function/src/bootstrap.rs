//! Wiring at startup. Owns how a configuration becomes the telemetry and the state of the request
//! handler. Serving is in `server` and, on AWS Lambda, in `lambda`.

use std::sync::Arc;

use crate::config::{Config, RocketChat};
use crate::gitlab::verification::Verifier;
use crate::hand_off::{Receiver, Sink, SinkClientError};
use crate::http::body_limit::BodyLimit;
use crate::http::webhook::{AppState, Broker};
use crate::limits::LIMITS;
use crate::rocketchat::client::{Client, ClientError};
use crate::send::Account;
use crate::send::sender::Sender;
use crate::telemetry::Telemetry;
use crate::telemetry::otlp::ExportError;

/// Starts telemetry, and logs warnings about the configuration.
pub fn telemetry(config: &Config, warnings: &[String]) -> Result<Telemetry, ExportError> {
    let telemetry = Telemetry::start(&config.telemetry)?;
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    if matches!(config.verifier, Verifier::None) {
        tracing::warn!(
            "ALLOW_UNAUTHENTICATED is true: every client that can connect can send messages; set GITLAB_SIGNING_KEYS or GITLAB_WEBHOOK_TOKENS instead"
        );
    }
    if config.accept_cloud_events {
        tracing::warn!(
            "ACCEPT_CLOUDEVENTS is true: every client that can reach POST / can send messages; restrict access to the broker"
        );
    }
    Ok(telemetry)
}

/// Why a client could not be created.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The one for Rocket.Chat.
    #[error(transparent)]
    RocketChat(#[from] ClientError),
    /// The one for the broker.
    #[error(transparent)]
    Sink(#[from] SinkClientError),
}

/// Creates the state of the request handler; opens no connection.
pub fn state(config: Config, telemetry: &Telemetry) -> Result<AppState, SetupError> {
    let RocketChat {
        url,
        credentials,
        authorities,
        proxy,
        message_ids,
        hand_off_keys,
    } = config.rocketchat;
    let limit = config.delivery_timeout;
    let client = Client::new(&url, &credentials, &authorities, proxy.as_ref(), limit)?;
    let hand_off_keys = Arc::new(hand_off_keys);
    let hand_off = match config.sink {
        Some(sink) => {
            let keys = Arc::clone(&hand_off_keys);
            let dead_letter_sink = sink.dead_letter_sink.clone();
            let dead_letter_sink =
                dead_letter_sink.map(|settings| Receiver::new(settings, &authorities));
            Some(Broker {
                sink: Sink::new(sink, keys, &authorities)?,
                dead_letter_sink: dead_letter_sink.transpose()?,
                limit: limit.saturating_sub(LIMITS.hand_off.response_reserve),
            })
        }
        None => None,
    };
    let account = Account {
        bot: credentials.user_id,
        ids: Arc::new(message_ids),
    };
    let metrics = Arc::clone(&telemetry.metrics);
    let observe = move |endpoint, error, elapsed| metrics.called(endpoint, error, elapsed);
    Ok(AppState {
        verifier: config.verifier,
        accept_cloud_events: config.accept_cloud_events,
        notifier: config.notifier,
        sender: Sender::new(
            client,
            account,
            limit,
            hand_off.is_some(),
            Box::new(observe),
        ),
        hand_off,
        hand_off_keys,
        dead_letters: config.dead_letters,
        body_limit: BodyLimit::default(),
        accept_missing_key: config.accept_missing_key,
    })
}
