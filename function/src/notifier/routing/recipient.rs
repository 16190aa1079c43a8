//! A recipient of an event, and why they are notified. Owns which of several reasons counts; who
//! the recipients are is decided in [`routing`](super).

use super::Destination;

/// One recipient of an event.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Recipient {
    /// Where the message goes.
    pub(crate) destination: Destination,
    /// Why they are notified.
    pub(crate) reason: NotifyReason,
}

impl Recipient {
    /// The destination as an operator writes it, and the condition, if any.
    pub fn label(&self) -> String {
        format!("{}{}", self.destination.label(), self.reason.condition())
    }
}

/// Why a recipient is notified of an event; of several reasons the last one in this order counts.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum NotifyReason {
    /// It may fix a failure; they receive it only if they got the notification of that failure.
    Fix,
    /// The event itself.
    Event,
    /// It is a failure, and they want to be notified when it is fixed.
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

/// Adds a recipient, or a further reason to one who is known already. Returns whether anything is
/// sent to them that was not before: each recipient gets an event once.
pub(super) fn add(recipients: &mut Vec<Recipient>, recipient: Recipient) -> bool {
    let known = recipients
        .iter_mut()
        .find(|known| known.destination == recipient.destination);
    if let Some(known) = known {
        let is_unconditional_now =
            known.reason == NotifyReason::Fix && recipient.reason != NotifyReason::Fix;
        known.reason = known.reason.max(recipient.reason);
        is_unconditional_now
    } else {
        recipients.push(recipient);
        true
    }
}
