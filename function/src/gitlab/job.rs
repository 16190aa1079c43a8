//! A job of a pipeline, called build on the wire. Owns what is read of it. The words for people, and
//! that only its end is told, are in [`message`](crate::notifier::message).

use serde::Deserialize;

use super::commit::MaybeCommit;
use super::event::ParseError;
use super::meta::{EventHints, EventMeta, Person, digits};
use super::pipeline::{Run, whole_seconds};
use super::project::{Project, ProjectPayload};
use super::status::Status;
use super::text::Line;

/// A job went a step further.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Job {
    /// Where and by whom it was started.
    pub meta: EventMeta,
    /// Its number within the instance, as its page has it.
    pub id: u64,
    /// How far it is.
    pub status: Status,
    /// What it runs for.
    pub run: Run,
    /// Its name.
    pub name: Option<String>,
    /// The stage of the pipeline it belongs to.
    pub stage: Option<String>,
    /// Why it failed, in GitLab's word.
    pub failure: Option<String>,
    /// How long it ran.
    pub duration_seconds: Option<u64>,
}

/// Newer documentation says `job_…` where GitLab sends `build_…`; both are read.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Payload {
    user: Option<Person>,
    project: Option<ProjectPayload>,
    project_name: Line,
    #[serde(rename = "ref")]
    reference: Line,
    tag: Option<bool>,
    sha: MaybeCommit,
    #[serde(alias = "job_id")]
    build_id: Option<u64>,
    #[serde(alias = "job_name")]
    build_name: Line,
    #[serde(alias = "job_stage")]
    build_stage: Line,
    #[serde(alias = "job_status")]
    build_status: Line,
    #[serde(alias = "job_duration")]
    build_duration: Option<f64>,
    #[serde(alias = "job_failure_reason")]
    build_failure_reason: Line,
}

impl Payload {
    pub(super) fn read(self, hints: &EventHints) -> Result<Job, ParseError> {
        let id = self.build_id.ok_or(ParseError::Missing("build_id"))?;
        let identity = [&digits(Some(id)), self.build_status.as_str()];
        let mut meta = hints.meta(self.project, self.user, &identity);
        // GitLab before 15.2 sends no project, only its name.
        let named = self.project_name.0.map(|path| Project {
            path,
            web_url: None,
        });
        meta.project = meta.project.or(named);
        Ok(Job {
            meta,
            id,
            status: Status::parse(self.build_status.as_str()),
            run: Run::read(self.reference, self.tag, self.sha),
            name: self.build_name.0,
            stage: self.build_stage.0,
            failure: self.build_failure_reason.0,
            duration_seconds: self.build_duration.and_then(whole_seconds),
        })
    }
}
