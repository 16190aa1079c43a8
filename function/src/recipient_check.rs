//! The check of the users that the configuration names, once after startup. Owns when it runs and
//! what is logged. What counts as evidence is in
//! [`rocketchat::reachability`](crate::rocketchat::reachability). Rooms are not checked: whether a
//! read-only or encrypted room refuses this account shows only when it does.

use tokio::time;

use crate::http::webhook::AppState;
use crate::limits::LIMITS;
use crate::rocketchat::Destination;
use crate::telemetry::Telemetry;

/// Looks up each user, one after the other, and reports those that cannot receive messages.
/// Recipients that an event names in a role are not known yet.
pub(crate) async fn run(state: &AppState, telemetry: &Telemetry) {
    time::sleep(LIMITS.sending.recipient_check_delay).await;
    for name in state.notifier.routing.named_users() {
        let recipient = Destination::User(name.clone());
        // A failed call is no evidence; webhooks will report it.
        let Ok(Some(unreachable)) = state.sender.check(&recipient).await else {
            continue;
        };
        telemetry.metrics.mark_unreachable(&recipient, true);
        tracing::warn!(
            recipient = recipient.label(),
            reason = unreachable.label(),
            "a recipient in the configuration cannot receive messages: the recipient {}",
            unreachable.advice()
        );
    }
}
