//! Handing off notifications to a broker of CloudEvents, and taking them back. Owns which notifications are
//! handed off: those that Rocket.Chat has not confirmed, if a later attempt may succeed. The form of an event
//! is in [`event`], its signature in [`signature`], the call to the broker in [`sink`]. A notification that
//! comes back is sent by [`send`](crate::send), like any other.

use std::time::SystemTime;

use futures_util::future::join_all;
use http::HeaderMap;
use tokio::time::Instant;

pub mod event;
pub mod signature;
pub(crate) mod extensions;
pub(crate) mod sink;

pub use event::{EventError, HandedOff};
pub(crate) use extensions::Extensions;
pub use signature::HandOffKeys;
pub(crate) use sink::{Receiver, Sink};
pub use sink::{ReceiverSettings, SinkClientError, SinkSettings};

use crate::notifier::notification::Notification;
use crate::send::{HandOffResult, RecipientResult};

/// The notifications of one webhook that can be handed off, and until when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HandOff<'a> {
    /// The broker.
    pub(crate) sink: &'a Sink,
    /// When the webhook arrived.
    pub(crate) received_at: SystemTime,
    /// When the last call to the broker ends.
    pub(crate) deadline: Instant,
    /// The trace context.
    pub(crate) headers: &'a HeaderMap,
}

impl HandOff<'_> {
    /// Hands off what was not delivered, and records in each result whether the broker accepted it.
    /// `results` has one entry for each of `notifications`, in the same order.
    pub(crate) async fn unfinished(
        &self,
        notifications: &[Notification],
        results: &mut [RecipientResult],
    ) {
        let each = notifications.iter().zip(results);
        let each = each.filter(|(notification, recipient)| {
            notification.may_be_handed_off && recipient.result.may_succeed_later()
        });
        let calls = each.map(|(notification, recipient)| async {
            let accepted = self.sink.send(notification, self).await;
            recipient.hand_off = match accepted {
                Ok(()) => HandOffResult::Accepted,
                Err(error) => HandOffResult::Failed(error),
            };
        });
        join_all(calls).await;
    }
}
