//! Which notifications an event causes. Owns the order of the steps: routing rules, the built-in
//! message, templates, and the key of each message. The steps themselves are in [`routing`],
//! [`message`], [`templates`], [`live_pipeline`] and [`fixed_pipeline`]. Pure; notifications are
//! sent by [`send`](crate::send).

pub mod notification;
mod late;
mod skip_reason;
pub(crate) mod words;

pub mod routing;
pub mod message;
pub mod templates;
pub mod live_pipeline;
pub mod fixed_pipeline;

use std::cell::OnceCell;
use std::time::SystemTime;

use message::{MessageStyle, Visibility};
use notification::Notification;
use routing::{NotifyReason, Recipient, RedactedRecipient, RoutingRules};
pub use skip_reason::SkipReason;
use templates::{Applied, Templates};

use crate::gitlab::event::Event;
use crate::gitlab::kind::Kind;
use crate::gitlab::occurred_at::{OccurredAt, OccurredAtError};
use crate::gitlab::username::GitLabUsername;
use crate::rocketchat::MessageKey;

/// The operator's configuration of recipients and messages.
#[derive(Debug)]
pub struct Notifier {
    /// Which events go to which recipients.
    pub routing: RoutingRules,
    /// Templates that replace built-in messages.
    pub templates: Templates,
    /// Whether messages begin with a sign.
    pub style: MessageStyle,
    /// Whether each pipeline has one message that is edited as it proceeds.
    pub(crate) live_pipelines: bool,
    /// The GitLab user whose pushes are tests of a webhook, if there is one.
    pub(crate) reconcile_user: Option<GitLabUsername>,
}

/// The notifications that one event causes, at least one unless recipients are redacted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Plan {
    /// One notification per recipient.
    pub notifications: Vec<Notification>,
    /// Who is not notified, because GitLab has redacted their address.
    pub redacted: Vec<RedactedRecipient>,
    /// Warnings for the operator; the notifications are sent nevertheless.
    pub(crate) warnings: Vec<PlanWarning>,
}

/// A decision that affects notifications and is not visible in them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum PlanWarning {
    /// Number of recipients that were left out, because the rules name more than
    /// [`max_recipients`](crate::limits::RoutingLimits::max_recipients).
    RecipientsTruncated(usize),
    /// The end of the text was not read, and a rule notifies the users whom it mentions.
    MentionsUnread,
    /// The template of this kind failed on the event, and the built-in message is sent instead.
    TemplateFailed,
    /// The time at which a live pipeline finished cannot be read.
    UndatedPipeline,
    /// The body says when the event occurred, and that time is ignored.
    OccurredAt(OccurredAtError),
}

impl Plan {
    /// The same plan, with messages that say so if the event occurred long before `now`.
    #[must_use]
    pub(crate) fn noted_if_late(
        mut self,
        occurred_at: Option<OccurredAt>,
        now: SystemTime,
    ) -> Self {
        match occurred_at.map(|time| time.checked(now)) {
            Some(Ok(time)) => {
                let notifications = self.notifications.into_iter();
                let noted = notifications.map(|it| it.noted_if_late(time, now));
                self.notifications = noted.collect();
            }
            Some(Err(error)) => self.warnings.push(PlanWarning::OccurredAt(error)),
            None => {}
        }
        self
    }
}

/// The rules have already matched the event, so the message does not check again.
pub(crate) const EVERYTHING: Visibility = Visibility {
    confidential: true,
    in_progress: true,
    minor_updates: true,
};

impl Notifier {
    /// The notifications that an event causes, or why it causes none.
    pub fn plan(&self, event: &Event) -> Result<Plan, SkipReason> {
        message::check_kind(event)?;
        if self.is_hook_test(event) {
            return Err(SkipReason::HookTest);
        }
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
        if notifications.is_empty() && routed.redacted.is_empty() {
            return Err(skipped);
        }
        let truncated =
            (routed.truncated > 0).then_some(PlanWarning::RecipientsTruncated(routed.truncated));
        let unread = routed
            .mentions_unread
            .then_some(PlanWarning::MentionsUnread);
        let failed = texts.failed().then_some(PlanWarning::TemplateFailed);
        Ok(Plan {
            notifications,
            redacted: routed.redacted,
            warnings: [truncated, unread, failed, self.undated(event)]
                .into_iter()
                .flatten()
                .collect(),
        })
    }

