//! A pipeline. Owns what is read of it and of its jobs. The words for people, and that only its end
//! is told, are in [`message`](crate::notifier::message).

use serde::Deserialize;

use super::commit::{CommitSha, MaybeCommit};
use super::event::ParseError;
use super::meta::{EventHints, EventMeta, Person, digits};
use super::project::ProjectPayload;
use super::push::RefKind;
use super::status::Status;
use super::text::Line;

/// A pipeline went a step further.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pipeline {
    /// Where and by whom it was started.
    pub meta: EventMeta,
    /// Its number within the instance, as its page has it.
    pub id: u64,
    /// How far it is.
    pub status: Status,
    /// What it runs for.
    pub run: Run,
    /// The merge request it runs for, by its number.
    pub merge_request: Option<u64>,
    /// How long it ran.
    pub duration_seconds: Option<u64>,
    /// First line of the commit's message.
    pub title: Option<String>,
    /// The jobs that made it fail.
    pub failed_jobs: Vec<String>,
}

/// The branch or tag, and the commit, that a pipeline or job runs for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Run {
    /// Branch or tag.
    pub kind: RefKind,
    /// Its name, where GitLab said it.
    pub name: Option<String>,
    /// The commit.
    pub sha: Option<CommitSha>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Payload {
    user: Option<Person>,
    project: Option<ProjectPayload>,
    object_attributes: Option<Attributes>,
    merge_request: Option<MergeRequest>,
    commit: Option<Commit>,
    builds: Option<Vec<Build>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Attributes {
    id: Option<u64>,
    #[serde(rename = "ref")]
    reference: Line,
    tag: Option<bool>,
    sha: MaybeCommit,
    status: Line,
    duration: Option<f64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct MergeRequest {
    iid: Option<u64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Commit {
    message: Line,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Build {
    name: Line,
    status: Line,
    allow_failure: Option<bool>,
}

impl Payload {
    pub(super) fn read(self, hints: &EventHints) -> Result<Pipeline, ParseError> {
        let attributes = self
            .object_attributes
            .ok_or(ParseError::Missing("object_attributes"))?;
        let id = attributes
            .id
            .ok_or(ParseError::Missing("object_attributes.id"))?;
        let identity = [&digits(Some(id)), attributes.status.as_str()];
        Ok(Pipeline {
            meta: hints.meta(self.project, self.user, &identity),
            id,
            status: Status::parse(attributes.status.as_str()),
            run: Run::read(attributes.reference, attributes.tag, attributes.sha),
            merge_request: self.merge_request.and_then(|request| request.iid),
            duration_seconds: attributes.duration.and_then(whole_seconds),
            title: self.commit.and_then(|commit| commit.message.0),
            failed_jobs: failed(self.builds.unwrap_or_default()),
        })
    }
}

impl Run {
    pub(super) fn read(name: Line, tag: Option<bool>, sha: MaybeCommit) -> Self {
        let kind = match tag {
            Some(true) => RefKind::Tag,
            _ => RefKind::Branch,
        };
        Self {
            kind,
            name: name.0,
            sha: sha.0,
        }
    }
}

fn failed(builds: Vec<Build>) -> Vec<String> {
    let counts =
        |build: &Build| build.status.as_str() == "failed" && build.allow_failure != Some(true);
    let failed = builds.into_iter().filter(counts);
    failed.filter_map(|build| build.name.0).collect()
}

/// Rounds down; nothing for what no pipeline takes.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the range is checked in the same line"
)]
pub(super) fn whole_seconds(seconds: f64) -> Option<u64> {
    (0.0..1e9).contains(&seconds).then_some(seconds as u64)
}
