//! The conditions that a rule can have. Owns their keys, their order, and what an explanation says about
//! each; what a condition means for an event is in [`conditions`](super::conditions).

/// A condition by its key in a rule.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Condition {
    Event,
    Project,
    Ref,
    Action,
    Status,
    Protected,
    AllowedFailure,
    Source,
    Labels,
    Draft,
    Actor,
    Author,
    Paths,
}

impl Condition {
    /// Every condition, in the order in which they are evaluated: an explanation names the first one
    /// that does not match, and paths are the most expensive.
    pub(super) const ALL: &[Self] = &[
        Self::Event,
        Self::Project,
        Self::Ref,
        Self::Action,
        Self::Status,
        Self::Protected,
        Self::AllowedFailure,
        Self::Source,
        Self::Labels,
        Self::Draft,
        Self::Actor,
        Self::Author,
        Self::Paths,
    ];

    /// The key in a rule; what is said if the event has another value; and what GitLab does not say if
    /// the event has none.
    const fn texts(self) -> [&'static str; 3] {
        match self {
            Self::Event => ["event", "matches other events only", "what happened"],
            Self::Project => [
                "project",
                "matches other projects only",
                "which project it is",
            ],
            Self::Ref => [
                "ref",
                "matches other refs only",
                "which branch or tag it is",
            ],
            Self::Action => ["action", "matches other actions only", "which action it is"],
            Self::Status => [
                "status",
                "matches other statuses only",
                "which status it has",
            ],
            Self::Protected => [
                "protected",
                "does not match the protection of the ref",
                "whether the ref is protected",
            ],
            Self::AllowedFailure => [
                "allowed_failure",
                "matches other jobs only, by whether they are allowed to fail",
                "whether it is allowed to fail",
            ],
            Self::Source => [
                "source",
                "matches pipelines with other sources only",
                "what started it",
            ],
            Self::Labels => ["labels", "matches other labels only", "which labels it has"],
            Self::Draft => [
                "draft",
                "does not match, by whether it is a draft",
                "whether it is a draft",
            ],
            Self::Actor => ["actor", "matches other actors only", "who triggered it"],
            Self::Author => ["author", "matches other authors only", "who the author is"],
            Self::Paths => ["paths", "matches other paths only", "which files changed"],
        }
    }

    /// The key in a rule.
    pub(super) const fn key(self) -> &'static str {
        self.texts()[0]
    }

    /// The condition with this key.
    pub(super) fn with_key(key: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|it| it.key() == key)
    }

    /// What an explanation says if the event has another value.
    pub(super) fn other(self) -> &'static str {
        self.texts()[1]
    }

    /// What GitLab does not say if the event has no value.
    pub(super) fn missing(self) -> &'static str {
        self.texts()[2]
    }
}
