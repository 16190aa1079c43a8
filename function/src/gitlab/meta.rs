//! What every event but a push has: a kind, a place, somebody who acted, and an identity. Owns how
//! they are read. What happened is told by the files of the event_kinds, such as
//! [`issue`](super::issue).

use serde::Deserialize;

use super::event::ParseError;
use super::idempotency_key::IdempotencyKey;
use super::kind::Kind;
use super::project::{Project, ProjectPayload};
use super::text::Line;

/// Where an event happened, by whom, and what names it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EventMeta {
    /// What kind of event it is.
    pub kind: Kind,
    /// Where it happened, if GitLab said so.
    pub project: Option<Project>,
    /// Who did it, by full name or else by user name.
    pub actor: Option<String>,
    /// Stands in for the idempotency key that GitLab before 17.4 does not send.
    pub content_id: IdempotencyKey,
}

/// What is known of a body before it is read as one of its kind.
#[derive(Clone, Copy, Debug)]
pub(super) struct EventHints<'a> {
    /// The kind its names say.
    pub(super) kind: Kind,
    /// The name itself: `event_name`, or else `object_kind`.
    pub(super) name: &'a str,
    /// Whether its header or its type calls it confidential.
    pub(super) confidential: bool,
}

impl EventHints<'_> {
    /// Sets the meta; `identity` holds what tells this event from others of its kind and project.
    pub(super) fn meta(
        &self,
        project: Option<ProjectPayload>,
        actor: Option<Person>,
        identity: &[&str],
    ) -> EventMeta {
        let project = project.and_then(ProjectPayload::read);
        let path = project.as_ref().map_or("", |project| project.path.as_str());
        let fields: Vec<_> = [self.kind.label(), self.name, path]
            .into_iter()
            .chain(identity.iter().copied())
            .collect();
        EventMeta {
            kind: self.kind,
            content_id: IdempotencyKey::from_content(&fields),
            actor: actor.and_then(Person::called),
            project,
        }
    }
}

/// A body that holds nothing else: who did it, where, and the attributes of what it was done to.
#[derive(Deserialize)]
pub(super) struct CommonPayload<A> {
    pub(super) user: Option<Person>,
    pub(super) project: Option<ProjectPayload>,
    object_attributes: Option<A>,
}

impl<A> CommonPayload<A> {
    /// The attributes, once.
    pub(super) fn attributes(&mut self) -> Result<A, ParseError> {
        let attributes = self.object_attributes.take();
        attributes.ok_or(ParseError::Missing("object_attributes"))
    }
}

/// A user in a body. The e-mail address is not read: often it is redacted, and it is nobody's
/// business.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Person {
    name: Line,
    username: Line,
}

impl Person {
    /// A user whose name stands in the body by itself.
    pub(super) fn named(name: Line) -> Self {
        Self {
            name,
            username: Line::default(),
        }
    }

    /// What people call this user.
    pub(super) fn called(self) -> Option<String> {
        self.name.0.or(self.username.0)
    }
}

/// A number as part of an identity.
pub(super) fn digits(number: Option<u64>) -> String {
    number.map_or_else(String::new, |number| number.to_string())
}
