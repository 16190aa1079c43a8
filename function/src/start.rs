//! What every program of this crate does before it takes its first webhook. Owns the way from
//! settings to a function that can be served; how it is served is the affair of
//! [`process`](crate::process) and, on AWS, of `lambda`.

use crate::admission::Admission;
use crate::config::{Config, RocketChat};
use crate::courier::Courier;
use crate::delivery::Schedule;
use crate::gitlab::origin::Guard;
use crate::rocketchat::client::{Client, ClientError};
use crate::telemetry;
use crate::webhook::Function;

/// Starts the log, and opens it with what an operator should know of the settings.
pub fn log(config: &Config, warnings: &[String]) {
    telemetry::start(config.log_level, config.log_format);
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    if matches!(config.guard, Guard::Open) {
        tracing::warn!(
            "ALLOW_UNAUTHENTICATED is true: anybody who reaches this function can send messages"
        );
    }
}

/// Puts the function together; opens no connection yet.
pub fn function(config: Config) -> Result<Function, ClientError> {
    let RocketChat {
        url,
        credentials,
        recipient,
        authorities,
    } = config.rocketchat;
    let limit = config.delivery_timeout;
    let client = Client::new(
        &url,
        &credentials,
        &authorities,
        Schedule::call_limit(limit),
    )?;
    Ok(Function {
        guard: config.guard,
        courier: Courier::new(client, credentials.user_id, recipient, limit),
        admission: Admission::default(),
        accept_missing_key: config.accept_missing_key,
    })
}
