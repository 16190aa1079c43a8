//! The attributes of an event that rules and templates use, in one form for all kinds. Owns that
//! form; the file of each kind decides which of its fields fill it. Fields that only one kind has
//! are in its own struct, such as [`Pipeline`](super::pipeline::Pipeline).

use serde::{Deserialize, Serialize};

use super::changed_paths::ChangedPaths;
use super::changes::ChangeAction;
use super::commit::CommitSha;
use super::participants::Participants;
use super::status::Status;

/// The attributes of an event. An attribute that GitLab does not send is `None` or empty.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct EventAttributes {
    /// Path of the project, or else of the group, such as `acme/rocket`; empty if GitLab sends
    /// neither.
    pub project_path: String,
    /// The action in GitLab's term, such as `open` or `merge`. For branches and tags it is
    /// `create`, `push` or `delete`; for a merge request with new commits it is `push`.
    pub action: Option<String>,
    /// GitLab's own term where `action` is more specific, such as `update` where it is `push`. Rules
    /// match either.
    pub generic_action: Option<&'static str>,
    /// What an update changed, or who was asked when the object was opened. Rules match each as an
    /// action.
    pub changes: Vec<ChangeAction>,
    /// Whether this is a minor update: it has a message only if a rule names its action.
    pub minor_update: bool,
    /// The status of a pipeline, job or deployment, in GitLab's term.
    pub status: Option<String>,
    /// Whether this is a pipeline, job or deployment that has not finished.
    pub in_progress: bool,
    /// Whether a job may fail without failing its pipeline, and whether a pipeline passed although
    /// such jobs failed.
    pub allowed_failure: Option<bool>,
    /// Branch or tag, without `refs/heads/` or `refs/tags/`; for a merge request and for comments and
    /// reactions on it, its target branch; for a job or deployment of a merge
    /// request pipeline, the ref of the merge request, such as `refs/merge-requests/12/merge`.
    pub reference: Option<String>,
    /// Whether the branch or tag is protected.
    pub protected: Option<bool>,
    /// What started a pipeline, in GitLab's term, such as `schedule`.
    pub source: Option<String>,
    /// Labels of the merge request, issue or work item.
    pub labels: Option<Vec<String>>,
    /// Whether the merge request is a draft.
    pub draft: Option<bool>,
    /// Files that the commits of a push changed.
    pub changed_paths: Option<ChangedPaths>,
    /// The users involved.
    pub participants: Participants,
    /// The commit that the event is about.
    pub sha: Option<CommitSha>,
    /// The commit to show in place of `sha`: the last one of the source branch, if `sha` is the
    /// temporary commit of a merged result.
    pub source_sha: Option<CommitSha>,
    /// The number that GitLab's pages show, such as that of an issue, a pipeline or a job.
    pub number: Option<u64>,
    /// URL of the page, as GitLab sent it; not yet validated as a link.
    pub page: Option<String>,
    /// Title or name, or the title of the commit.
    pub title: Option<String>,
    /// First line of the text: a comment, a description or the message of a tag.
    pub text: Option<String>,
    /// Source branch of a merge request, also of one that has a comment or a reaction.
    pub source_branch: Option<String>,
    /// Target branch of it.
    pub target_branch: Option<String>,
    /// Environment of a deployment.
    pub environment: Option<String>,
    /// Stage of a job.
    pub stage: Option<String>,
    /// Duration of a pipeline or job, in whole seconds.
    pub duration_seconds: Option<u64>,
    /// Names of the jobs that made a pipeline fail.
    pub failed_jobs: Vec<String>,
    /// Number of the jobs that made a pipeline fail, which may be more than the names that are kept.
    pub failed_job_count: usize,
    /// Progress of a pipeline.
    pub pipeline_state: Option<PipelineState>,
    /// The ref and commit that a pipeline ran for. `None` if GitLab does not send all fields, and
    /// for a child pipeline, because its parent reports the result of both.
    pub pipeline_revision: Option<PipelineRevision>,
}

/// Progress of a pipeline, in a form that orders two deliveries about it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct PipelineState {
    /// Id of the pipeline, unique on its GitLab instance.
    pub pipeline: u64,
    /// Time it finished, as a Unix time in seconds; `None` while it is in progress, 0 if it
    /// finished at an unknown time.
    pub finished_at: Option<u64>,
    /// The final status, if GitLab's time cannot be read, so that nothing but the order of the
    /// deliveries tells which of two states is the later one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undated: Option<Status>,
}

/// The ref and commit that a pipeline ran for, and the commit that the ref pointed to before.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PipelineRevision {
    /// Id of the project, unique on its GitLab instance.
    pub(crate) project: u64,
    /// Branch or tag, or the merge request, because its source branch may also have branch
    /// pipelines.
    pub(crate) reference: String,
    /// The commit.
    pub(crate) sha: CommitSha,
    /// The commit that the ref pointed to before the push. GitLab sends it only for pipelines that
    /// a push to a branch started.
    pub(crate) before: Option<CommitSha>,
}

/// The name of a ref without `refs/heads/` or `refs/tags/`.
pub(crate) fn short_ref(name: &str) -> &str {
    let short = name
        .strip_prefix("refs/heads/")
        .or_else(|| name.strip_prefix("refs/tags/"));
    short.unwrap_or(name)
}

/// The number of the merge request that a ref belongs to, such as `refs/merge-requests/12/merge`;
/// `None` for branches and tags.
fn merge_request_of(name: &str) -> Option<u64> {
    let (number, last) = name.strip_prefix("refs/merge-requests/")?.split_once('/')?;
    let is_ref = matches!(last, "head" | "merge" | "train");
    let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
    number.parse().ok().filter(|_| is_ref && is_number)
}

impl EventAttributes {
    /// The commit to show: `source_sha`, or else `sha`.
    pub(crate) fn shown_commit(&self) -> Option<&CommitSha> {
        self.source_sha.as_ref().or(self.sha.as_ref())
    }

    /// The number of the merge request, if `reference` is a ref of one.
    pub(crate) fn merge_request(&self) -> Option<u64> {
        merge_request_of(self.reference.as_deref()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_refs_of_a_merge_request_name_one() {
        for (name, expected) in [
            ("refs/merge-requests/12/head", Some(12)),
            ("refs/merge-requests/12/merge", Some(12)),
            ("refs/merge-requests/12/train", Some(12)),
            ("refs/merge-requests/12/other", None),
            ("refs/merge-requests/12/merge/x", None),
            ("refs/merge-requests/+12/merge", None),
            ("refs/merge-requests//merge", None),
            ("refs/merge-requests/99999999999999999999/merge", None),
            ("merge-requests/12/merge", None),
            ("refs/pipelines/12", None),
            ("main", None),
        ] {
            assert_eq!(merge_request_of(name), expected, "{name}");
        }
    }
}
