//! How far a pipeline, a job or a deployment has come. Owns GitLab's words for it and which of them
//! are final. What is said about it is decided in [`message`](crate::notifier::message).

/// The end of something that runs, or that there is none yet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Status {
    /// It did what it should.
    Success,
    /// It did not.
    Failed,
    /// Somebody or something stopped it.
    Canceled,
    /// It was not needed.
    Skipped,
    /// It waits or runs.
    Unfinished,
    /// A word we do not know.
    Unknown,
}

impl Status {
    /// Reads GitLab's word.
    pub(super) fn parse(word: &str) -> Self {
        match word {
            "success" => Self::Success,
            "failed" => Self::Failed,
            "canceled" => Self::Canceled,
            "skipped" => Self::Skipped,
            "created"
            | "waiting_for_resource"
            | "waiting_for_callback"
            | "preparing"
            | "pending"
            | "running"
            | "canceling"
            | "manual"
            | "scheduled"
            | "blocked" => Self::Unfinished,
            _ => Self::Unknown,
        }
    }
}
