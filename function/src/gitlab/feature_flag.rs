//! A feature flag. Owns what is read of it. The words for people are in
//! [`message`](crate::notifier::message).

use serde::Deserialize;

use super::event::ParseError;
use super::meta::{CommonPayload, EventHints, EventMeta, digits};
use super::text::Line;

/// A feature flag was turned on or off.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FeatureFlag {
    /// Where and by whom.
    pub meta: EventMeta,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// On or off.
    pub switch: Switch,
}

/// How a feature flag stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Switch {
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
    pub(super) fn read(mut self, hints: &EventHints) -> Result<FeatureFlag, ParseError> {
        let attributes = self.attributes()?;
        let switch = match attributes.active {
            Some(true) => Switch::On,
            Some(false) => Switch::Off,
            None => return Err(ParseError::Missing("object_attributes.active")),
        };
        let id = digits(attributes.id);
        let on_or_off = format!("{switch:?}");
        let identity = [&id, attributes.name.as_str(), &on_or_off];
        Ok(FeatureFlag {
            meta: hints.meta(self.project, self.user, &identity),
            name: attributes
                .name
                .0
                .ok_or(ParseError::Missing("object_attributes.name"))?,
            description: attributes.description.0,
            switch,
        })
    }
}
