//! A page of a wiki. Owns what is read of it. It has no commit of the project: its version is one of
//! the wiki's own repository. The words for people are in [`message`](crate::notifier::message).

use serde::Deserialize;

use super::event::ParseError;
use super::meta::{CommonPayload, EventHints, EventMeta};
use super::release::Action;
use super::text::Line;

/// Something happened to a page of a wiki.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct WikiPage {
    /// Where and by whom.
    pub meta: EventMeta,
    /// What happened.
    pub action: Option<Action>,
    /// Its title.
    pub title: String,
    /// What its author said about the change.
    pub message: Option<String>,
    /// Its page, as GitLab sent it; not yet safe to link to.
    pub page: Option<String>,
}

pub(super) type Payload = CommonPayload<Attributes>;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Attributes {
    title: Line,
    slug: Line,
    message: Line,
    action: Line,
    version_id: Line,
    url: Line,
}

impl Payload {
    pub(super) fn read(mut self, hints: &EventHints) -> Result<WikiPage, ParseError> {
        let attributes = self.attributes()?;
        let identity = [
            attributes.slug.as_str(),
            attributes.action.as_str(),
            attributes.version_id.as_str(),
        ];
        Ok(WikiPage {
            meta: hints.meta(self.project, self.user, &identity),
            action: attributes.action.0.as_deref().map(Action::parse),
            title: attributes
                .title
                .0
                .or(attributes.slug.0)
                .ok_or(ParseError::Missing("object_attributes.title"))?,
            message: attributes.message.0,
            page: attributes.url.0,
        })
    }
}
