//! What every event has: a kind, a project, an identity. Owns how they are read. What happened is read in
//! the file of each kind, such as [`issue`](super::issue).

use serde::Deserialize;
use url::Url;

use super::event::ParseError;
use super::idempotency_key::IdempotencyKey;
use super::kind::Kind;
use super::participants::{User, Users};
use super::project::{Project, ProjectPayload};

/// Kind, project and identity of an event.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EventMeta {
    /// What kind of event it is.
    pub(crate) kind: Kind,
    /// The project, if GitLab named one.
    pub(crate) project: Option<Project>,
    /// Scheme and host of the GitLab it came from, part of the message id; empty if unknown. Read from
    /// the body, which is signed, and not from `X-Gitlab-Instance`, which is not.
    pub instance: String,
    /// Whether only members of the project may see it.
    pub confidential: bool,
    /// The key that GitLab sent; `None` before GitLab 17.4.
    pub(crate) idempotency_key: Option<IdempotencyKey>,
    /// A digest of what identifies the event, in place of a missing key.
    pub content_key: IdempotencyKey,
}

impl EventMeta {
    /// What names the delivery: GitLab's key, or else the digest.
    pub(crate) fn delivery_key(&self) -> &IdempotencyKey {
        self.idempotency_key.as_ref().unwrap_or(&self.content_key)
    }

    /// Path of the project, or its name where GitLab sends no path.
    pub(crate) fn project_label(&self) -> Option<&str> {
        self.project.as_ref().map(Project::label)
    }
}

/// What is known of a body before it is read as one of its kind.
#[derive(Clone, Copy, Debug)]
pub(super) struct EventHints<'a> {
    /// The kind that its names say.
    pub(super) kind: Kind,
    /// The name itself: `event_name`, or else `object_kind`.
    pub(super) name: &'a str,
    /// Whether its header or its type calls it confidential.
    pub(super) confidential: bool,
}

impl EventHints<'_> {
    /// The metadata of an event. `page` is an address on the same GitLab, for events whose project
    /// has none; `identity` holds what tells this event from others of its kind and project.
    pub(super) fn meta(
        &self,
        project: Option<Project>,
        page: Option<&str>,
        identity: &[&str],
    ) -> EventMeta {
        // The path that GitLab sends, or else the name: identities are pinned by a test.
        let path = project.as_ref().map_or("", Project::label);
        let fields: Vec<_> = [self.kind.label(), self.name, path]
            .into_iter()
            .chain(identity.iter().copied())
            .collect();
        let web_url = project
            .as_ref()
            .and_then(|project| project.web_url.as_deref());
        EventMeta {
            kind: self.kind,
            content_key: IdempotencyKey::from_content(&fields),
            instance: instance([web_url, page]),
            confidential: false,
            idempotency_key: None,
            project,
        }
    }
}

/// Scheme and host of the first address that can be read.
pub(super) fn instance(addresses: [Option<&str>; 2]) -> String {
    let mut addresses = addresses.into_iter().flatten();
    let url = addresses.find_map(|address| Url::parse(address).ok());
    url.map(|url| url.origin().ascii_serialization())
        .unwrap_or_default()
}

/// The fields that most bodies have besides the attributes `A` of what happened.
#[derive(Deserialize)]
pub(super) struct CommonPayload<A> {
    #[serde(default)]
    pub(super) user: User,
    #[serde(default)]
    pub(super) assignees: Users,
    #[serde(default)]
    pub(super) reviewers: Users,
    project: Option<ProjectPayload>,
    object_attributes: Option<A>,
}

impl<A> CommonPayload<A> {
    /// The attributes, once.
    pub(super) fn attributes(&mut self) -> Result<A, ParseError> {
        let attributes = self.object_attributes.take();
        attributes.ok_or(ParseError::Missing("object_attributes"))
    }

    /// The project, once.
    pub(super) fn project(&mut self) -> Option<Project> {
        self.project.take().and_then(ProjectPayload::read)
    }
}

/// A number as part of an identity.
pub(super) fn digits(number: Option<u64>) -> String {
    number.map_or_else(String::new, |number| number.to_string())
}
