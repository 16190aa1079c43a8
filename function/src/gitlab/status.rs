//! The status of a pipeline, a job or a deployment. Owns GitLab's terms and which of them are
//! final. How a status is worded is decided in [`message`](crate::notifier::message).

use serde::{Deserialize, Serialize};

/// The result of a pipeline, job or deployment, or that it has not finished.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It succeeded.
    Success,
    /// It failed.
    Failed,
    /// It was canceled.
    Canceled,
    /// It was skipped.
    Skipped,
    /// It is waiting or running.
    Unfinished,
    /// A status that this program does not know.
    Unknown,
}

impl Status {
    /// The name of the status in the mark of a [live pipeline](crate::notifier::live_pipeline).
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
            Self::Skipped => "skipped",
            Self::Unfinished => "unfinished",
            Self::Unknown => "unknown",
        }
    }

    /// Parses GitLab's term.
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
