//! What GitLab's API lists about a project. Owns the fields that the bodies of webhooks need. Only the IDs are required,
//! because a body can be written without the rest.

use serde::Deserialize;

/// A user.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
pub(crate) struct Account {
    pub(crate) id: Option<u64>,
    pub(crate) name: Option<String>,
    pub(crate) username: Option<String>,
}

/// `GET /projects/:id`.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct ProjectFacts {
    pub(crate) id: u64,
    pub(crate) name: Option<String>,
    pub(crate) path_with_namespace: String,
    pub(crate) web_url: Option<String>,
    pub(crate) default_branch: Option<String>,
    pub(crate) ssh_url_to_repo: Option<String>,
    pub(crate) http_url_to_repo: Option<String>,
}

/// `GET /projects/:id/events`: something that a user did.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Activity {
    pub(crate) action_name: Option<String>,
    pub(crate) target_type: Option<String>,
    pub(crate) created_at: Option<String>,
    pub(crate) author: Option<Account>,
    pub(crate) push_data: Option<PushFacts>,
}

/// A push in the list of activities.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct PushFacts {
    pub(crate) commit_count: Option<u64>,
    pub(crate) ref_type: Option<String>,
    pub(crate) commit_from: Option<String>,
    pub(crate) commit_to: Option<String>,
    #[serde(rename = "ref")]
    pub(crate) reference: Option<String>,
}

/// `GET /projects/:id/repository/compare`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Comparison {
    pub(crate) commits: Vec<CommitFacts>,
    pub(crate) diffs: Vec<ChangedFile>,
}

/// `GET /projects/:id/repository/commits/:sha`.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct CommitFacts {
    pub(crate) id: String,
    pub(crate) title: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) author_name: Option<String>,
    pub(crate) author_email: Option<String>,
    pub(crate) committed_date: Option<String>,
    pub(crate) web_url: Option<String>,
}

/// A file of a comparison.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ChangedFile {
    pub(crate) old_path: Option<String>,
    pub(crate) new_path: Option<String>,
    pub(crate) new_file: bool,
    pub(crate) renamed_file: bool,
    pub(crate) deleted_file: bool,
}

/// `GET /projects/:id/repository/branches/:name` or `…/tags/:name`.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct RefFacts {
    pub(crate) protected: Option<bool>,
    pub(crate) message: Option<String>,
    pub(crate) commit: Option<CommitFacts>,
}

/// `GET /projects/:id/pipelines`: a pipeline in a list.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct ListedPipeline {
    pub(crate) id: u64,
    pub(crate) status: String,
    pub(crate) updated_at: Option<String>,
}

/// `GET /projects/:id/pipelines/:id`.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct PipelineFacts {
    pub(crate) id: u64,
    pub(crate) iid: Option<u64>,
    pub(crate) name: Option<String>,
    pub(crate) status: String,
    #[serde(rename = "ref")]
    pub(crate) reference: Option<String>,
    pub(crate) sha: Option<String>,
    pub(crate) before_sha: Option<String>,
    pub(crate) tag: Option<bool>,
    pub(crate) user: Option<Account>,
    pub(crate) created_at: Option<String>,
    pub(crate) updated_at: Option<String>,
    pub(crate) finished_at: Option<String>,
    pub(crate) duration: Option<f64>,
    pub(crate) detailed_status: Option<DetailedStatus>,
    pub(crate) source: Option<String>,
    pub(crate) web_url: Option<String>,
}

/// The status of a pipeline in words.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct DetailedStatus {
    pub(crate) label: Option<String>,
}

/// `GET /projects/:id/pipelines/:id/jobs`.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct JobFacts {
    pub(crate) id: u64,
    pub(crate) name: Option<String>,
    pub(crate) stage: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) allow_failure: Option<bool>,
}

/// `GET /projects/:id/merge_requests`.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct MergeRequestFacts {
    pub(crate) id: Option<u64>,
    pub(crate) iid: u64,
    pub(crate) title: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) state: Option<String>,
    pub(crate) created_at: Option<String>,
    pub(crate) updated_at: Option<String>,
    pub(crate) merged_at: Option<String>,
    pub(crate) merge_user: Option<Account>,
    pub(crate) closed_at: Option<String>,
    pub(crate) closed_by: Option<Account>,
    pub(crate) source_branch: Option<String>,
    pub(crate) target_branch: Option<String>,
    pub(crate) source_project_id: Option<u64>,
    pub(crate) target_project_id: Option<u64>,
    pub(crate) author: Option<Account>,
    #[serde(default)]
    pub(crate) assignees: Vec<Account>,
    #[serde(default)]
    pub(crate) reviewers: Vec<Account>,
    #[serde(default)]
    pub(crate) labels: Vec<String>,
    pub(crate) draft: Option<bool>,
    pub(crate) sha: Option<String>,
    pub(crate) merge_commit_sha: Option<String>,
    pub(crate) squash_commit_sha: Option<String>,
    pub(crate) web_url: Option<String>,
}
