//! A deployment to an environment. Owns how it is parsed, including that its full commit id is only
//! in the URL of the commit. Its message is rendered in [`message`](crate::notifier::message).

use serde::Deserialize;

use super::attributes::{EventAttributes, short_ref};
use super::commit::CommitSha;
use super::event::{ParseError, Parsed};
use super::meta::{EventHints, digits};
use super::participants::{Participants, User};
use super::project::{ProjectPayload, path_of};
use super::status::Status;
use super::text::Line;

/// A deployment changed its status. Its id is the attribute `number`, which GitLab before 14 does
/// not send. Its `page` is the page of its job, so a deployment created by the API has no page.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Deployment {
    /// Status of the deployment.
    pub(crate) status: Status,
    /// Name of the environment. GitLab sends no id, which the URL of its page would need, so only the
    /// list of environments can be linked to.
    pub(crate) environment: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Payload {
    user: User,
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
    pub(super) fn read(self, hints: &EventHints) -> Result<Parsed<Deployment>, ParseError> {
        let sha = self.sha();
        let identity = [
            &digits(self.deployment_id),
            self.environment.as_str(),
            self.status.as_str(),
            self.status_changed_at.as_str(),
            self.short_sha.as_str(),
        ];
        let project = self.project.and_then(ProjectPayload::read);
        let project_path = path_of(project.as_ref());
        let meta = hints.meta(project, self.deployable_url.0.as_deref(), &identity);
        let status = Status::parse(self.status.as_str());
        let environment = self.environment.0;
        let environment = environment.ok_or(ParseError::Missing("environment"))?;
        let reference = self.reference.0.as_deref();
        let attributes = EventAttributes {
            project_path,
            reference: reference.map(|name| short_ref(name).to_owned()),
            participants: Participants::of_actor(self.user.person()),
            sha,
            number: self.deployment_id,
            page: self.deployable_url.0,
            title: self.commit_title.0,
            environment: Some(environment.clone()),
            ..EventAttributes::default()
        };
        Ok(Parsed {
            meta,
            attributes: attributes.with_status(self.status.0, status),
            kind: Deployment {
                status,
                environment,
            },
        })
    }

    /// GitLab sends eight digits; all of them are only in the URL of the commit.
    fn sha(&self) -> Option<CommitSha> {
        let (_, tail) = self.commit_url.as_str().rsplit_once('/')?;
        CommitSha::parse(tail).filter(|sha| sha.as_str().starts_with(self.short_sha.as_str()))
    }
}
