//! An access token or deploy token that is about to expire. Owns how it is parsed; the token itself
//! is not in the body. Its message is rendered in [`message`](crate::notifier::message).

use serde::Deserialize;

use super::attributes::EventAttributes;
use super::event::{ParseError, Parsed};
use super::group::GroupPayload;
use super::lenient::Lenient;
use super::meta::{EventHints, digits};
use super::object::Object;
use super::project::{ProjectPayload, path_of};
use super::text::Line;

/// A token is about to expire.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ExpiringToken {
    /// Path or name of its group, if the token belongs to a group.
    pub(crate) group: Option<String>,
    /// Name of the token.
    pub(crate) name: String,
    /// Expiry date, as GitLab writes it.
    pub(crate) expires: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Payload {
    project: Option<ProjectPayload>,
    group: Option<GroupPayload>,
    object_attributes: Option<Object<Attributes>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Attributes {
    id: Option<u64>,
    name: Line,
    action: Lenient,
    expires_at: Line,
}

impl Payload {
    pub(super) fn read(self, hints: &EventHints) -> Result<Parsed<ExpiringToken>, ParseError> {
        let Object(token) = self
            .object_attributes
            .ok_or(ParseError::Missing("object_attributes"))?;
        let id = digits(token.id);
        let group = self.group.unwrap_or_default();
        let project = self.project.and_then(ProjectPayload::read);
        let project_path = match &project {
            Some(project) => path_of(Some(project)),
            None => group.path(),
        };
        let group = group.label();
        let place = group.as_deref().unwrap_or_default();
        let identity = [place, &id, token.expires_at.as_str()];
        let meta = hints.meta(project, None, &identity);
        let name = token.name.0;
        let name = name.ok_or(ParseError::Missing("object_attributes.name"))?;
        let expires = token.expires_at.0;
        Ok(Parsed {
            meta,
            kind: ExpiringToken {
                group,
                name: name.clone(),
                expires: expires.ok_or(ParseError::Missing("object_attributes.expires_at"))?,
            },
            attributes: EventAttributes {
                project_path,
                action: token.action.text().or_else(|| Some(hints.name.to_owned())),
                title: Some(name),
                ..EventAttributes::default()
            },
        })
    }
}
