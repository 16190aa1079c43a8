//! A wiki page. Owns how it is parsed. It has no commit of the project, because its version belongs
//! to the repository of the wiki. Its message is rendered in [`message`](crate::notifier::message).

use serde::Deserialize;

use super::attributes::EventAttributes;
use super::event::{ParseError, Parsed};
use super::meta::{CommonPayload, EventHints};
use super::participants::Participants;
use super::project::path_of;
use super::release::Action;
use super::text::Line;

/// A wiki page changed. The commit message of the change is the attribute `text`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct WikiPage {
    /// The action; `None` in a test delivery.
    pub(crate) action: Option<Action>,
    /// Title of the page.
    pub(crate) title: String,
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
    pub(super) fn read(mut self, hints: &EventHints) -> Result<Parsed<WikiPage>, ParseError> {
        let page = self.attributes()?;
        let identity = [
            page.slug.as_str(),
            page.action.as_str(),
            page.version_id.as_str(),
        ];
        let project = self.project();
        let project_path = path_of(project.as_ref());
        let meta = hints.meta(project, page.url.0.as_deref(), &identity);
        let title = page.title.0.or(page.slug.0);
        let title = title.ok_or(ParseError::Missing("object_attributes.title"))?;
        Ok(Parsed {
            meta,
            kind: WikiPage {
                action: page.action.0.as_deref().map(Action::parse),
                title: title.clone(),
            },
            attributes: EventAttributes {
                project_path,
                action: page.action.0,
                participants: Participants::of_actor(self.user.person()),
                title: Some(title),
                text: page.message.0,
                page: page.url.0,
                ..EventAttributes::default()
            },
        })
    }
}
