//! A recipient of an event and why they are notified. Owns which of several reasons applies; who
//! the recipients are is decided in [`routing`](super).

use super::Destination;
use crate::notifier::notification::RecipientSource;

/// One recipient of an event.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Recipient {
    /// The user or room.
    pub(crate) destination: Destination,
    /// Why they are notified.
    pub(crate) reason: NotifyReason,
    /// Who named them.
    pub(crate) source: RecipientSource,
    /// Whether a broker may store their message.
    pub(crate) may_be_handed_off: bool,
}

impl Recipient {
    /// The destination as rules write it, and the condition, if any.
    pub fn label(&self) -> String {
        format!("{}{}", self.destination.label(), self.reason.condition())
    }
}

/// Why a recipient is notified of an event. If several reasons apply, the last one in this order
/// counts.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum NotifyReason {
    /// The event may fix a failure. It is sent only to recipients of the failure notification.
    Fix,
    /// The event itself.
    Event,
    /// The event is a failure, and the rule also matches its fix.
    Failure,
}

impl NotifyReason {
    /// What an explanation adds to the name of the recipient.
    fn condition(self) -> &'static str {
        match self {
            Self::Fix => " if notified of the failure that this fixes",
            Self::Event | Self::Failure => "",
        }
    }
}

/// Adds a recipient, or a further reason to an existing one, because each recipient gets an event
/// once. Returns whether this changes what the recipient is sent.
pub(super) fn add(recipients: &mut Vec<Recipient>, recipient: Recipient) -> bool {
    let known = recipients
        .iter_mut()
        .find(|known| known.destination == recipient.destination);
    if let Some(known) = known {
        let is_unconditional_now =
            known.reason == NotifyReason::Fix && recipient.reason != NotifyReason::Fix;
        known.reason = known.reason.max(recipient.reason);
        known.source = known.source.max(recipient.source);
        is_unconditional_now
    } else {
        recipients.push(recipient);
        true
    }
}
