//! Which messages an event causes. Owns the order of the steps: routing rules, the built-in message,
//! templates, and the key of each message. How each of them decides is in [`routing`], [`message`],
//! [`templates`], [`live_pipeline`] and [`fixed_pipeline`]. Pure; the messages are sent in
//! [`send`](crate::send).

pub mod notification;
mod skip_reason;

pub mod routing;
pub mod message;
pub mod templates;
pub mod live_pipeline;
pub mod fixed_pipeline;

use std::cell::OnceCell;

use message::Visibility;
use notification::Notification;
use routing::{NotifyReason, Recipient, RoutingRules};
pub use skip_reason::SkipReason;
use templates::{Applied, Templates};

use crate::gitlab::event::Event;
use crate::rocketchat::MessageKey;

/// What the operator configured about recipients and messages.
#[derive(Debug)]
pub struct Notifier {
    /// Who is notified of what.
    pub routing: RoutingRules,
    /// Templates that replace built-in messages.
    pub templates: Templates,
    /// Whether one message about a pipeline is edited as it proceeds.
    pub(crate) live_pipelines: bool,
}

/// The messages that one event causes, at least one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Plan {
    /// One per recipient.
    pub notifications: Vec<Notification>,
    /// What an operator should know although the messages are sent.
    pub(crate) warnings: Vec<PlanWarning>,
}

/// A decision that changes who gets what, and that nobody sees in the messages.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum PlanWarning {
    /// So many recipients were left out because the rules named more than
    /// [`max_recipients`](crate::limits::RoutingLimits::max_recipients).
    RecipientsTruncated(usize),
    /// The template of this kind failed on the event, and the built-in message was sent in its place.
    TemplateFailed,
}

/// Rules have admitted the event; the message need not check again.
const EVERYTHING: Visibility = Visibility {
    confidential: true,
    in_progress: true,
};

impl Notifier {
    /// The messages that an event causes, or why it causes none.
    pub fn plan(&self, event: &Event) -> Result<Plan, SkipReason> {
        message::check_kind(event)?;
        let routed = self.routing.evaluate(event)?;
        let texts = Texts::new(self, event);
        let mut notifications = Vec::new();
        let mut skipped = SkipReason::NoWords;
        for recipient in routed.list {
            match texts.of(recipient.reason)? {
                Some(text) => match self.notification(event, recipient, text.to_owned()) {
                    Ok(notification) => notifications.push(notification),
                    Err(reason) => skipped = reason,
                },
                None => skipped = SkipReason::NoWords,
            }
        }
        if notifications.is_empty() {
            return Err(skipped);
        }
        let truncated =
            (routed.truncated > 0).then_some(PlanWarning::RecipientsTruncated(routed.truncated));
        let failed = texts.failed().then_some(PlanWarning::TemplateFailed);
        Ok(Plan {
            notifications,
            warnings: truncated.into_iter().chain(failed).collect(),
        })
    }

    /// The message under the key of its delivery, or under that of the failure, the fix or the pipeline
    /// where all deliveries about it make one message.
    fn notification(
        &self,
        event: &Event,
        Recipient {
            destination,
            reason,
        }: Recipient,
        text: String,
    ) -> Result<Notification, SkipReason> {
        let origin = event.meta.instance.clone();
        match (reason, &event.attributes.pipeline_revision) {
            (NotifyReason::Failure, Some(revision)) => {
                let key = fixed_pipeline::failure(revision);
                Ok(Notification::new(key, destination, text, origin))
            }
            (NotifyReason::Fix, Some(revision)) => {
                let failures = fixed_pipeline::failures_fixed_by(revision);
                let key = fixed_pipeline::fix(revision);
                Ok(Notification::new(key, destination, text, origin).after_one_of(failures))
            }
            (NotifyReason::Fix, None) => Err(SkipReason::NotAFix),
            (NotifyReason::Failure, None) | (NotifyReason::Event, _) => {
                let delivery = MessageKey::from(event.meta.delivery_key());
                let notification = Notification::new(delivery, destination, text, origin);
                self.live(event, notification)
            }
        }
    }

    /// The same message, kept up to date if it is about a pipeline and the operator wants that.
    fn live(&self, event: &Event, notification: Notification) -> Result<Notification, SkipReason> {
        let state = event.attributes.pipeline_state.as_ref();
        let Some(state) = state.filter(|_| self.live_pipelines) else {
            return Ok(notification);
        };
        match live_pipeline::mark(&notification.text, state) {
            Some(text) => Ok(Notification {
                key: live_pipeline::key(state),
                text,
                ..notification
            }
            .edited(state.clone())),
            // Without a link to mark, no later delivery could tell how far the message is: only the end
            // is sent then.
            None if state.finished_at.is_none() => Err(SkipReason::NotFinal),
            None => Ok(notification),
        }
    }
}

/// The texts about one event, rendered when first needed: most events have one recipient, and a fix has
/// another text.
struct Texts<'a> {
    notifier: &'a Notifier,
    event: &'a Event,
    plain: OnceCell<Result<Applied, SkipReason>>,
    fix: OnceCell<Result<Applied, SkipReason>>,
}

impl<'a> Texts<'a> {
    fn new(notifier: &'a Notifier, event: &'a Event) -> Self {
        Self {
            notifier,
            event,
            plain: OnceCell::new(),
            fix: OnceCell::new(),
        }
    }

    /// The text for recipients who are notified for this reason; `None` if the template renders nothing.
    fn of(&self, reason: NotifyReason) -> Result<Option<&str>, SkipReason> {
        let cell = match reason {
            NotifyReason::Fix => &self.fix,
            NotifyReason::Event | NotifyReason::Failure => &self.plain,
        };
        let applied = cell.get_or_init(|| {
            let builtin = match reason {
                NotifyReason::Fix => message::render_fix(self.event)?,
                NotifyReason::Event | NotifyReason::Failure => {
                    message::render(self.event, EVERYTHING)?
                }
            };
            Ok(self.notifier.templates.apply(reason, self.event, builtin))
        });
        match applied {
            Ok(applied) => Ok(applied.text()),
            Err(skipped) => Err(*skipped),
        }
    }

    /// Whether a template failed.
    fn failed(&self) -> bool {
        let rendered = [self.plain.get(), self.fix.get()].into_iter().flatten();
        rendered
            .into_iter()
            .any(|applied| matches!(applied, Ok(Applied::Failed(_))))
    }
}
