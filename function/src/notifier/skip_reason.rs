//! Why an event has no notification although nothing failed. Owns the reasons, their labels and
//! descriptions. Which event has which reason is decided in [`message`](super::message), in
//! [`routing`](super::routing) and, if a look-up on the chat server is needed, in
//! [`send`](crate::send).

/// Why no notification is sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SkipReason {
    /// The kind of event is not supported.
    UnhandledKind,
    /// The event is confidential, and the recipient may not be a member.
    Confidential,
    /// The pipeline, job or deployment has not finished.
    NotFinal,
    /// The update is minor.
    MinorUpdate,
    /// GitLab generated the comment, to report another event.
    SystemNote,
    /// The kind is supported, but its action or state is unknown.
    UnknownAction,
    /// A required field is missing.
    Incomplete,
    /// The event is a test with which `webhook-app reconcile` enables a webhook.
    HookTest,
    /// No rule matches.
    NoRule,
    /// The matching rule sends to `nobody`.
    Nobody,
    /// A rule matches, but its recipient cannot be resolved to a Rocket.Chat user.
    Unmapped,
    /// GitLab has redacted the address that shows who the recipient is.
    RecipientRedacted,
    /// No recipient is known, and the end of the text that may mention some was not read.
    MentionsUnread,
    /// The recipient triggered the event.
    OwnAction,
    /// The success fixes no failure that the recipient was notified of.
    NotAFix,
    /// The template rendered no text.
    NoWords,
    /// Rocket.Chat says that the recipient cannot receive messages.
    Unreachable,
}

impl SkipReason {
    /// Every reason, for documentation tables and for metric series that are created at startup.
    pub const ALL: &[Self] = &[
        Self::UnhandledKind,
        Self::Confidential,
        Self::NotFinal,
        Self::MinorUpdate,
        Self::SystemNote,
        Self::UnknownAction,
        Self::Incomplete,
        Self::HookTest,
        Self::NoRule,
        Self::Nobody,
        Self::Unmapped,
        Self::RecipientRedacted,
        Self::MentionsUnread,
        Self::OwnAction,
        Self::NotAFix,
        Self::NoWords,
        Self::Unreachable,
    ];

    /// The label in logs, metrics and the header `webhook-app-reason`.
    pub fn label(self) -> &'static str {
        match self {
            Self::UnhandledKind => "unhandled_kind",
            Self::Confidential => "confidential",
            Self::NotFinal => "not_final",
            Self::MinorUpdate => "minor_update",
            Self::SystemNote => "system_note",
            Self::UnknownAction => "unknown_action",
            Self::Incomplete => "incomplete",
            Self::HookTest => "hook_test",
            Self::NoRule => "no_rule",
            Self::Nobody => "nobody",
            Self::Unmapped => "unmapped",
            Self::RecipientRedacted => "recipient_redacted",
            Self::MentionsUnread => "mentions_unread",
            Self::OwnAction => "own_action",
            Self::NotAFix => "not_a_fix",
            Self::NoWords => "no_words",
            Self::Unreachable => "unreachable",
        }
    }

    /// The description for people, to follow "nothing is sent: ".
    pub fn description(self) -> &'static str {
        match self {
            Self::UnhandledKind => "this kind of event is not supported",
            Self::Confidential => "the event is confidential",
            Self::NotFinal => "the pipeline, job or deployment has not finished",
            Self::MinorUpdate => "the update is minor",
            Self::SystemNote => "GitLab generated the comment",
            Self::UnknownAction => "the action or state is unknown",
            Self::Incomplete => "a field that this kind of event requires is missing",
            Self::HookTest => {
                "the push is from the user in `GITLAB_RECONCILE_USER`, which tests the webhook"
            }
            Self::NoRule => "no rule in `ROUTES` matches",
            Self::Nobody => "the matching rule in `ROUTES` sends to nobody",
            Self::Unmapped => {
                "the event does not name the recipient, or the recipient has no known Rocket.Chat user"
            }
            Self::RecipientRedacted => {
                "the rule in `ROUTES` needs an email address to find the recipient, and GitLab redacts addresses in the webhooks that it sends again"
            }
            Self::MentionsUnread => {
                "the rule in `ROUTES` notifies mentioned users, and the text is too long or nested too deeply to find all of them"
            }
            Self::OwnAction => "the recipient triggered the event",
            Self::NotAFix => {
                "there is no failure notification to resolve, and the rule in `ROUTES` matches fixes only"
            }
            Self::NoWords => "the template in `MESSAGES` produced no text",
            Self::Unreachable => {
                "the recipient, whom the event and not the configuration names, is unknown or deactivated on Rocket.Chat, or has a read-only or encrypted room"
            }
        }
    }
}
