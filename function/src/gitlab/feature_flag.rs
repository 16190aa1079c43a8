//! A feature flag. Owns how it is parsed. Its message is rendered in
//! [`message`](crate::notifier::message).

use serde::Deserialize;

use super::attributes::EventAttributes;
use super::event::{ParseError, Parsed};
use super::meta::{CommonPayload, EventHints, digits};
use super::participants::Participants;
use super::project::path_of;
use super::text::Line;

/// A feature flag was turned on or off. Its description is the attribute `text`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct FeatureFlag {
    /// Name of the flag.
    pub(crate) name: String,
    /// Whether it is on or off.
    pub(crate) switch: Switch,
}

/// Whether a feature flag is active.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Switch {
    /// Active.
    On,
    /// Not active.
    Off,
}

pub(super) type Payload = CommonPayload<Attributes>;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Attributes {
    id: Option<u64>,
    name: Line,
    description: Line,
    active: Option<bool>,
}

impl Payload {
    pub(super) fn read(mut self, hints: &EventHints) -> Result<Parsed<FeatureFlag>, ParseError> {
        let flag = self.attributes()?;
        let switch = match flag.active {
            Some(true) => Switch::On,
            Some(false) => Switch::Off,
            None => return Err(ParseError::Missing("object_attributes.active")),
        };
        let id = digits(flag.id);
        // Part of the content key: these literals must not change.
        let on_or_off = match switch {
            Switch::On => "On",
            Switch::Off => "Off",
        };
        let identity = [&id, flag.name.as_str(), on_or_off];
        let project = self.project();
        let project_path = path_of(project.as_ref());
        let meta = hints.meta(project, None, &identity);
        let name = flag.name.0;
        let name = name.ok_or(ParseError::Missing("object_attributes.name"))?;
        Ok(Parsed {
            meta,
            kind: FeatureFlag {
                name: name.clone(),
                switch,
            },
            attributes: EventAttributes {
                project_path,
                participants: Participants::of_actor(self.user.person()),
                title: Some(name),
                text: flag.description.0,
                ..EventAttributes::default()
            },
        })
    }
}
