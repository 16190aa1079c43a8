//! An access token or deploy token that is about to expire. Owns what is read of it: never the token
//! itself, which GitLab does not send. The words for people are in [`message`](crate::notifier::message).

use serde::Deserialize;

use super::event::ParseError;
use super::meta::{EventHints, EventMeta, digits};
use super::project::ProjectPayload;
use super::text::Line;

/// A token is about to expire.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ExpiringToken {
    /// Where, unless it belongs to a group.
    pub meta: EventMeta,
    /// The group it belongs to, unless it belongs to a project.
    pub group: Option<String>,
    /// The name people gave it.
    pub name: String,
    /// The day it expires.
    pub expires: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Payload {
    project: Option<ProjectPayload>,
    group: Option<Group>,
    object_attributes: Option<Attributes>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Group {
    #[serde(rename = "group_path")]
    path: Line,
    full_path: Line,
    #[serde(rename = "group_name")]
    name: Line,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Attributes {
    id: Option<u64>,
    name: Line,
    expires_at: Line,
}

impl Payload {
    pub(super) fn read(self, hints: &EventHints) -> Result<ExpiringToken, ParseError> {
        let attributes = self
            .object_attributes
            .ok_or(ParseError::Missing("object_attributes"))?;
        let id = digits(attributes.id);
        let group = self
            .group
            .and_then(|group| group.full_path.0.or(group.path.0).or(group.name.0));
        let place = group.as_deref().unwrap_or_default();
        let identity = [place, &id, attributes.expires_at.as_str()];
        Ok(ExpiringToken {
            meta: hints.meta(self.project, None, &identity),
            group,
            name: attributes
                .name
                .0
                .ok_or(ParseError::Missing("object_attributes.name"))?,
            expires: attributes
                .expires_at
                .0
                .ok_or(ParseError::Missing("object_attributes.expires_at"))?,
        })
    }
}
