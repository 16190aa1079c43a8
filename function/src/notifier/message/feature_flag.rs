//! The message about a feature flag. Owns its wording; the event is parsed in
//! [`gitlab::feature_flag`](crate::gitlab::feature_flag).

use super::fragments::quoted;
use super::headline::Headline;
use super::noun::Noun;
use super::sign::Sign;
use super::{Message, SkipReason};
use crate::gitlab::event::Event;
use crate::gitlab::feature_flag::{FeatureFlag, Switch};

#[expect(
    clippy::unnecessary_wraps,
    reason = "the renderers of all kinds have the same signature"
)]
pub(super) fn render(event: &Event, flag: &FeatureFlag) -> Result<Message, SkipReason> {
    let verb = match flag.switch {
        Switch::On => " turned on",
        Switch::Off => " turned off",
    };
    let headline = Headline::new(Sign::Flag)
        .noun(&Noun::of_project(event, "-/feature_flags", "Feature flag"))
        .words(" ")
        .name("flag", &flag.name)
        .words(verb)
        .in_project_by_actor(event);
    Ok(Message::new(headline).line(quoted(event.attributes.text.as_deref())))
}
