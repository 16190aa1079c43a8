//! The recipients of one event while its rules are evaluated. Owns their order, and how many of them are
//! left out. Who they are is decided in [`routing`](super).

use super::recipient::{Recipient, add};
use super::rule::{Role, Rule};
use crate::gitlab::participants::Mentions;
use crate::limits::LIMITS;
use crate::notifier::SkipReason;

/// Who receives an event.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Recipients {
    /// Each recipient once, at most [`max_recipients`](crate::limits::RoutingLimits::max_recipients), and at
    /// least one unless others are redacted.
    pub list: Vec<Recipient>,
    /// Number of further recipients, who are not notified.
    pub truncated: usize,
    /// Whether the end of the text that mentions recipients was not read.
    pub mentions_unread: bool,
    /// Who is not known, because GitLab has redacted their address.
    pub redacted: Vec<RedactedRecipient>,
}

/// A person of whom a webhook that GitLab sends again has nothing but `[REDACTED]`, so that it is not known
/// whether and whom a rule would notify.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RedactedRecipient {
    /// The name of the rule, as in explanations.
    pub(crate) rule: String,
    /// What the person is in the event, such as `author`, as the rule calls it.
    pub(crate) role: &'static str,
}

/// The recipients so far.
#[derive(Default)]
pub(super) struct RecipientList<'a> {
    direct: Vec<Recipient>,
    /// Users who are only mentioned. They come last, so that the limit leaves them out before others.
    mentioned: Vec<Recipient>,
    /// The mentions in the text, if a rule asks for them.
    text: Option<&'a Mentions>,
    redacted: Vec<RedactedRecipient>,
}

impl<'a> RecipientList<'a> {
    /// Records that a rule which matches asks for the users whom the text mentions.
    pub(super) fn ask_for(&mut self, text: &'a Mentions) {
        self.text = Some(text);
    }

    /// Adds a recipient, whom a rule names by `role`. Returns whether this changes what the recipient is
    /// sent.
    pub(super) fn add(&mut self, role: Option<Role>, recipient: Recipient) -> bool {
        match role {
            Some(Role::Mentioned) => add(&mut self.mentioned, recipient),
            _ => add(&mut self.direct, recipient),
        }
    }

    /// Records that a rule needs an address which GitLab has redacted.
    pub(super) fn add_redacted(&mut self, rule: &Rule, of: &'static str) {
        let rule = rule.name.clone();
        let redacted = RedactedRecipient { rule, role: of };
        let is_full = self.redacted.len() >= LIMITS.routing.max_recipients;
        if !is_full && !self.redacted.contains(&redacted) {
            self.redacted.push(redacted);
        }
    }

    /// The recipients, or `reason` if there are none.
    pub(super) fn finish(self, reason: SkipReason) -> Result<Recipients, SkipReason> {
        let mut list = self.direct;
        for recipient in self.mentioned {
            add(&mut list, recipient);
        }
        let mentions_unread = self.text.is_some_and(|text| !text.is_complete);
        if list.is_empty() && self.redacted.is_empty() {
            return Err(match reason {
                SkipReason::Unmapped if mentions_unread => SkipReason::MentionsUnread,
                reason => reason,
            });
        }
        let beyond_limit = list.len().saturating_sub(LIMITS.routing.max_recipients);
        list.truncate(LIMITS.routing.max_recipients);
        Ok(Recipients {
            list,
            truncated: beyond_limit + self.text.map_or(0, |text| text.left_out),
            mentions_unread,
            redacted: self.redacted,
        })
    }
}
