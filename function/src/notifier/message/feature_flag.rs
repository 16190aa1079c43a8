//! The message about a feature flag. Owns its wording; the event is parsed in
//! [`gitlab::feature_flag`](crate::gitlab::feature_flag).

use super::fragments::{code, in_project_by_actor, lines, title};
use super::{MAX_PATH, SkipReason};
use crate::gitlab::event::Event;
use crate::gitlab::feature_flag::{FeatureFlag, Switch};

#[expect(
    clippy::unnecessary_wraps,
    reason = "the renderers of all kinds have the same signature"
)]
pub(super) fn render(event: &Event, flag: &FeatureFlag) -> Result<String, SkipReason> {
    let verb = match flag.switch {
        Switch::On => "turned on",
        Switch::Off => "turned off",
    };
    let name = code(&flag.name, MAX_PATH);
    let headline = format!("Feature flag {name} {verb}{}", in_project_by_actor(event));
    Ok(lines(headline, title(event.attributes.text.as_deref())))
}
