//! Why nobody is told although all is well. Owns the reasons and their words; which event has which
//! reason is decided beside the words of its family, in [`message`](super), in
//! [`routes`](crate::notifier::routing) and, where the chat server must be asked, in
//! [`delivery`](crate::send).

/// Why nothing is sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SkipReason {
    /// A kind of event that we do not know.
    UnhandledKind,
    /// Only members may see it, and the recipient may be none.
    Confidential,
    /// A pipeline, job or deployment that goes on.
    NotFinal,
    /// A change that nobody asked to hear of.
    MinorUpdate,
    /// A comment that GitLab wrote about something else that happened.
    SystemNote,
    /// A known kind of event with an action or state that we do not know.
    UnknownAction,
    /// A known kind of event without what makes it one.
    Incomplete,
    /// No rule is for it.
    NoRule,
    /// A rule is for it, and says that nobody hears of it.
    Nobody,
    /// A rule is for it, but nobody known has the part that is to hear of it.
    Unmapped,
    /// Whoever would hear of it did it.
    OwnAction,
    /// A success that makes no failure good that its recipient was told of.
    NotAFix,
    /// A template of the operator's says nothing about it.
    NoWords,
}

impl SkipReason {
    /// Every reason.
    pub const ALL: &[Self] = &[
        Self::UnhandledKind,
        Self::Confidential,
        Self::NotFinal,
        Self::MinorUpdate,
        Self::SystemNote,
        Self::UnknownAction,
        Self::Incomplete,
        Self::NoRule,
        Self::Nobody,
        Self::Unmapped,
        Self::OwnAction,
        Self::NotAFix,
        Self::NoWords,
    ];

    /// The word for logs, metrics and the header `webhook-app-reason`.
    pub fn label(self) -> &'static str {
        match self {
            Self::UnhandledKind => "unhandled_kind",
            Self::Confidential => "confidential",
            Self::NotFinal => "not_final",
            Self::MinorUpdate => "minor_update",
            Self::SystemNote => "system_note",
            Self::UnknownAction => "unknown_action",
            Self::Incomplete => "incomplete",
            Self::NoRule => "no_rule",
            Self::Nobody => "nobody",
            Self::Unmapped => "unmapped",
            Self::OwnAction => "own_action",
            Self::NotAFix => "not_a_fix",
            Self::NoWords => "no_words",
        }
    }

    /// The same for people, to stand after "nothing is sent: ".
    pub fn description(self) -> &'static str {
        match self {
            Self::UnhandledKind => "this kind of event is not supported",
            Self::Confidential => "the event is confidential",
            Self::NotFinal => "the pipeline, job or deployment has not finished",
            Self::MinorUpdate => "the update is minor",
            Self::SystemNote => "GitLab generated the comment",
            Self::UnknownAction => "the action or state is unknown",
            Self::Incomplete => "a field that this kind of event requires is missing",
            Self::NoRule => "no rule in `ROUTES` matches",
            Self::Nobody => "the matching rule in `ROUTES` sends to nobody",
            Self::Unmapped => {
                "the event does not name the recipient, or the recipient has no known Rocket.Chat user"
            }
            Self::OwnAction => "the recipient triggered the event",
            Self::NotAFix => {
                "there is no failure notification to resolve, and the rule in `ROUTES` matches fixes only"
            }
            Self::NoWords => "the template in `MESSAGES` produced no text",
        }
    }
}
