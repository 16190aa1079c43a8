//! What rules and templates can ask of an event, in one form for all kinds. Owns that form; the file of
//! each kind says which of its fields stand for what. What only members of one kind have is in the struct
//! of that kind, such as [`Pipeline`](super::pipeline::Pipeline).

use serde::{Deserialize, Serialize};

use super::commit::CommitSha;
use super::participants::Participants;

/// The attributes of an event. What GitLab does not say is `None` or empty.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct EventAttributes {
    /// Path of the project or else the group, such as `acme/rocket`.
    pub project_path: String,
    /// GitLab's word for what was done, such as `open` or `merge`. For a branch or tag `create`, `push`
    /// or `delete`, and for a merge request with new commits `push`.
    pub action: Option<String>,
    /// GitLab's own word where `action` is more specific; rules match either.
    pub generic_action: Option<&'static str>,
    /// GitLab's word for the status of a pipeline, job or deployment.
    pub status: Option<String>,
    /// Whether it is a pipeline, job or deployment that has not finished.
    pub in_progress: bool,
    /// Branch or tag, without `refs/heads/` or `refs/tags/`.
    pub reference: Option<String>,
    /// Whether the branch or tag is protected.
    pub protected: Option<bool>,
    /// Who takes part in it.
    pub participants: Participants,
    /// The commit it is about.
    pub sha: Option<CommitSha>,
    /// Number as people know it: of an issue, a pipeline, a job.
    pub number: Option<u64>,
    /// Address of its page, as GitLab sent it; not yet safe to link to.
    pub page: Option<String>,
    /// Title or name, or the title of the commit.
    pub title: Option<String>,
    /// First line of what was written: a comment, a description, the message of a tag.
    pub text: Option<String>,
    /// Source branch of a merge request.
    pub source_branch: Option<String>,
    /// Target branch of a merge request.
    pub target_branch: Option<String>,
    /// Environment of a deployment.
    pub environment: Option<String>,
    /// Stage of a job.
    pub stage: Option<String>,
    /// How long a pipeline or job ran, in whole seconds.
    pub duration_seconds: Option<u64>,
    /// Jobs that made a pipeline fail.
    pub failed_jobs: Vec<String>,
    /// How far a pipeline is.
    pub pipeline_state: Option<PipelineState>,
    /// What a pipeline ran for. `None` where GitLab does not say all of it, and for a child pipeline: its
    /// parent reports how both ended.
    pub pipeline_revision: Option<PipelineRevision>,
}

/// How far a pipeline is, in a form that puts two deliveries in order.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct PipelineState {
    /// Its id on its GitLab.
    pub pipeline: u64,
    /// When it finished, in seconds since 1970; `None` while it is in progress.
    pub finished_at: Option<u64>,
}

/// What a pipeline ran for, and what its ref pointed to before.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PipelineRevision {
    /// Id of the project on its GitLab.
    pub(crate) project: u64,
    /// Branch or tag, or the merge request: its source branch may have pipelines of its own.
    pub(crate) reference: String,
    /// The commit.
    pub(crate) sha: CommitSha,
    /// The commit that the ref pointed to before the push. GitLab names it for pipelines that a push to a
    /// branch started, and for no others.
    pub(crate) before: Option<CommitSha>,
}

/// The short name of a ref.
pub(super) fn short_ref(name: &str) -> &str {
    let short = name
        .strip_prefix("refs/heads/")
        .or_else(|| name.strip_prefix("refs/tags/"));
    short.unwrap_or(name)
}
