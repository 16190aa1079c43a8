//! The check of the credentials for Rocket.Chat, once after startup. Owns when it runs and what is logged,
//! so that a wrong token shows before the first webhook. It changes nothing: readiness never depends on
//! Rocket.Chat. Where processes start for single webhooks, on Knative and AWS Lambda and behind a broker,
//! it does not run.

use tokio::time;

use crate::http::webhook::AppState;
use crate::limits::LIMITS;

/// Signs in once, and warns if that fails.
pub(crate) async fn run(state: &AppState) {
    time::sleep(LIMITS.sending.recipient_check_delay).await;
    match state.sender.sign_in().await {
        Ok(username) => tracing::info!(username, "signed in to Rocket.Chat"),
        Err(error) => tracing::warn!(
            reason = error.label(),
            "failed to sign in to Rocket.Chat: {}",
            error.advice()
        ),
    }
}
