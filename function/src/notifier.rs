//! Who hears of an event and in which words: the rules, the words and the pipelines that are told of
//! as they move, put together. Owns the order in which they are asked. How each decides is told in
//! [`routes`](crate::notifier::routing), [`words`](crate::notifier::templates) and [`live`].

use crate::gitlab::attributes::EventAttributes;
use crate::gitlab::event::{Event, ParseError};
use crate::gitlab::idempotency_key::IdempotencyKey;
use crate::outcome::{Failure, Outcome};
use crate::send::sender::{Notification, Outgoing};
use message::{Message, Visibility};
use routing::{NotifyReason, Recipient, RoutingRules};
use templates::Templates;

pub mod fixed_pipeline;
pub mod live_pipeline;
pub mod message;
pub mod routing;
mod skip_reason;
pub mod templates;

pub use skip_reason::SkipReason;

/// Who hears of what, and in which words.
#[derive(Debug)]
pub struct Notifier {
    /// Who.
    pub routes: RoutingRules,
    /// In which words, where they are not ours.
    pub words: Templates,
    /// Whether one message about a pipeline is edited as it moves.
    pub live_pipelines: bool,
}

/// What one of those hears who hear of an event.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Planned {
    /// Who, and what for.
    pub recipient: Recipient,
    /// What.
    pub message: Message,
}

/// Rules have let it through; the words need not ask again.
const EVERYTHING: Visibility = Visibility {
    confidential: true,
    in_progress: true,
};

impl Notifier {
    /// What can be asked of an event, read out of its body only where somebody asks.
    pub fn attributes(&self, event: &Event, body: &[u8]) -> Result<EventAttributes, ParseError> {
        let asked =
            self.routes.needs_attributes() || self.words.has(event.kind()) || self.live_pipelines;
        if asked {
            EventAttributes::read(event, body)
        } else {
            Ok(EventAttributes::of(event))
        }
    }

    /// Who is told what, or why nobody is told.
    pub fn tell(
        &self,
        event: &Event,
        attributes: &EventAttributes,
    ) -> Result<Vec<Planned>, SkipReason> {
        let recipients = self.routes.decide(attributes)?.list;
        let has = |fix: bool| recipients.iter().any(|recipient| is_fix(recipient) == fix);
        let words = has(false).then(|| message::build_for(event, EVERYTHING));
        let words = words
            .transpose()?
            .and_then(|message| self.words.apply(message, attributes));
        let words_of_fix = has(true).then(|| message::build_fix(event));
        let words_of_fix = words_of_fix.transpose()?;
        let words_of_fix =
            words_of_fix.and_then(|message| self.words.apply_fix(message, attributes));
        let planned: Vec<_> = recipients
            .into_iter()
            .filter_map(|recipient| {
                let words = if is_fix(&recipient) {
                    &words_of_fix
                } else {
                    &words
                };
                let message = words.clone()?;
                Some(Planned { recipient, message })
            })
            .collect();
        if planned.is_empty() {
            return Err(SkipReason::NoWords);
        }
        Ok(planned)
    }

    /// What is to be brought to whom, each message under its name.
    pub fn notifications(
        &self,
        delivery_id: Option<&IdempotencyKey>,
        planned: Vec<Planned>,
        attributes: &EventAttributes,
    ) -> Result<Vec<Notification>, Outcome> {
        let key = delivery_id.ok_or(Outcome::Failed(Failure::MissingKey))?;
        let notifications = planned.into_iter().map(|Planned { recipient, message }| {
            let message = self.message(key.clone(), recipient.reason, message, attributes)?;
            Ok(Notification {
                target: recipient.target,
                message,
            })
        });
        notifications.collect()
    }

    /// The message under the name of its delivery, or that of the failure, the fix or the pipeline
    /// where all deliveries about that make one message.
    fn message(
        &self,
        key: IdempotencyKey,
        reason: NotifyReason,
        message: Message,
        attributes: &EventAttributes,
    ) -> Result<Outgoing, Outcome> {
        match (reason, &attributes.pipeline_revision) {
            (NotifyReason::Failure, Some(pipeline_revision)) => Ok(Outgoing::new(
                fixed_pipeline::failure(pipeline_revision),
                message,
            )),
            (NotifyReason::Fix, Some(pipeline_revision)) => Ok(Outgoing {
                conditions: fixed_pipeline::failures_fixed_by(pipeline_revision),
                ..Outgoing::new(fixed_pipeline::fix(pipeline_revision), message)
            }),
            (NotifyReason::Fix, None) => Err(Outcome::SkipReason(SkipReason::NotAFix)),
            (NotifyReason::Failure, None) | (NotifyReason::Event, _) => {
                self.plain_message(key, message, attributes)
            }
        }
    }

    fn plain_message(
        &self,
        key: IdempotencyKey,
        message: Message,
        attributes: &EventAttributes,
    ) -> Result<Outgoing, Outcome> {
        let progress = attributes.pipeline_state.as_ref();
        let Some(progress) = progress.filter(|_| self.live_pipelines) else {
            return Ok(Outgoing::new(key, message));
        };
        match live_pipeline::mark(&message.text, progress) {
            Some(text) => Ok(Outgoing {
                progress: Some(progress.clone()),
                ..Outgoing::new(live_pipeline::key(progress), Message { text, ..message })
            }),
            // Without a link to mark, nobody could tell later how far the message is: only the end
            // is told then.
            None if progress.finished_at.is_none() => {
                Err(Outcome::SkipReason(SkipReason::NotFinal))
            }
            None => Ok(Outgoing::new(key, message)),
        }
    }
}

fn is_fix(recipient: &Recipient) -> bool {
    recipient.reason == NotifyReason::Fix
}