    /// GitLab's test of a webhook is a push like any other, by the user who asked for it.
    fn is_hook_test(&self, event: &Event) -> bool {
        let actor = event.attributes.participants.actor.as_ref();
        let user = self.reconcile_user.as_ref().zip(actor);
        event.kind() == Kind::Push && user.is_some_and(|(user, actor)| user.is_of(actor))
    }

    /// A warning if the order of deliveries decides what a live pipeline shows.
    fn undated(&self, event: &Event) -> Option<PlanWarning> {
        let state = event.attributes.pipeline_state.as_ref()?;
        (self.live_pipelines && state.undated.is_some()).then_some(PlanWarning::UndatedPipeline)
    }

    /// A notification with the key of the delivery, or with that of the failure, the fix or the
    /// pipeline if several deliveries about it share one message.
    fn notification(
        &self,
        event: &Event,
        recipient: Recipient,
        text: String,
    ) -> Result<Notification, SkipReason> {
        let Recipient {
            destination,
            reason,
            source,
            may_be_handed_off,
        } = recipient;
        let origin = event.meta.instance.clone();
        let notification = |key| {
            let notification = Notification::new(key, destination, text, origin);
            notification.from(source).handed_off_if(may_be_handed_off)
        };
        match (reason, &event.attributes.pipeline_revision) {
            (NotifyReason::Failure, Some(revision)) => {
                Ok(notification(fixed_pipeline::failure(revision)))
            }
            (NotifyReason::Fix, Some(revision)) => {
                let failures = fixed_pipeline::failures_fixed_by(revision);
                Ok(notification(fixed_pipeline::fix(revision)).after_one_of(failures))
            }
            (NotifyReason::Fix, None) => Err(SkipReason::NotAFix),
            (NotifyReason::Failure, None) | (NotifyReason::Event, _) => {
                self.live(event, notification(delivery_key(event)))
            }
        }
    }

    /// The same notification, edited as the pipeline proceeds if it is about one and live pipelines
    /// are on.
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
            // Without a link to mark, no later delivery could detect the state that the message
            // shows, so only the final state is sent.
            None if state.finished_at.is_none() => Err(SkipReason::NotFinal),
            None => Ok(notification),
        }
    }
}

/// The key of the message about one delivery.
fn delivery_key(event: &Event) -> MessageKey {
    match &event.meta.idempotency_key {
        Some(key) if !key.is_content() => MessageKey::Delivery(key.clone()),
        Some(key) => MessageKey::Content(key.clone()),
        None => MessageKey::Content(event.meta.content_key.clone()),
    }
}

/// The texts about one event, rendered on first use. The text of a fix differs from that of the
/// event.
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

    /// The text for recipients who are notified for this reason; `None` if the template renders no
    /// text.
    fn of(&self, reason: NotifyReason) -> Result<Option<&str>, SkipReason> {
        let cell = match reason {
            NotifyReason::Fix => &self.fix,
            NotifyReason::Event | NotifyReason::Failure => &self.plain,
        };
        let applied = cell.get_or_init(|| {
            let style = self.notifier.style;
            let builtin = match reason {
                NotifyReason::Fix => message::render_fix(self.event, style)?,
                NotifyReason::Event | NotifyReason::Failure => {
                    message::render(self.event, EVERYTHING, style)?
                }
            };
            Ok(self.notifier.templates.apply(reason, self.event, &builtin))
        });
        match applied {
            Ok(applied) => Ok(applied.text()),
            Err(skipped) => Err(*skipped),
        }
    }

    /// Whether the template failed.
    fn failed(&self) -> bool {
        let mut rendered = [self.plain.get(), self.fix.get()].into_iter().flatten();
        rendered.any(|applied| matches!(applied, Ok(Applied::Failed(_))))
    }
}
