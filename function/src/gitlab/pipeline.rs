//! A pipeline. Owns how it and its jobs are parsed, and which pipelines can fix a failure. Its
//! message is rendered in [`message`](crate::notifier::message).

use std::time::UNIX_EPOCH;

use serde::Deserialize;

use super::attributes::{EventAttributes, PipelineRevision, PipelineState, short_ref};
use super::commit::{CommitPayload, CommitSha, MaybeCommit};
use super::event::{ParseError, Parsed};
use super::lenient::Lenient;
use super::list::{List, Summary};
use super::meta::{EventHints, digits};
use super::participants::{Participants, User};
use super::project::{Project, ProjectPayload, path_of};
use super::push::RefKind;
use super::status::Status;
use super::text::Line;
use crate::limits::LIMITS;

/// Value of `source` for a child pipeline, which another pipeline of the project started.
const PARENT_PIPELINE: &str = "parent_pipeline";

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
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Payload {
    user: User,
    project: Option<ProjectPayload>,
    object_attributes: Option<Attributes>,
    merge_request: Option<MergeRequest>,
    commit: Option<CommitPayload<Lenient>>,
    builds: Option<List<FailedJobs>>,
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
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Build {
    name: Line,
    status: Line,
    allow_failure: Option<bool>,
}

impl Payload {
    pub(super) fn read(self, hints: &EventHints) -> Result<Parsed<Pipeline>, ParseError> {
        let pipeline = self
            .object_attributes
            .ok_or(ParseError::Missing("object_attributes"))?;
        let id = pipeline
            .id
            .ok_or(ParseError::Missing("object_attributes.id"))?;
        let identity = [&digits(Some(id)), pipeline.status.as_str()];
        let project = self.project.and_then(ProjectPayload::read);
        let merge_request = self.merge_request.and_then(|request| request.iid);
        let status = Status::parse(pipeline.status.as_str());
        let commit = self.commit.unwrap_or_default();
        let List(failed) = self.builds.unwrap_or_default();
        let attributes = EventAttributes {
            project_path: path_of(project.as_ref()),
            number: Some(id),
            protected: pipeline.protected_ref.flag(),
            pipeline_state: Some(pipeline.state(id, status)),
            pipeline_revision: pipeline.revision(project.as_ref(), merge_request),
            reference: pipeline.short_ref(),
            source: pipeline.source.clone().text(),
            sha: pipeline.sha.0,
            page: pipeline.url.text(),
            title: commit.first_line(),
            text: pipeline.name.text(),
            participants: Participants::of_commit(self.user.person(), commit.author()),
            duration_seconds: pipeline.duration.and_then(whole_seconds),
            failed_job_count: failed.count,
            failed_jobs: failed.names,
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
            },
        })
    }
}

impl Attributes {
    fn short_ref(&self) -> Option<String> {
        let name = self.reference.0.as_deref();
        name.map(|name| short_ref(name).to_owned())
    }

    fn state(&self, pipeline: u64, status: Status) -> PipelineState {
        let has_finished = status != Status::Unfinished;
        PipelineState {
            pipeline,
            finished_at: has_finished.then(|| unix_seconds(self.finished_at.as_str())),
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

/// GitLab writes `2016-08-12 15:26:29 UTC` or RFC 3339. 0 if the time cannot be parsed, which
/// orders it before every other end.
fn unix_seconds(text: &str) -> u64 {
    let text = text.strip_suffix(" UTC").unwrap_or(text);
    let time = humantime::parse_rfc3339_weak(text).ok();
    time.and_then(|time| time.duration_since(UNIX_EPOCH).ok())
        .map_or(0, |since| since.as_secs())
}

/// The jobs that made the pipeline fail: the names of the first ones, and the number of all.
#[derive(Default)]
struct FailedJobs {
    names: Vec<String>,
    count: usize,
}

impl Summary for FailedJobs {
    type Entry = Build;

    fn add(&mut self, build: Build) {
        let has_failed = build.status.as_str() == "failed" && build.allow_failure != Some(true);
        if let Some(name) = build.name.0.filter(|_| has_failed) {
            self.count += 1;
            if self.names.len() < LIMITS.events.max_list_entries {
                self.names.push(name);
            }
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_time_formats_of_gitlab_are_parsed() {
        for text in [
            "2016-08-12 15:26:29 UTC",
            "2016-08-12T15:26:29Z",
            "2016-08-12T15:26:29.123Z",
        ] {
            assert_eq!(unix_seconds(text), 1_471_015_589, "{text}");
        }
        assert_eq!(unix_seconds("yesterday"), 0);
    }
}
