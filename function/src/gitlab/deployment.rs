//! A deployment to an environment. Owns what is read of it and that its commit stands only at the
//! end of an address. The words for people, and that only its end is told, are in
//! [`message`](crate::notifier::message).

use serde::Deserialize;

use super::commit::CommitSha;
use super::event::ParseError;
use super::meta::{EventHints, EventMeta, Person, digits};
use super::project::ProjectPayload;
use super::status::Status;
use super::text::Line;

/// A deployment went a step further.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Deployment {
    /// Where and by whom.
    pub meta: EventMeta,
    /// Its number within the project, which GitLab before 14 does not send.
    pub id: Option<u64>,
    /// How far it is.
    pub status: Status,
    /// Where to.
    pub environment: String,
    /// What is deployed.
    pub sha: Option<CommitSha>,
    /// First line of the commit's message.
    pub title: Option<String>,
    /// The branch or tag it came from.
    pub reference: Option<String>,
    /// The page of its job, as GitLab sent it; not yet safe to link to. None if it came by the API.
    pub page: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Payload {
    user: Option<Person>,
    project: Option<ProjectPayload>,
    deployment_id: Option<u64>,
    status: Line,
    status_changed_at: Line,
    environment: Line,
    short_sha: Line,
    commit_url: Line,
    commit_title: Line,
    #[serde(rename = "ref")]
    reference: Line,
    deployable_url: Line,
}

impl Payload {
    pub(super) fn read(self, hints: &EventHints) -> Result<Deployment, ParseError> {
        let sha = self.sha();
        let identity = [
            &digits(self.deployment_id),
            self.environment.as_str(),
            self.status.as_str(),
            self.status_changed_at.as_str(),
            self.short_sha.as_str(),
        ];
        Ok(Deployment {
            meta: hints.meta(self.project, self.user, &identity),
            id: self.deployment_id,
            status: Status::parse(self.status.as_str()),
            environment: self
                .environment
                .0
                .ok_or(ParseError::Missing("environment"))?,
            sha,
            title: self.commit_title.0,
            reference: self.reference.0,
            page: self.deployable_url.0,
        })
    }

    /// GitLab sends eight digits, and all of them only in the address of the commit's page.
    fn sha(&self) -> Option<CommitSha> {
        let (_, tail) = self.commit_url.as_str().rsplit_once('/')?;
        CommitSha::parse(tail).filter(|sha| sha.as_str().starts_with(self.short_sha.as_str()))
    }
}
