//! A pipeline. Owns how it is parsed, and which pipelines can fix a failure. Its jobs are parsed in
//! [`failed_jobs`](super::failed_jobs), its message is rendered in
//! [`message`](crate::notifier::message).

use serde::Deserialize;

use super::attributes::{EventAttributes, PipelineRevision, PipelineState, short_ref};
use super::commit::{CommitPayload, CommitSha, MaybeCommit};
use super::event::{ParseError, Parsed};
use super::failed_jobs::{Builds, FailedJobs};
use super::lenient::Lenient;
use super::list::List;
use super::merged_result;
use super::meta::{EventHints, digits};
use super::object::Object;
use super::participants::{Participants, User};
use super::project::{Project, ProjectPayload, path_of};
use super::push::RefKind;
use super::status::Status;
use super::text::Line;
use super::timestamp::unix_seconds;

/// Value of `source` for a child pipeline, which another pipeline of the project started.
pub(crate) const PARENT_PIPELINE: &str = "parent_pipeline";

/// Value of `source` for a merge request pipeline.
const MERGE_REQUEST_EVENT: &str = "merge_request_event";

/// A pipeline changed its status.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Pipeline {
    /// Id of the pipeline, as in the URL of its page.
    pub(crate) id: u64,
    /// Status of the pipeline.
    pub(crate) status: Status,
    /// Whether it ran for a branch or a tag.
    pub(crate) ref_kind: RefKind,
    /// Number of the merge request, for a merge request pipeline.
    pub(crate) merge_request: Option<u64>,
    /// The jobs that made it fail.
    pub(crate) failed: FailedJobs,
    /// The jobs that failed and may fail.
    pub(crate) allowed: FailedJobs,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Payload {
    user: User,
    project: Option<ProjectPayload>,
    object_attributes: Option<Object<Attributes>>,
    merge_request: Option<MergeRequest>,
    commit: Option<CommitPayload<Lenient>>,
    builds: Option<List<Builds>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Attributes {
    id: Option<u64>,
    name: Lenient,
    #[serde(rename = "ref")]
    reference: Line,
    tag: Option<bool>,
    sha: MaybeCommit,
    before_sha: Lenient,
    status: Line,
    detailed_status: Lenient,
    source: Lenient,
    url: Lenient,
    protected_ref: Lenient,
    finished_at: Lenient,
    duration: Option<f64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct MergeRequest {
    iid: Option<u64>,
    title: Lenient,
    source_branch: Lenient,
}

impl Payload {
    pub(super) fn read(self, hints: &EventHints) -> Result<Parsed<Pipeline>, ParseError> {
        let Object(pipeline) = self
            .object_attributes
            .ok_or(ParseError::Missing("object_attributes"))?;
        let id = pipeline
            .id
            .ok_or(ParseError::Missing("object_attributes.id"))?;
        let identity = [
            &digits(Some(id)),
            pipeline.status.as_str(),
            pipeline.finished_at.as_str(),
        ];
        let project = self.project.and_then(ProjectPayload::read);
        let merge_request = self.merge_request.as_ref().and_then(|request| request.iid);
        let status = Status::parse(pipeline.status.as_str());
        let commit = self.commit.unwrap_or_default();
        let builds = self.builds.map(|List(builds)| builds);
        let allowed_failure = pipeline.allowed_failure(status, builds.as_ref());
        let builds = builds.unwrap_or_default();
        let title = commit.first_line();
        let source_sha = self.merge_request.as_ref().and_then(|_| {
            let title = title.as_deref().filter(|_| pipeline.is_of_merge_request());
            merged_result::source(title?)
        });
        let title = match (&source_sha, &self.merge_request) {
            (Some(_), Some(request)) => request.title.clone().text(),
            _ => title,
        };
        let attributes = EventAttributes {
            project_path: path_of(project.as_ref()),
            number: Some(id),
            protected: pipeline.protected_ref.flag(),
            pipeline_state: Some(pipeline.state(id, status)),
            pipeline_revision: pipeline.revision(project.as_ref(), merge_request),
            reference: pipeline.matched_ref(self.merge_request),
            source: pipeline.source.clone().text(),
            sha: pipeline.sha.0,
            source_sha,
            allowed_failure,
            page: pipeline.url.text(),
            title,
            text: pipeline.name.text(),
            participants: Participants::of_commit(self.user.person(), commit.author()),
            duration_seconds: pipeline.duration.and_then(whole_seconds),
            failed_job_count: builds.failed.count,
            failed_jobs: builds.failed_names,
            ..EventAttributes::default()
        };
        Ok(Parsed {
            meta: hints.meta(project, None, &identity),
            attributes: attributes.with_status(pipeline.status.0, status),
            kind: Pipeline {
                id,
                status,
                ref_kind: RefKind::from_tag(pipeline.tag),
                merge_request,
                failed: builds.failed,
                allowed: builds.allowed,
            },
        })
    }
}

impl Attributes {
    fn short_ref(&self) -> Option<String> {
        let name = self.reference.0.as_deref();
        name.map(|name| short_ref(name).to_owned())
    }

    /// Rules match the source branch of a merge request, which GitLab sends in place of the ref that
    /// its pipeline runs for.
    fn matched_ref(&self, merge_request: Option<MergeRequest>) -> Option<String> {
        let reference = self.short_ref();
        let is_full = reference
            .as_deref()
            .is_some_and(|name| name.starts_with("refs/"));
        let request = merge_request.filter(|_| is_full);
        request
            .and_then(|request| request.source_branch.text())
            .or(reference)
    }

    fn is_of_merge_request(&self) -> bool {
        self.source.as_str() == MERGE_REQUEST_EVENT
    }

    /// The status in detail decides, because jobs that start other pipelines are not in the list. It
    /// may be in the language of a user of GitLab; then the list decides.
    fn allowed_failure(&self, status: Status, builds: Option<&Builds>) -> Option<bool> {
        match (status, self.detailed_status.as_str()) {
            (Status::Success, "passed with warnings") => Some(true),
            (Status::Success, "passed") => Some(false),
            (Status::Success, _) => builds.map(|builds| builds.allowed.count > 0),
            _ => Some(false),
        }
    }

    fn state(&self, pipeline: u64, status: Status) -> PipelineState {
        let ended = unix_seconds(self.finished_at.as_str());
        // GitLab sends no time for a pipeline that was skipped, because nothing ran.
        let is_undated = ended.is_none() && !matches!(status, Status::Unfinished | Status::Skipped);
        PipelineState {
            pipeline,
            finished_at: (status != Status::Unfinished).then(|| ended.unwrap_or(0)),
            undated: is_undated.then_some(status),
        }
    }

    /// A child pipeline is neither a failure nor a fix: its parent reports the result of both.
    fn revision(
        &self,
        project: Option<&Project>,
        merge_request: Option<u64>,
    ) -> Option<PipelineRevision> {
        if self.source.as_str() == PARENT_PIPELINE {
            return None;
        }
        let merge_request = merge_request.map(|number| format!("merge request {number}"));
        Some(PipelineRevision {
            project: project?.id?,
            reference: merge_request.or_else(|| self.short_ref())?,
            sha: self.sha.0.clone()?,
            before: CommitSha::parse(self.before_sha.as_str()),
        })
    }
}

/// Rounded down; `None` if negative or 1e9 and more, about 31 years.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the range is checked in the same line"
)]
pub(super) fn whole_seconds(seconds: f64) -> Option<u64> {
    (0.0..1e9).contains(&seconds).then_some(seconds as u64)
}
