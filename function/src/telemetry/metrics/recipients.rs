//! What is recorded about each recipient of a webhook. Owns which results of sending are counted; the
//! instruments are in [`instruments`](super::instruments).

use std::sync::PoisonError;

use super::Metrics;
use super::labels::{HandOffLabel, Labels as _, NoLabels, UnreachableCause};
use crate::notifier::notification::RecipientSource;
use crate::outcome::Report;
use crate::rocketchat::Destination;
use crate::send::{Attempts, HandOffResult, RecipientResult, SendResult};

impl Metrics {
    pub(super) fn record_recipients(&self, report: &Report) {
        let instruments = &self.instruments;
        let Attempts {
            retries,
            rate_limit_waits,
        } = report.attempts();
        if retries > 0 {
            instruments.retries.add(retries, &NoLabels.listed());
        }
        if rate_limit_waits > 0 {
            let waits = &instruments.rate_limit_waits;
            waits.add(rate_limit_waits, &NoLabels.listed());
        }
        let redacted = u64::try_from(report.facts.redacted.len()).unwrap_or(u64::MAX);
        if redacted > 0 {
            let recipients = &instruments.redacted_recipients;
            recipients.add(redacted, &NoLabels.listed());
        }
        for recipient in &report.recipients {
            self.record_recipient(recipient);
        }
    }

    fn record_recipient(&self, recipient: &RecipientResult) {
        let hand_off = match recipient.hand_off {
            HandOffResult::None => None,
            HandOffResult::Accepted => Some(HandOffLabel(None)),
            HandOffResult::Failed(error) => Some(HandOffLabel(Some(error))),
        };
        if let Some(label) = hand_off {
            self.instruments.broker.hand_offs.add(1, &label.listed());
        }
        let is_named = recipient.source == RecipientSource::Configuration;
        match &recipient.result {
            SendResult::Unreachable(cause) => {
                let counter = &self.instruments.unreachable_recipients;
                counter.add(1, &UnreachableCause(*cause).listed());
                if is_named {
                    self.mark_unreachable(&recipient.destination, true);
                }
            }
            SendResult::Delivered { .. } if is_named => {
                self.mark_unreachable(&recipient.destination, false);
            }
            SendResult::Delivered { .. }
            | SendResult::Withheld
            | SendResult::Failed(_)
            | SendResult::Overloaded => {}
        }
    }

    /// Records whether a recipient that the configuration names cannot receive messages.
    pub(crate) fn mark_unreachable(&self, recipient: &Destination, is_unreachable: bool) {
        let unreachable = self.unreachable.lock();
        let mut unreachable = unreachable.unwrap_or_else(PoisonError::into_inner);
        let has_changed = if is_unreachable {
            unreachable.insert(recipient.clone())
        } else {
            unreachable.remove(recipient)
        };
        if has_changed {
            let count = u64::try_from(unreachable.len()).unwrap_or(u64::MAX);
            let gauge = &self.instruments.unreachable_configuration;
            gauge.record(count, &NoLabels.listed());
        }
    }
}
