//! The metadata of every event: kind, project and identity. Owns how they are parsed. The rest of a
//! body is parsed in the file of its kind, such as [`issue`](super::issue).

use serde::Deserialize;
use url::Url;

use super::changes::Changes;
use super::event::ParseError;
use super::idempotency_key::IdempotencyKey;
use super::kind::Kind;
use super::labels::Labels;
use super::lenient::LenientObject;
use super::object::Object;
use super::occurred_at::OccurredAt;
use super::page_url::PageUrl;
use super::participants::{User, Users};
use super::project::{Project, ProjectPayload, origin};

/// Kind, project and identity of an event.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EventMeta {
    /// The kind.
    pub(crate) kind: Kind,
    /// The project, if the event has one.
    pub(crate) project: Option<Project>,
    /// Scheme, host and port of the GitLab instance, part of the message id; empty if unknown. It
    /// comes from the signed body, not from the header `X-Gitlab-Instance`, which is not signed.
    pub instance: String,
    /// Whether only members of the project may see the event.
    pub confidential: bool,
    /// When the event occurred, if the webhook is sent again long after it.
    pub(crate) occurred_at: Option<OccurredAt>,
    /// The key that GitLab or the broker sent; GitLab before 17.4 sends none.
    pub(crate) idempotency_key: Option<IdempotencyKey>,
    /// A digest of the fields that identify the event, used if there is no key.
    pub content_key: IdempotencyKey,
}

impl EventMeta {
    /// Path of the project, or its name if GitLab sends no path.
    pub(crate) fn project_label(&self) -> Option<&str> {
        self.project.as_ref().map(Project::label)
    }

    /// Page of the project, if GitLab sent a URL that can be a link.
    pub(crate) fn project_url(&self) -> Option<&PageUrl> {
        self.project.as_ref()?.page.as_ref()
    }
}

/// What is known about a body before its kind is parsed.
#[derive(Clone, Copy, Debug)]
pub(super) struct EventHints<'a> {
    /// The kind that the names in the body select.
    pub(super) kind: Kind,
    /// `event_name`, or else `object_kind`; empty for pushes.
    pub(super) name: &'a str,
    /// Whether the header or `event_type` marks it as confidential.
    pub(super) confidential: bool,
    /// When the event occurred, if the body says so.
    pub(super) occurred_at: Option<OccurredAt>,
}

impl EventHints<'_> {
    /// The metadata of an event. `page` is a URL on the same GitLab instance, for events whose
    /// project has none; `identity` are the fields that distinguish this event from others of its
    /// kind and project.
    pub(super) fn meta(
        &self,
        project: Option<Project>,
        page: Option<&str>,
        identity: &[&str],
    ) -> EventMeta {
        // The path that GitLab sends, or else the name. Changing it would change message ids; a
        // test pins them.
        let path = project.as_ref().map_or("", Project::label);
        let fields: Vec<_> = [self.kind.label(), self.name, path]
            .into_iter()
            .chain(identity.iter().copied())
            .collect();
        EventMeta {
            kind: self.kind,
            content_key: IdempotencyKey::from_content(&fields),
            instance: instance(project.as_ref(), page),
            confidential: false,
            occurred_at: self.occurred_at,
            idempotency_key: None,
            project,
        }
    }
}

/// Scheme, host and port of the project, or else of another page; empty if neither has a valid URL.
pub(super) fn instance(project: Option<&Project>, page: Option<&str>) -> String {
    let of_project = project.and_then(|project| project.origin.clone());
    let of_page = || Some(origin(&Url::parse(page?).ok()?));
    of_project.or_else(of_page).unwrap_or_default()
}

/// The fields that most bodies have besides `object_attributes` of the type `A`.
#[derive(Deserialize)]
pub(super) struct CommonPayload<A> {
    #[serde(default)]
    pub(super) user: User,
    #[serde(default)]
    pub(super) assignees: Users,
    #[serde(default)]
    pub(super) reviewers: Users,
    pub(super) labels: Option<Labels>,
    #[serde(default)]
    pub(super) changes: LenientObject<Changes>,
    project: Option<ProjectPayload>,
    object_attributes: Option<Object<A>>,
}

impl<A> CommonPayload<A> {
    /// Takes `object_attributes`; fails if they are missing or were taken before.
    pub(super) fn attributes(&mut self) -> Result<A, ParseError> {
        let attributes = self.object_attributes.take();
        let Object(attributes) = attributes.ok_or(ParseError::Missing("object_attributes"))?;
        Ok(attributes)
    }

    /// Takes the project; `None` if it is missing or was taken before.
    pub(super) fn project(&mut self) -> Option<Project> {
        self.project.take().and_then(ProjectPayload::read)
    }
}

/// A number as text for an identity; empty if it is missing.
pub(super) fn digits(number: Option<u64>) -> String {
    number.map_or_else(String::new, |number| number.to_string())
}
