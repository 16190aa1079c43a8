//! Somebody who hears of an event, and why. Owns which of several reasons counts; who it is, is
//! decided in [`routes`](super).

use super::Destination;

/// Somebody who hears of an event.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Recipient {
    /// Who.
    pub target: Destination,
    /// What for.
    pub reason: NotifyReason,
}

impl Recipient {
    /// The target as people write it, and the condition there is.
    pub fn label(&self) -> String {
        format!("{}{}", self.target.label(), self.reason.condition())
    }
}

/// Why somebody hears of an event; of several reasons the last one here is the one that counts.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum NotifyReason {
    /// It may make a failure good, and they hear of it only if they were told of that failure.
    Fix,
    /// The event itself.
    Event,
    /// It is a failure, and they want to hear when it is made good.
    Failure,
}

impl NotifyReason {
    /// What an explanation adds to the name of who hears of it.
    fn condition(self) -> &'static str {
        match self {
            Self::Fix => " if told of a failure that this fixes",
            Self::Event | Self::Failure => "",
        }
    }
}

/// Whether that is news: nobody hears of one event twice, but for more than one reason.
pub(super) fn add(recipients: &mut Vec<Recipient>, recipient: Recipient) -> bool {
    let known = recipients
        .iter_mut()
        .find(|known| known.target == recipient.target);
    if let Some(known) = known {
        let is_news = known.reason == NotifyReason::Fix && recipient.reason != NotifyReason::Fix;
        known.reason = known.reason.max(recipient.reason);
        is_news
    } else {
        recipients.push(recipient);
        true
    }
}
